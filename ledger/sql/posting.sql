-- The write path of the ledger (laws 3 to 8): these functions, and nothing else, write its tables.
-- They run with the rights of the tables' owner; the runtime role may call them and may not write.
--
-- p_inner and p_outer are the two padded keys of HMAC-SHA256, made from a key that the database never
-- keeps. A seal is HMAC(key, JSON array of every field, the previous seal among them).

CREATE FUNCTION ledger_post(p_postings jsonb, p_inner bytea, p_outer bytea)
RETURNS TABLE (reference text, journal_entry uuid, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The planner cannot know how few rows a JSON array has: every step here is a look-up by key.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    fresh bigint;
    line record;
    current_account uuid;
    current_at timestamptz;
    running numeric(24,4);
    number bigint;
    seal bytea;
    accounts uuid[] := '{}';
    sequences bigint[] := '{}';
    ids uuid[] := '{}';
    balances numeric[] := '{}';
    instants timestamptz[] := '{}';
    seals bytea[] := '{}';
    entries uuid[] := '{}';
    sides text[] := '{}';
    currencies text[] := '{}';
    amounts numeric[] := '{}';
BEGIN
    -- Sorted by reference, so that two batches never wait for each other in a ring.
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(p_postings) AS posting(
            id uuid, company uuid, reference text, description text, effective_on date,
            posted_by uuid, reversal_of uuid, lines jsonb)
    ), inserted AS (
        INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on,
                posted_at, posted_by_id, reversal_of_id, content_hash)
            SELECT id, company, reference, description, effective_on, ledger_clock(), posted_by,
                   reversal_of, ledger_content_hash(company, reversal_of, lines)
            FROM wanted ORDER BY reference
            ON CONFLICT (reference) DO NOTHING RETURNING id
    ) SELECT count(*) INTO fresh FROM inserted;

    IF fresh < jsonb_array_length(p_postings) THEN
        PERFORM ledger_require_same_content(p_postings);
    END IF;

    -- A posting is fresh when the journal entry with its own id is there; else its reference was known.
    PERFORM FROM ledger_account
        WHERE id IN (SELECT (item ->> 'account')::uuid
                     FROM jsonb_to_recordset(p_postings) AS posting(id uuid, lines jsonb)
                     JOIN ledger_journalentry journal ON journal.id = posting.id,
                          jsonb_array_elements(posting.lines) AS item)
        ORDER BY id FOR NO KEY UPDATE;
    PERFORM ledger_release_posted(p_postings);

    -- One pass in posting order per account; no statement inside, so a batch costs what its rows cost.
    FOR line IN
        SELECT account.id AS account, account.normal_side, account.balance, account.entry_count,
               account.chain_head, greatest(ledger_clock(), account.last_posted_at) AS at,
               header.id AS entry, header.fields AS header,
               item.value ->> 'side' AS side, (item.value ->> 'amount')::numeric(24,4) AS amount,
               item.value ->> 'currency' AS currency
        FROM jsonb_array_elements(p_postings) WITH ORDINALITY AS posting(value, place),
             LATERAL (SELECT id, jsonb_build_array(id, company_id, reference, description,
                          effective_on::text, posted_by_id, reversal_of_id,
                          (extract(epoch FROM posted_at) * 1000000)::bigint,
                          encode(content_hash, 'hex')) AS fields
                      FROM ledger_journalentry
                      WHERE id = (posting.value ->> 'id')::uuid) AS header,
             jsonb_array_elements(posting.value -> 'lines') WITH ORDINALITY AS item(value, position),
             ledger_account account
        WHERE account.id = (item.value ->> 'account')::uuid
        ORDER BY account.id, posting.place, item.position
    LOOP
        IF current_account IS DISTINCT FROM line.account THEN
            current_account := line.account;
            current_at := line.at;
            running := line.balance;
            number := line.entry_count;
            seal := line.chain_head;
        END IF;
        number := number + 1;
        running := running + CASE WHEN line.side = line.normal_side THEN line.amount ELSE -line.amount END;
        ids := ids || gen_random_uuid();
        seal := sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array(
            'v1', encode(seal, 'hex'), line.account, number, ids[cardinality(ids)], line.header,
            line.side, line.amount, line.currency, running,
            (extract(epoch FROM current_at) * 1000000)::bigint)::text, 'UTF8')));
        accounts := accounts || line.account;
        sequences := sequences || number;
        balances := balances || running;
        instants := instants || current_at;
        seals := seals || seal;
        entries := entries || line.entry;
        sides := sides || line.side;
        currencies := currencies || line.currency;
        amounts := amounts || line.amount;
    END LOOP;

    WITH added AS (
        INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side,
                amount, currency, balance_after, effective_on, posted_at, chain_hash)
            SELECT new.id, new.entry, new.account, journal.company_id, new.sequence, new.side,
                   new.amount, new.currency, new.balance, journal.effective_on, new.at, new.seal
            FROM unnest(ids, entries, accounts, sequences, sides, amounts, currencies, balances,
                        instants, seals)
                     AS new(id, entry, account, sequence, side, amount, currency, balance, at, seal)
            JOIN ledger_journalentry journal ON journal.id = new.entry
            RETURNING account_id, sequence, side, amount, balance_after, effective_on, posted_at, chain_hash
    ), last AS (
        UPDATE ledger_account account
            SET balance = added.balance_after, entry_count = added.sequence,
                chain_head = added.chain_hash, last_posted_at = added.posted_at
            FROM (SELECT DISTINCT ON (account_id) * FROM added ORDER BY account_id, sequence DESC) added
            WHERE account.id = added.account_id
    )
    INSERT INTO ledger_dailytotal AS total (account_id, "on", debit, credit)
        SELECT account_id, effective_on,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0),
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)
        FROM added GROUP BY account_id, effective_on ORDER BY account_id, effective_on
        ON CONFLICT (account_id, "on") DO UPDATE
            SET debit = total.debit + excluded.debit, credit = total.credit + excluded.credit;

    RETURN QUERY
        SELECT journal.reference::text, journal.id, journal.id = posting.id
        FROM jsonb_to_recordset(p_postings) AS posting(id uuid, reference text)
        JOIN ledger_journalentry journal ON journal.reference = posting.reference;
