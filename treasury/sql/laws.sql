-- What treasury promises, kept by the database: copies that are tied to what they copy, a requisition
-- that is never overspent, and nobody who pays alone.

ALTER TABLE ledger_company
    ADD CONSTRAINT treasury_company_policy UNIQUE (id, separate_executor);

-- Every account of a fund has the fund's company and currency.
ALTER TABLE treasury_treasuryfund
    ADD CONSTRAINT treasury_fund_account_same FOREIGN KEY (account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT treasury_fund_spending_same FOREIGN KEY (spending_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT treasury_fund_funding_same FOREIGN KEY (funding_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT treasury_fund_variance_same FOREIGN KEY (variance_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT treasury_fund_suspense_same FOREIGN KEY (suspense_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT treasury_fund_clearing_same FOREIGN KEY (clearing_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);

ALTER TABLE treasury_requisition
    ADD CONSTRAINT treasury_requisition_same_fund FOREIGN KEY (fund_id, company_id, currency)
        REFERENCES treasury_treasuryfund (fund_id, company_id, currency);

ALTER TABLE treasury_replenishmentrequest
    ADD CONSTRAINT treasury_replenishment_same_fund FOREIGN KEY (fund_id, company_id, currency)
        REFERENCES treasury_treasuryfund (fund_id, company_id, currency);

ALTER TABLE treasury_requisitionapproval
    ADD CONSTRAINT treasury_approval_same_requester FOREIGN KEY (requisition_id, requester_id)
        REFERENCES treasury_requisition (requisition_id, requested_by_id);

-- The company's policy reaches the payments when it changes; everything else copied never does.
ALTER TABLE treasury_payment
    ADD CONSTRAINT treasury_payment_same_requisition
        FOREIGN KEY (requisition_id, requester_id, company_id, fund_id, currency)
        REFERENCES treasury_requisition (requisition_id, requested_by_id, company_id, fund_id, currency),
    ADD CONSTRAINT treasury_payment_same_policy FOREIGN KEY (company_id, separate_executor)
        REFERENCES ledger_company (id, separate_executor) ON UPDATE CASCADE;

ALTER TABLE treasury_paymentexecution
    ADD CONSTRAINT treasury_execution_same_payment FOREIGN KEY (payment_id, requester_id, company_id)
        REFERENCES treasury_payment (payment_id, requester_id, company_id);

ALTER TABLE treasury_reconciliation
    ADD CONSTRAINT treasury_reconciliation_same_executor FOREIGN KEY (payment_id, executor_id)
        REFERENCES treasury_paymentexecution (payment_id, executor_id);

-- An approval is for the version that lies before the approver.
CREATE FUNCTION treasury_guard_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_requisition
        WHERE requisition_id = NEW.requisition_id AND version = NEW.version AND status = 'submitted';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'requisition % is not submitted in version %', NEW.requisition_id, NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_approval_version';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER approves_this_version BEFORE INSERT ON treasury_requisitionapproval
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_approval();

-- committed is the sum of the live payments: kept here, by nobody else, under the requisition's row lock;
-- the CHECK on the requisition refuses what would exceed its amount.
CREATE FUNCTION treasury_live_amount(p_status text, p_amount numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_status IN ('cancelled', 'reversed') THEN 0 ELSE p_amount END
$$;

CREATE FUNCTION treasury_commit_amount() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    difference numeric := treasury_live_amount(NEW.status, NEW.amount);
BEGIN
    IF TG_OP = 'UPDATE' THEN
        difference := difference - treasury_live_amount(OLD.status, OLD.amount);
    END IF;
    IF difference <> 0 THEN
        UPDATE treasury_requisition SET committed = committed + difference
            WHERE requisition_id = NEW.requisition_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER commit_amount AFTER INSERT ON treasury_payment
    FOR EACH ROW EXECUTE FUNCTION treasury_commit_amount();
CREATE TRIGGER commit_changed_amount AFTER UPDATE OF status, amount ON treasury_payment
    FOR EACH ROW WHEN (treasury_live_amount(NEW.status, NEW.amount)
                       <> treasury_live_amount(OLD.status, OLD.amount))
    EXECUTE FUNCTION treasury_commit_amount();

CREATE TRIGGER committed_by_payments BEFORE UPDATE OF committed ON treasury_requisition
    FOR EACH ROW WHEN (NEW.committed IS DISTINCT FROM OLD.committed AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_refuse_change();

CREATE FUNCTION treasury_guard_new_requisition() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.committed <> 0 THEN
        RAISE EXCEPTION 'a requisition starts with nothing committed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_requisition_committed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER starts_uncommitted BEFORE INSERT ON treasury_requisition
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_new_requisition();

-- Who executes: never a valid approver while the company separates the two; and a payment leaves pending
-- only for what is approved now.
CREATE FUNCTION treasury_guard_execution() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted treasury_requisition%ROWTYPE;
    leaves boolean := NEW.status IN ('executing', 'success') AND
                      (TG_OP = 'INSERT' OR OLD.status = 'pending');
BEGIN
    -- What was executed under an earlier policy stays as it is.
    IF TG_OP = 'UPDATE' AND NOT leaves AND NEW.executor_id IS NOT DISTINCT FROM OLD.executor_id THEN
        RETURN NEW;
    END IF;
    SELECT * INTO wanted FROM treasury_requisition WHERE requisition_id = NEW.requisition_id;
    IF NEW.separate_executor AND NEW.executor_id IS NOT NULL THEN
        PERFORM FROM treasury_requisitionapproval
            WHERE requisition_id = NEW.requisition_id AND version = wanted.version
              AND approver_id = NEW.executor_id;
        IF FOUND THEN
            RAISE EXCEPTION 'payment %: its approver may not execute it', NEW.payment_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_not_by_approver';
        END IF;
    END IF;
    IF leaves AND (wanted.status <> 'approved' OR wanted.method <> NEW.method
                   OR wanted.destination_index <> NEW.destination_index) THEN
        RAISE EXCEPTION 'payment %: this is not what is approved', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_as_approved';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER executes_duly BEFORE INSERT OR UPDATE OF executor_id, status ON treasury_payment
    FOR EACH ROW WHEN (NEW.executor_id IS NOT NULL)
    EXECUTE FUNCTION treasury_guard_execution();

-- Once it has left pending, what was agreed stays as it is; only a retry makes it pending again.
CREATE TRIGGER fixed_when_sent BEFORE UPDATE ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND (
        NEW.amount <> OLD.amount OR NEW.method <> OLD.method
        OR NEW.destination_index <> OLD.destination_index
        OR (NEW.executor_id IS DISTINCT FROM OLD.executor_id AND NEW.status <> 'pending')))
    EXECUTE FUNCTION ledger_refuse_change();

-- Success and the execution that proves it come together.
CREATE FUNCTION treasury_require_execution() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_paymentexecution
        WHERE payment_id = NEW.payment_id AND executor_id = NEW.executor_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % succeeds without an execution', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_execution';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER success_is_proved AFTER INSERT OR UPDATE OF status ON treasury_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'success')
    EXECUTE FUNCTION treasury_require_execution();

CREATE FUNCTION treasury_guard_execution_record() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_payment
        WHERE payment_id = NEW.payment_id AND executor_id = NEW.executor_id AND status = 'success';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % has not succeeded by this executor', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_execution_of_success';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER proves_success BEFORE INSERT ON treasury_paymentexecution
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_execution_record();

-- Evidence is fixed once the requisition is approved.
CREATE FUNCTION treasury_guard_attachment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    requisition uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.requisition_id ELSE NEW.requisition_id END;
BEGIN
    PERFORM FROM treasury_requisition WHERE requisition_id = requisition AND status = 'submitted';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the evidence of requisition % is fixed', requisition
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_attachment_fixed';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER while_submitted BEFORE INSERT OR DELETE ON treasury_attachment
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_attachment();
