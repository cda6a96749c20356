-- The live refunds of an expense never come to more than it, and what is void has none. Whoever writes a refund
-- also writes its expense, as it was: of two at once the second waits for the first and sees it, or, where it
-- reads a snapshot of its own, is refused. A lock alone would let it count by the snapshot.
CREATE FUNCTION periods_require_refunds(p_expense uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT sum(amount) FROM periods_expense
        WHERE refund_of_id = p_expense AND voided_at IS NULL) > p_amount THEN
        RAISE EXCEPTION 'the refunds of expense % come to more than %', p_expense, p_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_refunded';
    END IF;
END $$;

CREATE FUNCTION periods_guard_refund() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    whole periods_expense%ROWTYPE;
BEGIN
    UPDATE periods_expense SET recorded_by_id = recorded_by_id
        WHERE id = NEW.refund_of_id AND kind = 'expense' AND voided_at IS NULL
        RETURNING * INTO whole;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is no expense that can be refunded', NEW.refund_of_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_refunded';
    END IF;
    PERFORM periods_require_refunds(whole.id, whole.amount);
    RETURN NULL;
END $$;

CREATE FUNCTION periods_guard_refunded() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM periods_require_refunds(NEW.id, CASE WHEN NEW.voided_at IS NULL THEN NEW.amount ELSE 0 END);
    RETURN NULL;
END $$;

CREATE TRIGGER refunds_no_more AFTER INSERT OR UPDATE OF amount, refund_of_id, voided_at ON periods_expense
    FOR EACH ROW WHEN (NEW.refund_of_id IS NOT NULL AND NEW.voided_at IS NULL)
    EXECUTE FUNCTION periods_guard_refund();
CREATE TRIGGER refunded_no_more AFTER UPDATE OF amount, voided_at ON periods_expense
    FOR EACH ROW WHEN (NEW.kind = 'expense' AND (NEW.amount < OLD.amount OR NEW.voided_at IS NOT NULL))
    EXECUTE FUNCTION periods_guard_refunded();
