-- Posting hundreds: everything but the seals, which follow from each other, is made by one statement
-- (posting.sql says what is written; it stays the same to the last byte of a seal).

CREATE OR REPLACE FUNCTION ledger_post_set(p_postings jsonb, p_inner bytea, p_outer bytea)
RETURNS TABLE (reference text, journal_entry uuid, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The planner cannot know how few rows a JSON array has: every step here is a look-up by key, joined in
-- the order in which it is written.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET join_collapse_limit = 1 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    fresh bigint;
    added jsonb := p_postings;
    involved uuid[];
    clock timestamptz;
    unknown text;
    too_fine numeric;
    ids uuid[];
    entries uuid[];
    companies uuid[];
    dates date[];
    accounts uuid[];
    heads bytea[];
    sequences bigint[];
    sides text[];
    amounts numeric[];
    currencies text[];
    balances numeric[];
    instants timestamptz[];
    sealed text[];
    seal bytea;
    seals bytea[] := '{}';
BEGIN
    PERFORM ledger_require_key(p_inner, p_outer);

    -- Sorted by reference, so that two batches never wait for each other in a ring.
    WITH inserted AS (
        INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on,
                posted_at, posted_by_id, reversal_of_id, content_hash)
            SELECT posting.id, company, reference, description, effective_on, ledger_clock(),
                   posted_by, reversal_of, ledger_content_hash(company, reversal_of, lines)
            FROM jsonb_array_elements(p_postings) WITH ORDINALITY AS item(value, place)
            CROSS JOIN jsonb_to_record(item.value) AS posting(
                id uuid, company uuid, reference text, description text, effective_on date,
                posted_by uuid, reversal_of uuid, lines jsonb)
            ORDER BY reference, place
            ON CONFLICT (reference) DO NOTHING RETURNING id
    ) SELECT count(*) INTO fresh FROM inserted;

    IF fresh < jsonb_array_length(p_postings) THEN
        added := ledger_only_new(p_postings, fresh);
    END IF;

    involved := ARRAY(SELECT DISTINCT (item ->> 'account')::uuid
                      FROM jsonb_array_elements(added) AS posting
                      CROSS JOIN jsonb_array_elements(posting -> 'lines') AS item);
    PERFORM FROM ledger_account WHERE id = ANY(involved) ORDER BY id FOR NO KEY UPDATE;
    PERFORM ledger_release_posted(added);

    -- Account by account, in posting order; what is sealed of a line is the text after the seal before it.
    clock := ledger_clock();
    SELECT min(line.account::text) FILTER (WHERE line.normal_side IS NULL),
           max(line.amount) FILTER (WHERE line.amount <> round(line.amount, 4)),
           array_agg(line.id), array_agg(line.entry), array_agg(line.company), array_agg(line.effective_on),
           array_agg(line.account), array_agg(line.chain_head), array_agg(line.sequence),
           array_agg(line.side), array_agg(line.amount), array_agg(line.currency), array_agg(line.balance),
           array_agg(line.at),
           array_agg(substr(jsonb_build_array(
               line.account, line.sequence, line.id, line.header, line.side, line.amount::numeric(24,4),
               line.currency, line.balance, (extract(epoch FROM line.at) * 1000000)::bigint)::text, 2))
        INTO unknown, too_fine, ids, entries, companies, dates, accounts, heads, sequences, sides, amounts,
             currencies, balances, instants, sealed
        FROM (
            SELECT coalesce(item.id, gen_random_uuid()) AS id, journal.id AS entry,
                   journal.company_id AS company, journal.effective_on, journal.header,
                   item.account, account.normal_side, account.chain_head,
                   account.entry_count + row_number() OVER earlier AS sequence,
                   item.side, item.amount, item.currency,
                   (account.balance + sum(CASE WHEN item.side = account.normal_side THEN item.amount
                                               ELSE -item.amount END) OVER earlier)::numeric(24,4) AS balance,
                   greatest(clock, account.last_posted_at) AS at
            FROM jsonb_array_elements(added) WITH ORDINALITY AS posting(value, place)
            CROSS JOIN LATERAL (
                SELECT known.id, known.company_id, known.effective_on, jsonb_build_array(
                        known.id, known.company_id, known.reference, known.description,
                        known.effective_on::text, known.posted_by_id, known.reversal_of_id,
                        (extract(epoch FROM known.posted_at) * 1000000)::bigint,
                        encode(known.content_hash, 'hex')) AS header
                FROM ledger_journalentry known WHERE known.id = (posting.value ->> 'id')::uuid
                OFFSET 0) journal
            CROSS JOIN LATERAL ROWS FROM (
                jsonb_to_recordset(posting.value -> 'lines')
                    AS (id uuid, account uuid, side text, amount numeric, currency text))
                WITH ORDINALITY AS item(id, account, side, amount, currency, position)
            LEFT JOIN ledger_account account ON account.id = item.account
            WINDOW earlier AS (PARTITION BY item.account ORDER BY posting.place, item.position)
            ORDER BY item.account, posting.place, item.position
        ) line;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'there is no account %', unknown
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
    END IF;
    IF too_fine IS NOT NULL THEN
        RAISE EXCEPTION 'the amount % is finer than four decimals', too_fine
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
    END IF;

    FOR n IN 1..coalesce(cardinality(ids), 0) LOOP
        IF n = 1 OR accounts[n] <> accounts[n - 1] THEN
            seal := heads[n];
        END IF;
        seal := sha256(p_outer || sha256(p_inner || convert_to(
            '["v1", "' || encode(seal, 'hex') || '", ' || sealed[n], 'UTF8')));
        seals := seals || seal;
    END LOOP;

    INSERT INTO ledger_ledgerentry (id, journal_entry_id, company_id, effective_on, account_id, sequence, side,
                                    amount, currency, balance_after, posted_at, chain_hash)
        SELECT * FROM unnest(ids, entries, companies, dates, accounts, sequences, sides, amounts, currencies,
                             balances, instants, seals);

    RETURN QUERY
        SELECT journal.reference::text, journal.id, journal.id = posting.id
        FROM jsonb_to_recordset(p_postings) AS posting(id uuid, reference text)
        JOIN ledger_journalentry journal ON journal.reference = posting.reference;
