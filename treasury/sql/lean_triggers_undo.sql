ALTER TABLE treasury_payment DROP CONSTRAINT treasury_payment_spent;
ALTER TABLE treasury_payment ADD CONSTRAINT treasury_payment_spent
    CHECK ((spent_on IS NOT NULL) = treasury_is_spent(status));

DROP TRIGGER content_has_a_version ON treasury_requisition;
CREATE TRIGGER content_has_a_version AFTER UPDATE ON treasury_requisition
    FOR EACH ROW WHEN ((NEW.amount IS DISTINCT FROM OLD.amount OR NEW.purpose IS DISTINCT FROM OLD.purpose
            OR NEW.payee_name IS DISTINCT FROM OLD.payee_name
            OR NEW.payee_index IS DISTINCT FROM OLD.payee_index
            OR NEW.method IS DISTINCT FROM OLD.method
            OR NEW.destination_index IS DISTINCT FROM OLD.destination_index)
        AND (NEW.version <> OLD.version + 1 OR NEW.status <> 'submitted'))
    EXECUTE FUNCTION ledger_refuse_change();

DROP TRIGGER schedule_fixed_when_sent ON treasury_payment;
CREATE TRIGGER schedule_fixed_when_sent BEFORE UPDATE ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND (
        NEW.scheduled_for IS DISTINCT FROM OLD.scheduled_for OR NEW.due_on IS DISTINCT FROM OLD.due_on
        OR NEW.scheduled_by_id IS DISTINCT FROM OLD.scheduled_by_id))
    EXECUTE FUNCTION ledger_refuse_change();

DROP TRIGGER executor_fixed_when_sent ON treasury_payment;
DROP TRIGGER fixed_when_sent ON treasury_payment;
CREATE TRIGGER fixed_when_sent BEFORE UPDATE ON treasury_payment
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND (
        NEW.amount <> OLD.amount OR NEW.method <> OLD.method
        OR NEW.destination_index <> OLD.destination_index
        OR (NEW.executor_id IS DISTINCT FROM OLD.executor_id AND NEW.status <> 'pending')))
    EXECUTE FUNCTION ledger_refuse_change();
