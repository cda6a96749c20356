-- Of the requisition only what is compared.
CREATE OR REPLACE FUNCTION treasury_guard_execution() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
    leaves boolean := NEW.status IN ('executing', 'success') AND
                      (TG_OP = 'INSERT' OR OLD.status = 'pending');
BEGIN
    -- What was executed under an earlier policy stays as it is.
    IF TG_OP = 'UPDATE' AND NOT leaves AND NEW.executor_id IS NOT DISTINCT FROM OLD.executor_id THEN
        RETURN NEW;
    END IF;
    SELECT status, version, method, destination_index INTO wanted FROM treasury_requisition
        WHERE requisition_id = NEW.requisition_id;
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
