-- Who approves for somebody else: only while the delegation holds, and the two are one person wherever two
-- people are needed.

CREATE FUNCTION treasury_require_delegation(
    p_delegation uuid, p_delegator uuid, p_delegate uuid, p_role text, p_company uuid
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_delegation given JOIN ledger_company company ON company.id = given.company_id
        WHERE given.delegation_id = p_delegation AND given.delegator_id = p_delegator
          AND given.delegate_id = p_delegate AND given.role = p_role AND given.company_id = p_company
          AND given.ended_at IS NULL
          AND (ledger_clock() AT TIME ZONE company.time_zone)::date
              BETWEEN given.from_on AND given.until_on
          AND EXISTS (SELECT FROM ledger_membership held
                      WHERE held.user_id = p_delegator AND held.company_id = p_company
                        AND held.role = p_role);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'delegation % does not hold here and now', p_delegation
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_delegation_holds';
    END IF;
END $$;

-- Two approvals of one version never come from a person and from whoever acts for him. The lock makes
-- approvals of one requisition come one after the other, whoever writes them.
CREATE FUNCTION treasury_guard_two_persons() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid;
BEGIN
    SELECT company_id INTO company FROM treasury_requisition
        WHERE requisition_id = NEW.requisition_id FOR NO KEY UPDATE;
    IF NEW.on_behalf_of_id IS NOT NULL THEN
        PERFORM treasury_require_delegation(
            NEW.delegation_id, NEW.on_behalf_of_id, NEW.approver_id, NEW.role, company);
    END IF;
    PERFORM FROM treasury_requisitionapproval given
        WHERE given.requisition_id = NEW.requisition_id AND given.version = NEW.version
          AND (given.approver_id = NEW.on_behalf_of_id
               OR given.on_behalf_of_id IN (NEW.approver_id, NEW.on_behalf_of_id));
    IF FOUND THEN
        RAISE EXCEPTION 'requisition %: a person and his delegate are not two', NEW.requisition_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_approval_two_persons';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER by_two_persons BEFORE INSERT ON treasury_requisitionapproval
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_two_persons();

-- Whoever had it approved in his name does not execute it either.
CREATE FUNCTION treasury_guard_delegator_executes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_requisitionapproval given
        JOIN treasury_requisition wanted USING (requisition_id)
        WHERE given.requisition_id = NEW.requisition_id AND given.version = wanted.version
          AND given.on_behalf_of_id = NEW.executor_id;
    IF FOUND THEN
        RAISE EXCEPTION 'payment %: it was approved in the name of its executor', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_not_by_delegator';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER executes_apart_from_delegator BEFORE INSERT OR UPDATE OF executor_id ON treasury_payment
    FOR EACH ROW WHEN (NEW.separate_executor AND NEW.executor_id IS NOT NULL)
    EXECUTE FUNCTION treasury_guard_delegator_executes();

-- Variances and replenishments: approved for a CFO only under his delegation.
CREATE FUNCTION treasury_guard_approved_for() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM treasury_require_delegation(
        NEW.delegation_id, NEW.approved_for_id, NEW.approved_by_id, 'cfo', NEW.company_id);
    RETURN NEW;
END $$;

CREATE TRIGGER approved_under_delegation BEFORE INSERT OR UPDATE OF approved_for_id, delegation_id
    ON treasury_varianceadjustment
    FOR EACH ROW WHEN (NEW.approved_for_id IS NOT NULL) EXECUTE FUNCTION treasury_guard_approved_for();
CREATE TRIGGER approved_under_delegation BEFORE INSERT OR UPDATE OF approved_for_id, delegation_id
    ON treasury_replenishmentrequest
    FOR EACH ROW WHEN (NEW.approved_for_id IS NOT NULL) EXECUTE FUNCTION treasury_guard_approved_for();

-- An end is final, and so is an answer.
CREATE TRIGGER ended_once BEFORE UPDATE ON treasury_delegation
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER answered_once BEFORE UPDATE OF answer, answered_at ON treasury_question
    FOR EACH ROW WHEN (OLD.answered_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER used_once BEFORE UPDATE ON treasury_decisioncode
    FOR EACH ROW WHEN (OLD.used_at IS NOT NULL OR OLD.voided_at IS NOT NULL)
    EXECUTE FUNCTION ledger_refuse_change();
