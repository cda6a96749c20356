-- Who executes is weighed in one look at the requisition and its approvals, for each payment of hundreds. A
-- payment is asked about whoever had it approved in his name at the moments at which it is asked about its
-- approvers: when its executor changes, and when it leaves.
CREATE OR REPLACE FUNCTION treasury_guard_execution() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked record;
    leaves boolean := NEW.status IN ('executing', 'success') AND
                      (TG_OP = 'INSERT' OR OLD.status = 'pending');
BEGIN
    -- What was executed under an earlier policy stays as it is.
    IF TG_OP = 'UPDATE' AND NOT leaves AND NEW.executor_id IS NOT DISTINCT FROM OLD.executor_id THEN
        RETURN NEW;
    END IF;
    SELECT wanted.status, wanted.method, wanted.destination_index, approvals.by_executor,
           approvals.for_executor INTO asked
        FROM treasury_requisition wanted
        CROSS JOIN LATERAL (
            SELECT bool_or(given.approver_id = NEW.executor_id) AS by_executor,
                   bool_or(given.on_behalf_of_id = NEW.executor_id) AS for_executor
            FROM treasury_requisitionapproval given
            WHERE given.requisition_id = wanted.requisition_id AND given.version = wanted.version
        ) approvals
        WHERE wanted.requisition_id = NEW.requisition_id;
    IF NEW.separate_executor AND asked.by_executor THEN
        RAISE EXCEPTION 'payment %: its approver may not execute it', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_not_by_approver';
    END IF;
    IF NEW.separate_executor AND asked.for_executor THEN
        RAISE EXCEPTION 'payment %: it was approved in the name of its executor', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_not_by_delegator';
    END IF;
    IF leaves AND (asked.status <> 'approved' OR asked.method <> NEW.method
                   OR asked.destination_index <> NEW.destination_index) THEN
        RAISE EXCEPTION 'payment %: this is not what is approved', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_as_approved';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER executes_apart_from_delegator ON treasury_payment;
DROP FUNCTION treasury_guard_delegator_executes();
