-- A guarded status is read from its column; the whole row is unfolded only where the column has another name.
CREATE OR REPLACE FUNCTION ledger_guard_status() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was text := '';
    becomes text;
BEGIN
    IF TG_ARGV[1] = 'status' THEN
        becomes := NEW.status;
        IF TG_OP = 'UPDATE' THEN
            was := OLD.status;
        END IF;
    ELSE
        becomes := to_jsonb(NEW) ->> TG_ARGV[1];
        IF TG_OP = 'UPDATE' THEN
            was := to_jsonb(OLD) ->> TG_ARGV[1];
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND was = becomes THEN
        RETURN NEW;
    END IF;
    PERFORM FROM ledger_statetransition
        WHERE machine = TG_ARGV[0] AND source = was AND target = becomes;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: % may not become %', TG_ARGV[0], coalesce(nullif(was, ''), 'new'), becomes
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_guarded_status';
    END IF;
    RETURN NEW;
END $$;
