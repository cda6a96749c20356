-- The same laws in fewer words. PostgreSQL reads the text of a CHECK, and of a trigger's condition, anew for
-- each statement that writes the table, which costs more than to weigh two rows by it.

-- What is no number has no sign, and what is too large no room in the column.
ALTER TABLE ledger_ledgerentry
    DROP CONSTRAINT ledger_entry_amount,
    DROP CONSTRAINT ledger_entry_side,
    ADD CONSTRAINT ledger_entry_amount CHECK (sign(amount) = '1'::numeric),
    ADD CONSTRAINT ledger_entry_side CHECK (side = ANY ('{debit,credit}'::text[]));

-- Without a minimum there is nothing to compare, and a CHECK passes what is neither true nor false.
ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_minimum,
    DROP CONSTRAINT ledger_account_held,
    DROP CONSTRAINT ledger_account_side,
    DROP CONSTRAINT ledger_account_type,
    ADD CONSTRAINT ledger_account_minimum CHECK (balance >= minimum + held),
    ADD CONSTRAINT ledger_account_held CHECK (held >= '0'::numeric),
    ADD CONSTRAINT ledger_account_side CHECK (normal_side = ANY ('{debit,credit}'::text[])),
    ADD CONSTRAINT ledger_account_type
        CHECK (type = ANY ('{asset,liability,equity,income,expense}'::text[]));

ALTER TABLE ledger_auditevent
    DROP CONSTRAINT ledger_audit_refusal_has_code,
    ADD CONSTRAINT ledger_audit_refusal_has_code
        CHECK (outcome = CASE WHEN code = '' THEN 'done' ELSE 'refused' END);

-- Whoever names a number of an account in an UPDATE, but for the triggers that follow lines and holds, is
-- refused, whether or not he would change it: so nothing has to be compared row by row.
DROP TRIGGER numbers_follow ON ledger_account;
CREATE TRIGGER numbers_follow
    BEFORE UPDATE OF balance, held, entry_count, chain_head, last_posted_at ON ledger_account
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();
DROP TRIGGER totals_follow ON ledger_dailytotal;
CREATE TRIGGER totals_follow BEFORE INSERT OR UPDATE ON ledger_dailytotal
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();

-- A second line is all that has to be found at commit (posting_straight.sql says why its balance needs no weighing).
CREATE OR REPLACE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    PERFORM FROM ledger_ledgerentry WHERE journal_entry_id = NEW.id OFFSET 1 LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'journal entry % has fewer than two lines', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_lines';
    END IF;
    RETURN NULL;
END $$;