END $$;

-- Two lines on two accounts need no sorting by a statement.
CREATE OR REPLACE FUNCTION ledger_content_hash(p_company uuid, p_reversal_of uuid, p_lines jsonb)
RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    one jsonb := p_lines -> 0;
    two jsonb := p_lines -> 1;
BEGIN
    IF jsonb_array_length(p_lines) = 2 AND one ->> 'account' <> two ->> 'account' THEN
        IF one ->> 'account' > two ->> 'account' THEN
            one := p_lines -> 1;
            two := p_lines -> 0;
        END IF;
        RETURN sha256(convert_to(jsonb_build_array(p_company, p_reversal_of, jsonb_build_array(
            jsonb_build_array(one ->> 'account', one ->> 'side', (one ->> 'amount')::numeric(24,4),
                              one ->> 'currency'),
            jsonb_build_array(two ->> 'account', two ->> 'side', (two ->> 'amount')::numeric(24,4),
                              two ->> 'currency')))::text, 'UTF8'));
    END IF;
    RETURN sha256(convert_to(jsonb_build_array(p_company, p_reversal_of,
        (SELECT jsonb_agg(jsonb_build_array(item ->> 'account', item ->> 'side',
                                            (item ->> 'amount')::numeric(24,4), item ->> 'currency')
                          ORDER BY item ->> 'account', item ->> 'side', (item ->> 'amount')::numeric)
         FROM jsonb_array_elements(p_lines) AS item))::text, 'UTF8'));
END $$;
