-- What several tables share: rows that never change, and statuses that move only along their table.

CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: this is kept as it was written', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = TG_TABLE_NAME || '_' || TG_NAME;
END $$;

CREATE FUNCTION ledger_guard_status() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was text := '';
    becomes text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was := to_jsonb(OLD) ->> TG_ARGV[1];
        IF was = becomes THEN
            RETURN NEW;
        END IF;
    END IF;
    PERFORM FROM ledger_statetransition
        WHERE machine = TG_ARGV[0] AND source = was AND target = becomes;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: % may not become %', TG_ARGV[0], coalesce(nullif(was, ''), 'new'), becomes
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_guarded_status';
    END IF;
    RETURN NEW;
END $$;
