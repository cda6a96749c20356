-- What a batch promises, kept by the database: a set that is fixed once it is approved, and nobody who
-- approves or executes what he asked for.

ALTER TABLE treasury_batch
    ADD CONSTRAINT treasury_batch_same_fund FOREIGN KEY (fund_id, company_id, currency)
        REFERENCES treasury_treasuryfund (fund_id, company_id, currency),
    ADD CONSTRAINT treasury_batch_same_policy FOREIGN KEY (company_id, separate_executor)
        REFERENCES ledger_company (id, separate_executor) ON UPDATE CASCADE;

ALTER TABLE treasury_batchrow
    ADD CONSTRAINT treasury_batchrow_same_requester FOREIGN KEY (requisition_id, requester_id)
        REFERENCES treasury_requisition (requisition_id, requested_by_id);

ALTER TABLE treasury_batchapproval
    ADD CONSTRAINT treasury_batchapproval_same_maker FOREIGN KEY (batch_id, maker_id)
        REFERENCES treasury_batch (batch_id, created_by_id);

-- Rows are added, and their content changes, only before the approval; a payment is of the requisition.
CREATE FUNCTION treasury_guard_batch_row() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    batch treasury_batch%ROWTYPE;
BEGIN
    SELECT * INTO batch FROM treasury_batch WHERE batch_id = NEW.batch_id;
    IF batch.status <> 'submitted' AND (TG_OP = 'INSERT' OR NEW.digest <> OLD.digest
            OR NEW.amount IS DISTINCT FROM OLD.amount
            OR NEW.payment_id IS DISTINCT FROM OLD.payment_id) THEN
        RAISE EXCEPTION 'the rows of batch % are fixed', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchrow_fixed';
    END IF;
    IF NEW.status = 'done' AND batch.status <> 'executing' THEN
        RAISE EXCEPTION 'batch % is not being executed', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchrow_executing';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.requisition_id IS NOT NULL AND NEW.status = 'waiting' THEN
        PERFORM FROM treasury_requisition
            WHERE requisition_id = NEW.requisition_id AND fund_id = batch.fund_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a row of batch % is of another fund', NEW.batch_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchrow_same_fund';
        END IF;
    END IF;
    IF NEW.payment_id IS NOT NULL
            AND (TG_OP = 'INSERT' OR NEW.payment_id IS DISTINCT FROM OLD.payment_id) THEN
        PERFORM FROM treasury_payment
            WHERE payment_id = NEW.payment_id AND requisition_id = NEW.requisition_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the payment of a row of batch % is of another requisition', NEW.batch_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchrow_same_requisition';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER belongs_to_the_set BEFORE INSERT OR UPDATE ON treasury_batchrow
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_batch_row();

-- What came of a row stays.
CREATE TRIGGER fixed_when_processed BEFORE UPDATE ON treasury_batchrow
    FOR EACH ROW WHEN (OLD.status <> 'waiting') EXECUTE FUNCTION ledger_refuse_change();

-- An approval is for the set that lies before the approver, by somebody who asked for none of it.
CREATE FUNCTION treasury_guard_batch_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_batch
        WHERE batch_id = NEW.batch_id AND set_hash = NEW.set_hash AND status = 'submitted';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % is not submitted as this set', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchapproval_set';
    END IF;
    PERFORM FROM treasury_batchrow
        WHERE batch_id = NEW.batch_id AND requester_id = NEW.approver_id AND status = 'waiting';
    IF FOUND THEN
        RAISE EXCEPTION 'batch %: a requester may not approve it', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchapproval_not_by_requester';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER approves_this_set BEFORE INSERT ON treasury_batchapproval
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_batch_approval();

CREATE TRIGGER fixed_when_approved BEFORE UPDATE ON treasury_batch
    FOR EACH ROW WHEN (OLD.status <> 'submitted' AND (NEW.set_hash <> OLD.set_hash
        OR NEW.count <> OLD.count OR NEW.total <> OLD.total))
    EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER executor_stays BEFORE UPDATE OF executor_id ON treasury_batch
    FOR EACH ROW WHEN (OLD.started_at IS NOT NULL
        AND NEW.executor_id IS DISTINCT FROM OLD.executor_id)
    EXECUTE FUNCTION ledger_refuse_change();

CREATE FUNCTION treasury_guard_batch() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.status = 'approved' AND OLD.status = 'submitted' THEN
        PERFORM FROM treasury_batchapproval
            WHERE batch_id = NEW.batch_id AND set_hash = NEW.set_hash AND role = 'cfo';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'batch % has no approval of a CFO', NEW.batch_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_approved';
        END IF;
    END IF;
    IF NEW.status = 'executing' AND OLD.status = 'approved' THEN
        PERFORM FROM treasury_batchcode
            WHERE batch_id = NEW.batch_id AND set_hash = NEW.set_hash
              AND executor_id = NEW.executor_id AND consumed_at IS NOT NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'batch % was not confirmed with a code', NEW.batch_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_confirmed';
        END IF;
    END IF;
    IF NEW.executor_id IS NULL OR NEW.status NOT IN ('approved', 'executing') THEN
        RETURN NEW;
    END IF;
    PERFORM FROM treasury_batchrow
        WHERE batch_id = NEW.batch_id AND requester_id = NEW.executor_id AND status = 'waiting';
    IF FOUND THEN
        RAISE EXCEPTION 'batch %: a requester may not execute it', NEW.batch_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_not_by_requester';
    END IF;
    IF NEW.separate_executor THEN
        PERFORM FROM treasury_batchapproval
            WHERE batch_id = NEW.batch_id AND set_hash = NEW.set_hash
              AND approver_id = NEW.executor_id;
        IF FOUND THEN
            RAISE EXCEPTION 'batch %: its approver may not execute it', NEW.batch_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_not_by_approver';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER executes_duly BEFORE UPDATE OF status, executor_id ON treasury_batch
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_batch();

-- A batch begins empty-handed, and its set is what was sent.
CREATE FUNCTION treasury_guard_new_batch() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.executor_id IS NOT NULL OR NEW.approved_at IS NOT NULL OR NEW.started_at IS NOT NULL THEN
        RAISE EXCEPTION 'a batch begins without approval and executor'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batch_begins';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER begins_submitted BEFORE INSERT ON treasury_batch
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_new_batch();
