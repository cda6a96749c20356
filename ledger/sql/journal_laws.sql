-- Law 1: at commit every journal entry has two or more lines and balances in each currency.

-- A plan made while the tables were empty would scan them for as long as the session lives.
CREATE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    entry uuid := to_jsonb(NEW) ->> TG_ARGV[0];
    lines bigint;
    skewed boolean;
BEGIN
    SELECT coalesce(sum(per_currency.lines), 0), coalesce(bool_or(per_currency.difference <> 0), false)
        INTO lines, skewed
        FROM (SELECT count(*) AS lines,
                     sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS difference
              FROM ledger_ledgerentry WHERE journal_entry_id = entry GROUP BY currency) per_currency;
    IF lines < 2 THEN
        RAISE EXCEPTION 'journal entry % has % line(s); it needs two or more', entry, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_lines';
    END IF;
    IF skewed THEN
        RAISE EXCEPTION 'journal entry % does not balance', entry
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_balance('id');

-- A line that is added to an older journal entry is weighed as well.
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_balance('journal_entry_id');

-- A line has the company of its journal entry, and the company and currency of its account.
ALTER TABLE ledger_ledgerentry
    ADD CONSTRAINT ledger_entry_same_company FOREIGN KEY (journal_entry_id, company_id)
        REFERENCES ledger_journalentry (id, company_id),
    ADD CONSTRAINT ledger_entry_same_currency FOREIGN KEY (account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);
