-- The laws over lines and accounts, asked less often.

-- Each line is looked at together with its account, its journal entry and the line before it. So what two foreign
-- keys said of it, at a look of their own for every line, is said here. What they spoke of is never deleted, and
-- never changed in these columns (no_delete and frozen_columns on the account, append_only on the journal entry).
ALTER TABLE ledger_ledgerentry
    DROP CONSTRAINT ledger_entry_same_company,
    DROP CONSTRAINT ledger_entry_same_currency;

CREATE OR REPLACE FUNCTION ledger_require_sound_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET join_collapse_limit = 1
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT journal_entry_id INTO wrong FROM added GROUP BY journal_entry_id, currency
        HAVING sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_balance';
    END IF;
    SELECT added.id INTO wrong
        FROM added
        LEFT JOIN ledger_account account ON account.id = added.account_id
        LEFT JOIN ledger_journalentry journal ON journal.id = added.journal_entry_id
        LEFT JOIN ledger_ledgerentry previous
            ON previous.account_id = added.account_id AND previous.sequence = added.sequence - 1
        WHERE (added.company_id = account.company_id AND added.currency = account.currency
               AND added.company_id = journal.company_id AND added.effective_on = journal.effective_on
               AND added.sequence = coalesce(previous.sequence, 0) + 1
               AND added.balance_after = coalesce(previous.balance_after, 0)
                   + CASE WHEN added.side = account.normal_side THEN added.amount ELSE -added.amount END
               AND added.posted_at >= coalesce(previous.posted_at, added.posted_at)) IS NOT TRUE
        LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM FROM added
        JOIN ledger_account account ON account.id = added.account_id
            AND account.company_id = added.company_id AND account.currency = added.currency
        JOIN ledger_journalentry journal ON journal.id = added.journal_entry_id
            AND journal.company_id = added.company_id
        WHERE added.id = wrong;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entry % is not of its account''s company and currency, or its journal entry''s company',
                wrong
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_same_currency';
    END IF;
    RAISE EXCEPTION 'entry % does not follow the one before it', wrong
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_follows';
END $$;

-- What an account is never changes (frozen_columns), so it is looked at once, and not whenever its balance moves.
ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_side,
    DROP CONSTRAINT ledger_account_type;
CREATE TRIGGER of_known_kind BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN (NEW.normal_side <> ALL ('{debit,credit}'::text[])
        OR NEW.type <> ALL ('{asset,liability,equity,income,expense}'::text[]))
    EXECUTE FUNCTION ledger_refuse_change();

-- Nobody asks the journal for what one person posted.
DROP INDEX ledger_journalentry_posted_by_id_7f54f54f;
