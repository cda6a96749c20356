-- Law 3: the numbers on an account's row follow from its ledger entries and its holds: the rows written there
-- change them, in the same statement, and nothing else may.

CREATE FUNCTION ledger_follow_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    UPDATE ledger_account account
        SET balance = last.balance_after, entry_count = last.sequence,
            chain_head = last.chain_hash, last_posted_at = last.posted_at
        FROM (SELECT DISTINCT ON (account_id) * FROM added ORDER BY account_id, sequence DESC) last
        WHERE account.id = last.account_id;
    INSERT INTO ledger_dailytotal AS total (account_id, "on", debit, credit)
        SELECT account_id, effective_on,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0),
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)
        FROM added GROUP BY account_id, effective_on ORDER BY account_id, effective_on
        ON CONFLICT (account_id, "on") DO UPDATE
            SET debit = total.debit + excluded.debit, credit = total.credit + excluded.credit;
    RETURN NULL;
END $$;

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

-- After sound_lines, for triggers of one kind fire in the order of their names.
CREATE TRIGGER then_follow AFTER INSERT ON ledger_ledgerentry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_follow_lines();
CREATE TRIGGER apply AFTER INSERT ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_hold();
CREATE TRIGGER apply AFTER INSERT ON ledger_holdrelease
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_release();

-- The triggers above write from within a trigger; everybody else writes from depth 0.
CREATE TRIGGER numbers_follow BEFORE UPDATE ON ledger_account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (
        NEW.balance IS DISTINCT FROM OLD.balance OR NEW.held IS DISTINCT FROM OLD.held
        OR NEW.entry_count IS DISTINCT FROM OLD.entry_count
        OR NEW.chain_head IS DISTINCT FROM OLD.chain_head
        OR NEW.last_posted_at IS DISTINCT FROM OLD.last_posted_at))
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER opens_empty BEFORE INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.held <> 0 OR NEW.entry_count <> 0
        OR NEW.chain_head <> ''::bytea OR NEW.last_posted_at IS NOT NULL)
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER totals_follow BEFORE INSERT OR UPDATE ON ledger_dailytotal
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();
