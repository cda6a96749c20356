-- Money of which two people have agreed that it left already counts on the day they say so, and is not
-- refused: a limit or a cooling-off cannot call it back.

CREATE FUNCTION treasury_has_left(p_payment uuid, p_status text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p_status = 'success' AND EXISTS (
        SELECT FROM treasury_latesuccess
        WHERE payment_id = p_payment AND confirmed_at IS NOT NULL AND outcome = 'recognised')
$$;

CREATE FUNCTION treasury_count_what_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO treasury_dailyspending AS d
        (company_id, currency, scope, key, "on", payments, amount)
        SELECT NEW.company_id, NEW.currency, l.scope, l.key, NEW.spent_on, 1, NEW.amount
        FROM treasury_limits_on(
            NEW.company_id, NEW.currency, NEW.fund_id, NEW.destination_index,
            (SELECT payee_index FROM treasury_requisition
             WHERE requisition_id = NEW.requisition_id)) l
        ON CONFLICT (company_id, currency, scope, key, "on")
        DO UPDATE SET payments = d.payments + 1, amount = d.amount + NEW.amount;
    RETURN NULL;
END $$;

DROP TRIGGER follow_spending ON treasury_payment;
-- Cash never leaves before it is booked.
CREATE TRIGGER follow_spending AFTER UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN (NEW.spent_on IS DISTINCT FROM OLD.spent_on
                       AND (NEW.method = 'cash' OR NEW.spent_on IS NULL
                            OR NOT treasury_has_left(NEW.payment_id, NEW.status)))
    EXECUTE FUNCTION treasury_follow_spending();
CREATE TRIGGER counts_what_left AFTER UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN (NEW.spent_on IS NOT NULL AND OLD.spent_on IS NULL AND NEW.method <> 'cash'
                       AND treasury_has_left(NEW.payment_id, NEW.status))
    EXECUTE FUNCTION treasury_count_what_left();
