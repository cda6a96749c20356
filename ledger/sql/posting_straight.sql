-- The everyday posting, of two lines on two accounts, in as few steps as it takes. What it writes, to the last
-- byte of a seal, is what ledger_post_set writes (posting.sql), and every law watches over it.

CREATE OR REPLACE FUNCTION ledger_post(p_postings jsonb, p_inner bytea, p_outer bytea)
RETURNS TABLE (reference text, journal_entry uuid, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- A plan that was made while the tables were empty would scan them for as long as the session lives.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    posted jsonb := p_postings -> 0;
    one jsonb := posted #> '{lines,0}';
    two jsonb := posted #> '{lines,1}';
    given uuid;
    company uuid;
    reverses uuid;
    effective date;
    written timestamptz;
    amounts numeric[];
    content bytea;
    known bytea;
    header jsonb;
    locked bigint;
BEGIN
    IF (jsonb_array_length(p_postings) = 1 AND jsonb_array_length(posted -> 'lines') = 2
            AND one ->> 'account' <> two ->> 'account') IS NOT TRUE THEN
        RETURN QUERY SELECT * FROM ledger_post_set(p_postings, p_inner, p_outer);
        RETURN;
    END IF;
    PERFORM ledger_require_key(p_inner, p_outer);

    -- The hash of the content is over the lines in this order (ledger_content_hash).
    IF one ->> 'account' > two ->> 'account' THEN
        one := posted #> '{lines,1}';
        two := posted #> '{lines,0}';
    END IF;
    reference := posted ->> 'reference';
    given := posted ->> 'id';
    company := posted ->> 'company';
    reverses := posted ->> 'reversal_of';
    effective := posted ->> 'effective_on';
    written := ledger_clock();
    amounts := ARRAY[one ->> 'amount', two ->> 'amount'];
    content := sha256(convert_to(jsonb_build_array(company, reverses, jsonb_build_array(
        jsonb_build_array(one ->> 'account', one ->> 'side', amounts[1]::numeric(24,4), one ->> 'currency'),
        jsonb_build_array(two ->> 'account', two ->> 'side', amounts[2]::numeric(24,4), two ->> 'currency')
        ))::text, 'UTF8'));

    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, reversal_of_id, content_hash)
        VALUES (given, company, reference, posted ->> 'description', effective, written,
                (posted ->> 'posted_by')::uuid, reverses, content)
        ON CONFLICT (reference) DO NOTHING;
    is_new := FOUND;
    IF NOT is_new THEN
        SELECT journal.id, journal.content_hash INTO journal_entry, known
            FROM ledger_journalentry journal WHERE journal.reference = posted ->> 'reference';
        IF known <> content THEN
            RAISE EXCEPTION 'reference % was posted before with other content', posted ->> 'reference'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_content';
        END IF;
        IF journal_entry = given THEN
            RAISE EXCEPTION 'a posting has the id of an earlier journal entry'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_pkey';
        END IF;
        RETURN NEXT;
        RETURN;
    END IF;
    journal_entry := given;

    -- In the order of their ids, in which everybody locks accounts.
    PERFORM FROM ledger_account WHERE id IN ((one ->> 'account')::uuid, (two ->> 'account')::uuid)
        ORDER BY id FOR NO KEY UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked <> 2 THEN
        RAISE EXCEPTION 'there is no account % or %', one ->> 'account', two ->> 'account'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
    END IF;
    IF posted ->> 'releases' IS NOT NULL THEN
        PERFORM ledger_release_posted(p_postings);
    END IF;
    IF amounts[1] <> round(amounts[1], 4) OR amounts[2] <> round(amounts[2], 4) THEN
        RAISE EXCEPTION 'one of the amounts % is finer than four decimals', amounts
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
    END IF;

    header := jsonb_build_array(given, company, reference, posted ->> 'description', effective::text,
        (posted ->> 'posted_by')::uuid, reverses, (extract(epoch FROM written) * 1000000)::bigint,
        encode(content, 'hex'));
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        SELECT line.id, given, account.id, company, account.entry_count + 1, line.side, line.amount,
               line.currency, after.balance, effective, after.at,
               sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array(
                   'v1', encode(account.chain_head, 'hex'), account.id, account.entry_count + 1, line.id,
                   header, line.side, line.amount::numeric(24,4), line.currency, after.balance,
                   (extract(epoch FROM after.at) * 1000000)::bigint)::text, 'UTF8')))
        FROM (VALUES
                (coalesce((one ->> 'id')::uuid, gen_random_uuid()), (one ->> 'account')::uuid,
                 one ->> 'side', amounts[1], one ->> 'currency'),
                (coalesce((two ->> 'id')::uuid, gen_random_uuid()), (two ->> 'account')::uuid,
                 two ->> 'side', amounts[2], two ->> 'currency')
            ) line (id, account, side, amount, currency)
        JOIN ledger_account account ON account.id = line.account
        CROSS JOIN LATERAL (
            SELECT (account.balance + CASE WHEN line.side = account.normal_side THEN line.amount
                                           ELSE -line.amount END)::numeric(24,4) AS balance,
                   greatest(ledger_clock(), account.last_posted_at) AS at) after;
    RETURN NEXT;
END $$;

DROP FUNCTION ledger_post_pair(jsonb, bytea, bytea);

-- Whatever statement adds lines adds lines that balance (ledger_require_sound_lines), and none is ever changed
-- or taken away: so a journal entry that has lines balances, and at commit it is enough to count them.
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
