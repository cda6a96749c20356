-- What is said here is what was said before (posting.sql, journal_laws.sql), in plainer statements: they run
-- for each of hundreds of postings.

-- In PL/pgSQL, which keeps its plan.
CREATE OR REPLACE FUNCTION ledger_content_hash(p_company uuid, p_reversal_of uuid, p_lines jsonb)
RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(convert_to(jsonb_build_array(p_company, p_reversal_of,
        (SELECT jsonb_agg(jsonb_build_array(item ->> 'account', item ->> 'side',
                                            (item ->> 'amount')::numeric(24,4), item ->> 'currency')
                          ORDER BY item ->> 'account', item ->> 'side', (item ->> 'amount')::numeric)
         FROM jsonb_array_elements(p_lines) AS item))::text, 'UTF8'));
END $$;

-- What one statement adds balances by itself, so that whatever was added before need not be read again.
CREATE OR REPLACE FUNCTION ledger_require_sound_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET join_collapse_limit = 1
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT journal_entry_id AS entry INTO wrong FROM added GROUP BY journal_entry_id, currency
        HAVING sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) <> 0 LIMIT 1;
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

-- Nearly every journal entry is in one currency, and needs no groups.
CREATE OR REPLACE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    lines bigint;
    difference numeric;
    is_mixed boolean;
BEGIN
    SELECT count(*), sum(CASE side WHEN 'debit' THEN amount ELSE -amount END),
           min(currency) <> max(currency)
        INTO lines, difference, is_mixed
        FROM ledger_ledgerentry WHERE journal_entry_id = NEW.id;
    IF lines < 2 THEN
        RAISE EXCEPTION 'journal entry % has % line(s); it needs two or more', NEW.id, lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_lines';
    END IF;
    IF is_mixed THEN
        SELECT max(abs(per_currency.difference)) INTO difference
            FROM (SELECT sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS difference
                  FROM ledger_ledgerentry WHERE journal_entry_id = NEW.id GROUP BY currency) per_currency;
    END IF;
    IF difference <> 0 THEN
        RAISE EXCEPTION 'journal entry % does not balance', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journalentry_balance';
    END IF;
    RETURN NULL;
END $$;
