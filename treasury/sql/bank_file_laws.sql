-- What goes by file: an attempt is in one file at most, a file is whole or not there, and what a bank
-- reported is kept as it said it.

ALTER TABLE treasury_bankfile
    ADD CONSTRAINT treasury_bankfile_same_provider FOREIGN KEY (provider_id, company_id, currency)
        REFERENCES payments_provider (id, company_id, currency);

ALTER TABLE treasury_paymentattempt
    ADD CONSTRAINT treasury_attempt_copied UNIQUE (attempt_id, provider_id, currency);

ALTER TABLE treasury_bankfileline
    ADD CONSTRAINT treasury_bankfileline_same_file FOREIGN KEY (file_id, provider_id, currency)
        REFERENCES treasury_bankfile (file_id, provider_id, currency),
    ADD CONSTRAINT treasury_bankfileline_same_attempt FOREIGN KEY (attempt_id, provider_id, currency)
        REFERENCES treasury_paymentattempt (attempt_id, provider_id, currency);

ALTER TABLE treasury_bankreport
    ADD CONSTRAINT treasury_bankreport_same_provider FOREIGN KEY (provider_id, company_id)
        REFERENCES payments_provider (id, company_id);

-- Only what waits for a file gets into one, and it is accepted with that file alone.
CREATE FUNCTION treasury_guard_filed_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_paymentattempt WHERE attempt_id = NEW.attempt_id AND state = 'waiting';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attempt % does not wait for a file', NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_bankfileline_waiting';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER holds_what_waits BEFORE INSERT ON treasury_bankfileline
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_filed_attempt();

CREATE FUNCTION treasury_guard_accepted_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_bankfileline WHERE attempt_id = NEW.attempt_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attempt % is in no file', NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_attempt_in_a_file';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accepted_in_a_file BEFORE UPDATE OF state ON treasury_paymentattempt
    FOR EACH ROW WHEN (OLD.state = 'waiting' AND NEW.state = 'accepted')
    EXECUTE FUNCTION treasury_guard_accepted_attempt();

-- What goes to a bank waits for a file, and nothing else does.
CREATE FUNCTION treasury_guard_new_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM payments_provider
        WHERE id = NEW.provider_id AND (kind = 'bank') = (NEW.state = 'waiting');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'attempt %: % is not how its provider is paid by', NEW.attempt_id, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_attempt_by_its_rail';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER by_its_rail BEFORE INSERT ON treasury_paymentattempt
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_new_attempt();

-- A file says how many payments it holds and what they come to; it is made in one go.
CREATE FUNCTION treasury_require_whole_file(p_file uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_bankfile f
        WHERE f.file_id = p_file AND (f.payments, f.total) = (
            SELECT count(*), coalesce(sum(a.amount), 0)
            FROM treasury_bankfileline l JOIN treasury_paymentattempt a USING (attempt_id)
            WHERE l.file_id = p_file);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'file % does not hold what it says', p_file
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_bankfile_whole';
    END IF;
END $$;

CREATE FUNCTION treasury_check_file() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM treasury_require_whole_file(NEW.file_id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER holds_what_it_says AFTER INSERT ON treasury_bankfile
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION treasury_check_file();

CREATE FUNCTION treasury_check_file_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM treasury_require_whole_file(file_id) FROM (SELECT DISTINCT file_id FROM added) AS files;
    RETURN NULL;
END $$;

CREATE TRIGGER in_one_go AFTER INSERT ON treasury_bankfileline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION treasury_check_file_lines();

-- What came of a row is written once.
CREATE TRIGGER effect_once BEFORE UPDATE ON treasury_bankreportrow
    FOR EACH ROW WHEN (OLD.applied_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
