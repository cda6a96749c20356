-- PostgreSQL reads the condition of a trigger anew for each statement that the trigger is for. So these are for
-- statements that name a column of theirs, and of others they are not asked. No trigger changes such a column
-- behind the back of a statement. What they refuse is what they refused before.

DROP TRIGGER fixed_when_sent ON treasury_payment;
CREATE TRIGGER fixed_when_sent BEFORE UPDATE OF amount, method, destination_index ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND (NEW.amount <> OLD.amount OR NEW.method <> OLD.method
                       OR NEW.destination_index <> OLD.destination_index))
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER executor_fixed_when_sent BEFORE UPDATE OF executor_id ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND NEW.status <> 'pending'
                       AND NEW.executor_id IS DISTINCT FROM OLD.executor_id)
    EXECUTE FUNCTION ledger_refuse_change();

DROP TRIGGER schedule_fixed_when_sent ON treasury_payment;
CREATE TRIGGER schedule_fixed_when_sent
    BEFORE UPDATE OF scheduled_for, due_on, scheduled_by_id ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND (
        NEW.scheduled_for IS DISTINCT FROM OLD.scheduled_for OR NEW.due_on IS DISTINCT FROM OLD.due_on
        OR NEW.scheduled_by_id IS DISTINCT FROM OLD.scheduled_by_id))
    EXECUTE FUNCTION ledger_refuse_change();

DROP TRIGGER content_has_a_version ON treasury_requisition;
CREATE TRIGGER content_has_a_version
    AFTER UPDATE OF amount, purpose, payee_name, payee_index, method, destination_index
    ON treasury_requisition
    FOR EACH ROW WHEN ((NEW.amount IS DISTINCT FROM OLD.amount OR NEW.purpose IS DISTINCT FROM OLD.purpose
            OR NEW.payee_name IS DISTINCT FROM OLD.payee_name
            OR NEW.payee_index IS DISTINCT FROM OLD.payee_index
            OR NEW.method IS DISTINCT FROM OLD.method
            OR NEW.destination_index IS DISTINCT FROM OLD.destination_index)
        AND (NEW.version <> OLD.version + 1 OR NEW.status <> 'submitted'))
    EXECUTE FUNCTION ledger_refuse_change();

-- A CHECK is read anew in the same way, and a function in it is unfolded each time.
ALTER TABLE treasury_payment DROP CONSTRAINT treasury_payment_spent;
ALTER TABLE treasury_payment ADD CONSTRAINT treasury_payment_spent
    CHECK ((spent_on IS NOT NULL) = (status NOT IN ('pending', 'failed', 'cancelled')));
