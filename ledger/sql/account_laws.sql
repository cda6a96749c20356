-- Law 3: the numbers on an account's row are those of its last ledger entry, checked at commit.

CREATE FUNCTION ledger_require_last_entry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    PERFORM FROM ledger_account account
        LEFT JOIN ledger_ledgerentry entry
            ON entry.account_id = account.id AND entry.sequence = account.entry_count
        WHERE account.id = NEW.id
          AND account.balance = coalesce(entry.balance_after, 0)
          AND account.chain_head = coalesce(entry.chain_hash, ''::bytea)
          AND account.last_posted_at IS NOT DISTINCT FROM entry.posted_at
          AND (entry.id IS NOT NULL OR account.entry_count = 0);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % differs from its last ledger entry', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_last_entry';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER last_entry AFTER INSERT OR UPDATE OF balance, entry_count, chain_head, last_posted_at
    ON ledger_account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_last_entry();

-- What is held follows from the holds: their rows change it, and nothing else may.

CREATE FUNCTION ledger_apply_hold() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE ledger_account SET held = held + NEW.amount WHERE id = NEW.account_id;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_apply_release() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE ledger_account account SET held = account.held - hold.amount
        FROM ledger_hold hold WHERE hold.id = NEW.hold_id AND account.id = hold.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER apply AFTER INSERT ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_hold();
CREATE TRIGGER apply AFTER INSERT ON ledger_holdrelease
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_release();
CREATE TRIGGER held_follows_holds BEFORE UPDATE OF held ON ledger_account
    FOR EACH ROW WHEN (NEW.held IS DISTINCT FROM OLD.held AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER opens_empty BEFORE INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.held <> 0 OR NEW.entry_count <> 0)
    EXECUTE FUNCTION ledger_refuse_change();
