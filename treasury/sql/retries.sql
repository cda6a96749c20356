-- What is tried again without a person: only a payment whose last attempt was refused for good, for a cause
-- that may pass; in the name of whoever executed that attempt, and never where a code is needed.

CREATE FUNCTION treasury_guard_retry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_paymentattempt a
        WHERE a.payment_id = NEW.payment_id AND a.state = 'failed' AND a.passes_at <= NEW.retry_at
          AND a.number = (SELECT max(number) FROM treasury_paymentattempt
                          WHERE payment_id = NEW.payment_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment %: its last attempt has no refusal that passes by then', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_retry_passes';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER retries_what_passes AFTER INSERT OR UPDATE OF retry_at ON treasury_payment
    FOR EACH ROW WHEN (NEW.retry_at IS NOT NULL) EXECUTE FUNCTION treasury_guard_retry();

-- Whoever moves a failed payment need not know that a retry was planned.
CREATE FUNCTION treasury_end_retry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.retry_at := NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER ends_retry BEFORE UPDATE OF status ON treasury_payment
    FOR EACH ROW WHEN (OLD.status = 'failed' AND NEW.status <> 'failed')
    EXECUTE FUNCTION treasury_end_retry();

CREATE FUNCTION treasury_guard_automatic() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_paymentattempt prior
        JOIN treasury_payment p ON p.payment_id = prior.payment_id
        WHERE prior.payment_id = NEW.payment_id AND prior.number = NEW.number - 1
          AND prior.state = 'failed' AND prior.passes_at IS NOT NULL
          AND prior.executor_id = NEW.executor_id
          AND NOT p.otp_required AND NOT p.step_up_required;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attempt % repeats nothing that may be repeated without a person', NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_attempt_repeats';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER repeats_in_the_same_name BEFORE INSERT ON treasury_paymentattempt
    FOR EACH ROW WHEN (NEW.automatic) EXECUTE FUNCTION treasury_guard_automatic();
CREATE TRIGGER automatic_from_the_start BEFORE UPDATE OF automatic ON treasury_paymentattempt
    FOR EACH ROW WHEN (NEW.automatic IS DISTINCT FROM OLD.automatic)
    EXECUTE FUNCTION ledger_refuse_change();
