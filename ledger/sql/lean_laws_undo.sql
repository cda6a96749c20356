CREATE INDEX ledger_journalentry_posted_by_id_7f54f54f ON ledger_journalentry (posted_by_id);

DROP TRIGGER of_known_kind ON ledger_account;
ALTER TABLE ledger_account
    ADD CONSTRAINT ledger_account_side CHECK (normal_side = ANY ('{debit,credit}'::text[])),
    ADD CONSTRAINT ledger_account_type
        CHECK (type = ANY ('{asset,liability,equity,income,expense}'::text[]));

ALTER TABLE ledger_ledgerentry
    ADD CONSTRAINT ledger_entry_same_company FOREIGN KEY (journal_entry_id, company_id)
        REFERENCES ledger_journalentry (id, company_id),
    ADD CONSTRAINT ledger_entry_same_currency FOREIGN KEY (account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);
