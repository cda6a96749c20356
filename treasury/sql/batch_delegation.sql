-- A delegate approves a batch as he approves a requisition: while the delegation holds, never what either of
-- the two made or asked for, and the two are one person wherever two people are needed.

CREATE FUNCTION treasury_guard_batch_delegate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid;
BEGIN
    -- The lock makes approvals of one batch come one after the other, whoever writes them.
    SELECT company_id INTO company FROM treasury_batch
        WHERE batch_id = NEW.batch_id FOR NO KEY UPDATE;
    IF NEW.on_behalf_of_id IS NOT NULL THEN
        PERFORM treasury_require_delegation(
            NEW.delegation_id, NEW.on_behalf_of_id, NEW.approver_id, NEW.role, company);
        PERFORM FROM treasury_batchrow
            WHERE batch_id = NEW.batch_id AND requester_id = NEW.on_behalf_of_id
              AND status = 'waiting';
        IF FOUND THEN
            RAISE EXCEPTION 'batch %: a requester may not have it approved in his name', NEW.batch_id
                USING ERRCODE = 'check_violation',
                      CONSTRAINT = 'treasury_batchapproval_not_for_requester';
        END IF;
    END IF;
    PERFORM FROM treasury_batchapproval given
        WHERE given.batch_id = NEW.batch_id AND given.set_hash = NEW.set_hash
          AND (given.approver_id = NEW.on_behalf_of_id
               OR given.on_behalf_of_id IN (NEW.approver_id, NEW.on_behalf_of_id));
    IF FOUND THEN
        RAISE EXCEPTION 'batch %: a person and his delegate are not two', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchapproval_two_persons';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER by_two_persons BEFORE INSERT ON treasury_batchapproval
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_batch_delegate();

CREATE FUNCTION treasury_guard_batch_delegator() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_batchapproval
        WHERE batch_id = NEW.batch_id AND set_hash = NEW.set_hash
          AND on_behalf_of_id = NEW.executor_id;
    IF FOUND THEN
        RAISE EXCEPTION 'batch %: it was approved in the name of its executor', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_not_by_delegator';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER executes_apart_from_delegator BEFORE UPDATE OF status, executor_id ON treasury_batch
    FOR EACH ROW WHEN (NEW.separate_executor AND NEW.executor_id IS NOT NULL
                       AND NEW.status IN ('approved', 'executing'))
    EXECUTE FUNCTION treasury_guard_batch_delegator();

-- What a batch raised is approved with its last approval; an earlier one was given while its delegation held.
CREATE OR REPLACE FUNCTION treasury_guard_two_persons() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid;
BEGIN
    SELECT company_id INTO company FROM treasury_requisition
        WHERE requisition_id = NEW.requisition_id FOR NO KEY UPDATE;
    IF NEW.on_behalf_of_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM treasury_batchapproval given
        JOIN treasury_batch batch ON batch.batch_id = given.batch_id
            AND batch.set_hash = given.set_hash AND batch.status = 'submitted'
        JOIN treasury_batchrow raising ON raising.batch_id = batch.batch_id AND raising.raised
            AND raising.status = 'waiting' AND raising.requisition_id = NEW.requisition_id
        WHERE given.approver_id = NEW.approver_id AND given.role = NEW.role
          AND given.on_behalf_of_id = NEW.on_behalf_of_id
          AND given.delegation_id = NEW.delegation_id)
    THEN
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
