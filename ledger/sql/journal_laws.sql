-- Law 1: at commit every journal entry has two or more lines and balances in each currency.
--
-- Every trigger function names its search path: a temporary table of the same name, which anybody may
-- make, would otherwise be read in the place of ours. And a plan made while the tables were empty would
-- scan them for as long as the session lives, hence no sequential scans.

CREATE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    lines bigint;
    skewed boolean;
BEGIN
    SELECT coalesce(sum(per_currency.lines), 0), coalesce(bool_or(per_currency.difference <> 0), false)
        INTO lines, skewed
        FROM (SELECT count(*) AS lines,
                     sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS difference
              FROM ledger_ledgerentry WHERE journal_entry_id = NEW.id GROUP BY currency) per_currency;
    IF lines < 2 THEN
        RAISE EXCEPTION 'journal entry % has % line(s); it needs two or more', NEW.id, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_lines';
    END IF;
    IF skewed THEN
        RAISE EXCEPTION 'journal entry % does not balance', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_balance();

-- Lines come in whole: what one statement adds balances, to an older journal entry as well. Law 8: each
-- line follows its account's line before by number, balance and instant, and has its journal entry's date.
-- Nobody can tell the planner how few lines are added: every table is looked up by key for each of them.

CREATE FUNCTION ledger_require_sound_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET join_collapse_limit = 1
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT touched.entry INTO wrong
        FROM (SELECT DISTINCT journal_entry_id AS entry FROM added) touched
        CROSS JOIN LATERAL (SELECT FROM ledger_ledgerentry line
                            WHERE line.journal_entry_id = touched.entry GROUP BY line.currency
                            HAVING sum(CASE line.side WHEN 'debit' THEN line.amount
                                                      ELSE -line.amount END) <> 0) skewed
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance', wrong.entry
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_balance';
    END IF;
    SELECT added.account_id AS account, added.sequence INTO wrong
        FROM added
        JOIN ledger_account account ON account.id = added.account_id
        JOIN ledger_journalentry journal ON journal.id = added.journal_entry_id
        LEFT JOIN ledger_ledgerentry previous
            ON previous.account_id = added.account_id AND previous.sequence = added.sequence - 1
        WHERE added.sequence <> coalesce(previous.sequence, 0) + 1
           OR added.balance_after <> coalesce(previous.balance_after, 0)
              + CASE WHEN added.side = account.normal_side THEN added.amount ELSE -added.amount END
           OR added.posted_at < previous.posted_at
           OR added.effective_on <> journal.effective_on
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of account % does not follow the one before it',
                wrong.sequence, wrong.account
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_follows';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER sound_lines AFTER INSERT ON ledger_ledgerentry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_sound_lines();

-- A line has the company of its journal entry, and the company and currency of its account; a reversal
-- stays within the company.
ALTER TABLE ledger_ledgerentry
    ADD CONSTRAINT ledger_entry_same_company FOREIGN KEY (journal_entry_id, company_id)
        REFERENCES ledger_journalentry (id, company_id),
    ADD CONSTRAINT ledger_entry_same_currency FOREIGN KEY (account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);
ALTER TABLE ledger_journalentry
    ADD CONSTRAINT ledger_reversal_same_company FOREIGN KEY (reversal_of_id, company_id)
        REFERENCES ledger_journalentry (id, company_id);
