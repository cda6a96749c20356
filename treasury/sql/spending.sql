-- What leaves in a day: each payment says on which civil day it counts (spent_on), and the counters of the
-- limits follow from that, whoever writes the payment. A payment beyond a limit, or to a payee's new
-- destination before its time, does not leave.

ALTER TABLE treasury_spendinglimit
    ADD CONSTRAINT treasury_limit_same_fund FOREIGN KEY (fund_id, company_id, currency)
        REFERENCES treasury_treasuryfund (fund_id, company_id, currency);

-- Money that has left, or may have, counts; what is pending, failed or cancelled does not.
CREATE FUNCTION treasury_is_spent(p_status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_status NOT IN ('pending', 'failed', 'cancelled')
$$;

UPDATE treasury_payment p SET spent_on = (p.created_at AT TIME ZONE c.time_zone)::date
    FROM ledger_company c WHERE c.id = p.company_id AND treasury_is_spent(p.status);
SET CONSTRAINTS ALL IMMEDIATE;

ALTER TABLE treasury_payment
    ADD CONSTRAINT treasury_payment_spent CHECK ((spent_on IS NOT NULL) = treasury_is_spent(status));

-- Whoever moves a payment need not know the day: it is the company's civil date now.
CREATE FUNCTION treasury_date_spending() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF treasury_is_spent(NEW.status) THEN
        NEW.spent_on := (SELECT (ledger_clock() AT TIME ZONE time_zone)::date FROM ledger_company
                         WHERE id = NEW.company_id);
    ELSE
        NEW.spent_on := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER dates_spending BEFORE INSERT OR UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN ((NEW.spent_on IS NOT NULL) <> treasury_is_spent(NEW.status))
    EXECUTE FUNCTION treasury_date_spending();

CREATE TRIGGER spent_once BEFORE UPDATE OF spent_on ON treasury_payment
    FOR EACH ROW WHEN (OLD.spent_on IS NOT NULL AND NEW.spent_on IS NOT NULL
                       AND NEW.spent_on <> OLD.spent_on)
    EXECUTE FUNCTION ledger_refuse_change();

-- The limits that count a payment, with the key under which they count it.
CREATE FUNCTION treasury_limits_on(p_company uuid, p_currency text, p_fund uuid,
                                   p_destination text, p_payee text)
RETURNS TABLE (scope text, key text, most_payments integer, most_amount numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.scope, k.key, l.most_payments, l.most_amount
    FROM treasury_spendinglimit l
    CROSS JOIN LATERAL (SELECT CASE l.scope WHEN 'destination' THEN p_destination
                                            WHEN 'payee' THEN p_payee
                                            ELSE p_fund::text END AS key) k
    WHERE l.company_id = p_company AND l.currency = p_currency AND k.key <> ''
      AND (l.fund_id IS NULL OR l.fund_id = p_fund)
      AND (l.most_payments IS NOT NULL OR l.most_amount IS NOT NULL)
      -- A fund with a row of its own is not under the row for all funds.
      AND NOT (l.scope = 'fund' AND l.fund_id IS NULL AND EXISTS (
          SELECT FROM treasury_spendinglimit own
          WHERE own.company_id = p_company AND own.currency = p_currency AND own.scope = 'fund'
            AND own.fund_id = p_fund))
    ORDER BY l.scope
$$;

-- When a payee's new destination may be paid to; null where it is not new, or there is no such rule.
CREATE FUNCTION treasury_cooled_off_at(p_company uuid, p_payee text, p_destination text)
RETURNS timestamptz LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT mine.since + make_interval(hours => r.cooling_off_hours)
    FROM treasury_paymentrules r
    JOIN treasury_payeedestination mine ON mine.company_id = r.company_id
    WHERE r.company_id = p_company AND r.cooling_off_hours > 0
      AND mine.payee_index = p_payee AND mine.destination_index = p_destination
      AND EXISTS (SELECT FROM treasury_payeedestination other
                  WHERE other.company_id = p_company AND other.payee_index = p_payee
                    AND other.destination_index <> p_destination AND other.since < mine.since)
$$;

CREATE FUNCTION treasury_require_cooled_off(p_payment uuid, p_company uuid, p_payee text,
                                            p_destination text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ends timestamptz := treasury_cooled_off_at(p_company, p_payee, p_destination);
BEGIN
    IF ends > ledger_clock() THEN
        RAISE EXCEPTION 'payment %: the payee''s destination is new', p_payment
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_cooling_off',
                  DETAIL = jsonb_build_object('ends', ends)::text;
    END IF;
END $$;

-- The counters follow the payments, under the lock of each counter's row, in the order of the scopes.
CREATE FUNCTION treasury_follow_spending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    payee text := (SELECT payee_index FROM treasury_requisition
                   WHERE requisition_id = NEW.requisition_id);
    found_limit record;
    counted treasury_dailyspending%ROWTYPE;
BEGIN
    IF NEW.spent_on IS NULL THEN
        -- It certainly did not leave. Less than nothing is never counted, whatever was counted anew since.
        UPDATE treasury_dailyspending d
            SET payments = greatest(d.payments - 1, 0), amount = greatest(d.amount - OLD.amount, 0)
            FROM (VALUES ('destination', NEW.destination_index), ('fund', NEW.fund_id::text),
                         ('payee', payee)) k (scope, key)
            WHERE d.company_id = NEW.company_id AND d.currency = NEW.currency
              AND d."on" = OLD.spent_on AND d.scope = k.scope AND d.key = k.key;
        RETURN NULL;
    END IF;
    IF NEW.method <> 'cash' THEN
        PERFORM treasury_require_cooled_off(NEW.payment_id, NEW.company_id, payee,
                                            NEW.destination_index);
    END IF;
    FOR found_limit IN SELECT * FROM treasury_limits_on(
        NEW.company_id, NEW.currency, NEW.fund_id, NEW.destination_index, payee)
    LOOP
        INSERT INTO treasury_dailyspending AS d
            (company_id, currency, scope, key, "on", payments, amount)
            VALUES (NEW.company_id, NEW.currency, found_limit.scope, found_limit.key, NEW.spent_on,
                    1, NEW.amount)
            ON CONFLICT (company_id, currency, scope, key, "on")
            DO UPDATE SET payments = d.payments + 1, amount = d.amount + NEW.amount
            RETURNING * INTO counted;
        IF counted.payments > found_limit.most_payments OR counted.amount > found_limit.most_amount THEN
            RAISE EXCEPTION 'payment %: beyond the limit of a day', NEW.payment_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_velocity_limit',
                      DETAIL = jsonb_build_object(
                          'scope', found_limit.scope, 'most_payments', found_limit.most_payments,
                          'most_amount', found_limit.most_amount::text,
                          'payments', counted.payments - 1,
                          'amount', (counted.amount - NEW.amount)::text)::text;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER follow_spending AFTER UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN (NEW.spent_on IS DISTINCT FROM OLD.spent_on)
    EXECUTE FUNCTION treasury_follow_spending();

-- A limit that is set counts what has already left today, or it would begin at nothing. Whoever sets it
-- holds the locks of the company's funds, so that nothing is on its way meanwhile.
CREATE FUNCTION treasury_count_anew() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    today date := (SELECT (ledger_clock() AT TIME ZONE time_zone)::date FROM ledger_company
                   WHERE id = NEW.company_id);
BEGIN
    DELETE FROM treasury_dailyspending WHERE company_id = NEW.company_id AND currency = NEW.currency
        AND scope = NEW.scope AND "on" >= today;
    INSERT INTO treasury_dailyspending (company_id, currency, scope, key, "on", payments, amount)
    SELECT p.company_id, p.currency, l.scope, l.key, p.spent_on, count(*), sum(p.amount)
    FROM treasury_payment p
    JOIN treasury_requisition r ON r.requisition_id = p.requisition_id
    CROSS JOIN LATERAL treasury_limits_on(p.company_id, p.currency, p.fund_id, p.destination_index,
                                          r.payee_index) l
    WHERE p.company_id = NEW.company_id AND p.currency = NEW.currency AND p.spent_on >= today
      AND l.scope = NEW.scope
    GROUP BY p.company_id, p.currency, l.scope, l.key, p.spent_on;
    RETURN NULL;
END $$;

CREATE TRIGGER counts_anew AFTER INSERT OR UPDATE ON treasury_spendinglimit
    FOR EACH ROW EXECUTE FUNCTION treasury_count_anew();

-- A payee's destination is known from the first approval on.
CREATE FUNCTION treasury_know_destination() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO treasury_payeedestination (company_id, payee_index, destination_index, since)
        VALUES (NEW.company_id, NEW.payee_index, NEW.destination_index, ledger_clock())
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

INSERT INTO treasury_payeedestination (company_id, payee_index, destination_index, since)
    SELECT company_id, payee_index, destination_index, min(coalesce(approved_at, requested_at))
    FROM treasury_requisition
    WHERE status IN ('approved', 'paid') AND method <> 'cash' AND payee_index <> ''
    GROUP BY company_id, payee_index, destination_index;

CREATE TRIGGER knows_destination AFTER UPDATE OF status ON treasury_requisition
    FOR EACH ROW WHEN (NEW.status = 'approved' AND OLD.status <> 'approved'
                       AND NEW.method <> 'cash' AND NEW.payee_index <> '')
    EXECUTE FUNCTION treasury_know_destination();
