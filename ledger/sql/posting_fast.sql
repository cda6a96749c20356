-- The everyday posting has two lines on two accounts. It goes straight through, without the sets and arrays
-- that a batch needs; what it writes, and what watches over it, is the same (posting.sql).

ALTER FUNCTION ledger_post(jsonb, bytea, bytea) RENAME TO ledger_post_set;

CREATE FUNCTION ledger_post(p_postings jsonb, p_inner bytea, p_outer bytea)
RETURNS TABLE (reference text, journal_entry uuid, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF jsonb_array_length(p_postings) = 1 AND jsonb_array_length(p_postings #> '{0,lines}') = 2
            AND p_postings #>> '{0,lines,0,account}' <> p_postings #>> '{0,lines,1,account}' THEN
        reference := p_postings #>> '{0,reference}';
        SELECT entry, fresh INTO journal_entry, is_new
            FROM ledger_post_pair(p_postings -> 0, p_inner, p_outer);
        RETURN NEXT;
    ELSE
        RETURN QUERY SELECT * FROM ledger_post_set(p_postings, p_inner, p_outer);
    END IF;
END $$;

CREATE FUNCTION ledger_post_pair(
    p_posting jsonb, p_inner bytea, p_outer bytea, OUT entry uuid, OUT fresh boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    named text := p_posting ->> 'reference';
    company uuid := p_posting ->> 'company';
    reverses uuid := p_posting ->> 'reversal_of';
    effective date := p_posting ->> 'effective_on';
    written timestamptz := ledger_clock();
    content bytea := ledger_content_hash(company, reverses, p_posting -> 'lines');
    known bytea;
    header jsonb;
    line jsonb[];
    held ledger_account[] := '{}';
    account ledger_account%ROWTYPE;
    ids uuid[] := ARRAY[gen_random_uuid(), gen_random_uuid()];
    amounts numeric[] := '{}';
    balances numeric(24,4)[] := '{}';
    instants timestamptz[] := '{}';
    seals bytea[] := '{}';
BEGIN
    PERFORM ledger_require_key(p_inner, p_outer);
    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, reversal_of_id, content_hash)
        VALUES ((p_posting ->> 'id')::uuid, company, named, p_posting ->> 'description', effective, written,
                (p_posting ->> 'posted_by')::uuid, reverses, content)
        ON CONFLICT (reference) DO NOTHING RETURNING id INTO entry;
    fresh := FOUND;
    IF NOT fresh THEN
        SELECT journal.id, journal.content_hash INTO entry, known
            FROM ledger_journalentry journal WHERE journal.reference = named;
        IF known <> content THEN
            RAISE EXCEPTION 'reference % was posted before with other content', named
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_content';
        END IF;
        IF entry = (p_posting ->> 'id')::uuid THEN
            RAISE EXCEPTION 'a posting has the id of an earlier journal entry'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_pkey';
        END IF;
        RETURN;
    END IF;

    -- In the order of the accounts' ids, in which everybody locks them.
    line := CASE WHEN (p_posting #>> '{lines,0,account}')::uuid < (p_posting #>> '{lines,1,account}')::uuid
        THEN ARRAY[p_posting #> '{lines,0}', p_posting #> '{lines,1}']
        ELSE ARRAY[p_posting #> '{lines,1}', p_posting #> '{lines,0}'] END;
    FOR n IN 1..2 LOOP
        SELECT * INTO account FROM ledger_account
            WHERE id = (line[n] ->> 'account')::uuid FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no account %', line[n] ->> 'account'
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
        END IF;
        held[n] := account;
    END LOOP;
    IF p_posting ->> 'releases' IS NOT NULL THEN
        PERFORM ledger_release_posted(jsonb_build_array(p_posting));
    END IF;

    header := jsonb_build_array(entry, company, named, p_posting ->> 'description', effective::text,
        (p_posting ->> 'posted_by')::uuid, reverses, (extract(epoch FROM written) * 1000000)::bigint,
        encode(content, 'hex'));
    FOR n IN 1..2 LOOP
        account := held[n];
        amounts[n] := (line[n] ->> 'amount')::numeric;
        IF amounts[n] <> round(amounts[n], 4) THEN
            RAISE EXCEPTION 'the amount % is finer than four decimals', amounts[n]
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
        END IF;
        balances[n] := account.balance
            + CASE WHEN line[n] ->> 'side' = account.normal_side THEN amounts[n] ELSE -amounts[n] END;
        instants[n] := greatest(ledger_clock(), account.last_posted_at);
        seals[n] := sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array(
            'v1', encode(account.chain_head, 'hex'), account.id, account.entry_count + 1, ids[n], header,
            line[n] ->> 'side', amounts[n]::numeric(24,4), line[n] ->> 'currency',
            balances[n], (extract(epoch FROM instants[n]) * 1000000)::bigint)::text, 'UTF8')));
    END LOOP;

    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        VALUES (ids[1], entry, held[1].id, company, held[1].entry_count + 1, line[1] ->> 'side', amounts[1],
                line[1] ->> 'currency', balances[1], effective, instants[1], seals[1]),
               (ids[2], entry, held[2].id, company, held[2].entry_count + 1, line[2] ->> 'side', amounts[2],
                line[2] ->> 'currency', balances[2], effective, instants[2], seals[2]);
END $$;

REVOKE EXECUTE ON FUNCTION ledger_post(jsonb, bytea, bytea) FROM PUBLIC;
