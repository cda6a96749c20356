-- The payment that an execution proves is looked up by its key and then looked at: asked for together with its
-- status, it was searched for among all payments of that status, once for each execution.
CREATE OR REPLACE FUNCTION treasury_guard_execution_record() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid record;
BEGIN
    SELECT status, executor_id INTO paid FROM treasury_payment WHERE payment_id = NEW.payment_id;
    IF paid.status IS DISTINCT FROM 'success' OR paid.executor_id IS DISTINCT FROM NEW.executor_id THEN
        RAISE EXCEPTION 'payment % has not succeeded by this executor', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_execution_of_success';
    END IF;
    RETURN NEW;
END $$;