END $$;

-- What would move money differently is another posting: company, lines and what is reversed.
CREATE FUNCTION ledger_content_hash(p_company uuid, p_reversal_of uuid, p_lines jsonb)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(p_company, p_reversal_of,
        (SELECT jsonb_agg(jsonb_build_array(item ->> 'account', item ->> 'side',
                                            (item ->> 'amount')::numeric(24,4), item ->> 'currency')
                          ORDER BY item ->> 'account', item ->> 'side', (item ->> 'amount')::numeric)
         FROM jsonb_array_elements(p_lines) AS item))::text, 'UTF8'))
$$;

CREATE FUNCTION ledger_require_same_content(p_postings jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    reused text;
BEGIN
    SELECT journal.reference INTO reused
        FROM jsonb_to_recordset(p_postings)
                 AS posting(reference text, company uuid, reversal_of uuid, lines jsonb)
        JOIN ledger_journalentry journal ON journal.reference = posting.reference
        WHERE journal.content_hash
              <> ledger_content_hash(posting.company, posting.reversal_of, posting.lines)
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'reference % was posted before with other content', reused
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_content';
    END IF;
END $$;

-- A posting may end the hold that was kept for it; the hold must be open, on one of its accounts.
CREATE FUNCTION ledger_release_posted(p_postings jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    asked bigint;
    released bigint;
BEGIN
    SELECT count(*) INTO asked
        FROM jsonb_to_recordset(p_postings) AS posting(id uuid, releases text)
        JOIN ledger_journalentry journal ON journal.id = posting.id
        WHERE posting.releases IS NOT NULL;
    IF asked = 0 THEN
        RETURN;
    END IF;
    INSERT INTO ledger_holdrelease (hold_id, released_at)
        SELECT hold.id, ledger_clock()
        FROM jsonb_to_recordset(p_postings) AS posting(id uuid, releases text, lines jsonb)
        JOIN ledger_journalentry journal ON journal.id = posting.id
        JOIN ledger_hold hold ON hold.reference = posting.releases
        WHERE EXISTS (SELECT FROM jsonb_array_elements(posting.lines) AS item
                      WHERE (item ->> 'account')::uuid = hold.account_id)
        ORDER BY hold.id
        ON CONFLICT (hold_id) DO NOTHING;
    GET DIAGNOSTICS released = ROW_COUNT;
    IF released <> asked THEN
        RAISE EXCEPTION '% of % holds to be released are not open on the accounts posted to',
                asked - released, asked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_hold_open';
    END IF;
END $$;

CREATE FUNCTION ledger_hold_funds(p_account uuid, p_reference text, p_amount numeric)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM ledger_account WHERE id = p_account FOR NO KEY UPDATE;
    INSERT INTO ledger_hold (id, account_id, reference, amount, held_at)
        VALUES (gen_random_uuid(), p_account, p_reference, p_amount, ledger_clock())
        ON CONFLICT (reference) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    PERFORM FROM ledger_hold
        WHERE reference = p_reference AND account_id = p_account AND amount = p_amount;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'reference % holds something else', p_reference
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_hold_content';
    END IF;
    RETURN false;
END $$;

CREATE FUNCTION ledger_release_hold(p_reference text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted ledger_hold%ROWTYPE;
BEGIN
    SELECT * INTO STRICT wanted FROM ledger_hold WHERE reference = p_reference;
    PERFORM FROM ledger_account WHERE id = wanted.account_id FOR NO KEY UPDATE;
    INSERT INTO ledger_holdrelease (hold_id, released_at) VALUES (wanted.id, ledger_clock())
        ON CONFLICT (hold_id) DO NOTHING;
    RETURN FOUND;
END $$;

REVOKE EXECUTE ON FUNCTION ledger_post(jsonb, bytea, bytea), ledger_hold_funds(uuid, text, numeric),
    ledger_release_hold(text) FROM PUBLIC;
