-- What lean_payment_laws.sql replaced, as it was.

CREATE OR REPLACE FUNCTION treasury_guard_execution() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted treasury_requisition%ROWTYPE;
    leaves boolean := NEW.status IN ('executing', 'success') AND
                      (TG_OP = 'INSERT' OR OLD.status = 'pending');
BEGIN
    -- What was executed under an earlier policy stays as it is.
    IF TG_OP = 'UPDATE' AND NOT leaves AND NEW.executor_id IS NOT DISTINCT FROM OLD.executor_id THEN
        RETURN NEW;
    END IF;
    SELECT * INTO wanted FROM treasury_requisition WHERE requisition_id = NEW.requisition_id;
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

CREATE OR REPLACE FUNCTION treasury_follow_spending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
