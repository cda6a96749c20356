ALTER TABLE ledger_ledgerentry
    DROP CONSTRAINT ledger_entry_amount,
    DROP CONSTRAINT ledger_entry_side,
    ADD CONSTRAINT ledger_entry_amount CHECK (amount > 0 AND amount < 100000000000000000000),
    ADD CONSTRAINT ledger_entry_side CHECK (side IN ('debit', 'credit'));
ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_minimum,
    DROP CONSTRAINT ledger_account_held,
    DROP CONSTRAINT ledger_account_side,
    DROP CONSTRAINT ledger_account_type,
    ADD CONSTRAINT ledger_account_minimum CHECK (minimum IS NULL OR balance >= minimum + held),
    ADD CONSTRAINT ledger_account_held CHECK (held >= 0),
    ADD CONSTRAINT ledger_account_side CHECK (normal_side IN ('debit', 'credit')),
    ADD CONSTRAINT ledger_account_type
        CHECK (type IN ('asset', 'liability', 'equity', 'income', 'expense'));
ALTER TABLE ledger_auditevent
    DROP CONSTRAINT ledger_audit_refusal_has_code,
    ADD CONSTRAINT ledger_audit_refusal_has_code
        CHECK ((code = '' AND outcome = 'done') OR (outcome = 'refused' AND NOT code = ''));

DROP TRIGGER numbers_follow ON ledger_account;
CREATE TRIGGER numbers_follow
    BEFORE UPDATE OF balance, held, entry_count, chain_head, last_posted_at ON ledger_account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (
        NEW.balance IS DISTINCT FROM OLD.balance OR NEW.held IS DISTINCT FROM OLD.held
        OR NEW.entry_count IS DISTINCT FROM OLD.entry_count
        OR NEW.chain_head IS DISTINCT FROM OLD.chain_head
        OR NEW.last_posted_at IS DISTINCT FROM OLD.last_posted_at))
    EXECUTE FUNCTION ledger_refuse_change();
DROP TRIGGER totals_follow ON ledger_dailytotal;
CREATE TRIGGER totals_follow BEFORE INSERT OR UPDATE ON ledger_dailytotal
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();

CREATE OR REPLACE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    lines bigint;
BEGIN
    SELECT count(*) INTO lines FROM ledger_ledgerentry WHERE journal_entry_id = NEW.id;
    IF lines < 2 THEN
        RAISE EXCEPTION 'journal entry % has % line(s); it needs two or more', NEW.id, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_lines';
    END IF;
    RETURN NULL;
END $$;
