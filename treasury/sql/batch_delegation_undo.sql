CREATE OR REPLACE FUNCTION treasury_guard_two_persons() RETURNS trigger LANGUAGE plpgsql
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
DROP TRIGGER executes_apart_from_delegator ON treasury_batch;
DROP FUNCTION treasury_guard_batch_delegator();
DROP TRIGGER by_two_persons ON treasury_batchapproval;
DROP FUNCTION treasury_guard_batch_delegate();
