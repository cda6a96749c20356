-- The requisition of an expense was raised for it, pays all of it, and debits its association's clearing
-- account; while it lives (neither rejected nor cancelled) the expense stays as it is.
CREATE FUNCTION periods_guard_payment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted treasury_requisition%ROWTYPE;
    raised boolean;
BEGIN
    SELECT * INTO wanted FROM treasury_requisition WHERE requisition_id = NEW.requisition_id;
    SELECT wanted.source = 'periods.expense:' || NEW.id AND wanted.company_id = company_id
            AND wanted.fund_id = fund_id AND wanted.debit_account_id = clearing_account_id
        INTO raised FROM periods_association WHERE id = NEW.association_id;
    IF raised IS NOT TRUE THEN
        RAISE EXCEPTION 'requisition % was not raised for expense %', NEW.requisition_id, NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_raised';
    END IF;
    IF wanted.status NOT IN ('rejected', 'cancelled')
            AND (wanted.amount <> NEW.amount OR NEW.voided_at IS NOT NULL) THEN
        RAISE EXCEPTION 'expense % is in payment', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_in_payment';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER paid_as_raised
    BEFORE INSERT OR UPDATE OF requisition_id, association_id, amount, voided_at ON periods_expense
    FOR EACH ROW WHEN (NEW.requisition_id IS NOT NULL) EXECUTE FUNCTION periods_guard_payment();

CREATE FUNCTION periods_guard_leaving_payment() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_requisition
        WHERE requisition_id = OLD.requisition_id AND status IN ('rejected', 'cancelled');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'expense % is in payment', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_in_payment';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER leaves_payment BEFORE UPDATE OF requisition_id ON periods_expense
    FOR EACH ROW WHEN (OLD.requisition_id IS NOT NULL
        AND NEW.requisition_id IS DISTINCT FROM OLD.requisition_id)
    EXECUTE FUNCTION periods_guard_leaving_payment();
