-- The everyday posting, of two lines on two accounts, told by its facts: to take JSON apart costs a posting more
-- than to seal it. What is written, to the last byte of a seal, is what ledger_post_set writes (posting.sql),
-- and every law watches over it.

-- Returns the journal entry: the one whose id is given when it is new, and the earlier one of a known reference.
-- The lines of one account twice are not for this function, which finds one account where it needs two.
CREATE FUNCTION ledger_post_two(
    p_id uuid, p_company uuid, p_reference text, p_description text, p_effective_on date, p_posted_by uuid,
    p_reversal_of uuid, p_releases text,
    p_one_id uuid, p_one uuid, p_one_side text, p_one_amount numeric, p_one_currency text,
    p_two_id uuid, p_two uuid, p_two_side text, p_two_amount numeric, p_two_currency text,
    p_inner bytea, p_outer bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- A plan that was made while the tables were empty would scan them for as long as the session lives.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    written timestamptz := ledger_clock();
    content bytea;
    header jsonb;
    known ledger_journalentry%ROWTYPE;
    locked bigint;
BEGIN
    -- The hash of the content is over the lines in this order (ledger_content_hash).
    IF p_one > p_two THEN
        RETURN ledger_post_two(
            p_id, p_company, p_reference, p_description, p_effective_on, p_posted_by, p_reversal_of, p_releases,
            p_two_id, p_two, p_two_side, p_two_amount, p_two_currency,
            p_one_id, p_one, p_one_side, p_one_amount, p_one_currency, p_inner, p_outer);
    END IF;
    PERFORM ledger_require_key(p_inner, p_outer);

    content := sha256(convert_to(jsonb_build_array(p_company, p_reversal_of, jsonb_build_array(
        jsonb_build_array(p_one, p_one_side, p_one_amount::numeric(24,4), p_one_currency),
        jsonb_build_array(p_two, p_two_side, p_two_amount::numeric(24,4), p_two_currency)))::text, 'UTF8'));
    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, reversal_of_id, content_hash)
        VALUES (p_id, p_company, p_reference, p_description, p_effective_on, written, p_posted_by,
                p_reversal_of, content)
        ON CONFLICT (reference) DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO known FROM ledger_journalentry WHERE reference = p_reference;
        IF known.content_hash <> content THEN
            RAISE EXCEPTION 'reference % was posted before with other content', p_reference
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_content';
        END IF;
        IF known.id = p_id THEN
            RAISE EXCEPTION 'a posting has the id of an earlier journal entry'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_pkey';
        END IF;
        RETURN known.id;
    END IF;

    -- In the order of their ids, in which everybody locks accounts.
    PERFORM FROM ledger_account WHERE id IN (p_one, p_two) ORDER BY id FOR NO KEY UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked <> 2 THEN
        RAISE EXCEPTION 'there is no account % or %', p_one, p_two
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
    END IF;
    IF p_releases IS NOT NULL THEN
        PERFORM ledger_release_posted(jsonb_build_array(jsonb_build_object(
            'releases', p_releases, 'lines', jsonb_build_array(
                jsonb_build_object('account', p_one), jsonb_build_object('account', p_two)))));
    END IF;
    IF p_one_amount <> round(p_one_amount, 4) OR p_two_amount <> round(p_two_amount, 4) THEN
        RAISE EXCEPTION 'one of the amounts % and % is finer than four decimals', p_one_amount, p_two_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
    END IF;

    header := jsonb_build_array(p_id, p_company, p_reference, p_description, p_effective_on::text, p_posted_by,
        p_reversal_of, (extract(epoch FROM written) * 1000000)::bigint, encode(content, 'hex'));
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        SELECT line.id, p_id, account.id, p_company, account.entry_count + 1, line.side, line.amount,
               line.currency, after.balance, p_effective_on, after.at,
               sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array(
                   'v1', encode(account.chain_head, 'hex'), account.id, account.entry_count + 1, line.id,
                   header, line.side, line.amount::numeric(24,4), line.currency, after.balance,
                   (extract(epoch FROM after.at) * 1000000)::bigint)::text, 'UTF8')))
        FROM (VALUES (p_one_id, p_one, p_one_side, p_one_amount, p_one_currency),
                     (p_two_id, p_two, p_two_side, p_two_amount, p_two_currency)
            ) line (id, account, side, amount, currency)
        JOIN ledger_account account ON account.id = line.account
        CROSS JOIN LATERAL (
            SELECT (account.balance + CASE WHEN line.side = account.normal_side THEN line.amount
                                           ELSE -line.amount END)::numeric(24,4) AS balance,
                   greatest(ledger_clock(), account.last_posted_at) AS at) after;
    RETURN p_id;
END $$;

REVOKE EXECUTE ON FUNCTION ledger_post_two(
    uuid, uuid, text, text, date, uuid, uuid, text, uuid, uuid, text, numeric, text,
    uuid, uuid, text, numeric, text, bytea, bytea) FROM PUBLIC;

-- Two lines on two accounts go that way, everything else as a set.
CREATE OR REPLACE FUNCTION ledger_post(p_postings jsonb, p_inner bytea, p_outer bytea)
RETURNS TABLE (reference text, journal_entry uuid, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    posted jsonb := p_postings -> 0;
    one jsonb := posted #> '{lines,0}';
    two jsonb := posted #> '{lines,1}';
    given uuid;
BEGIN
    IF (jsonb_array_length(p_postings) = 1 AND jsonb_array_length(posted -> 'lines') = 2
            AND one ->> 'account' <> two ->> 'account') IS NOT TRUE THEN
        RETURN QUERY SELECT * FROM ledger_post_set(p_postings, p_inner, p_outer);
        RETURN;
    END IF;
    given := posted ->> 'id';
    reference := posted ->> 'reference';
    journal_entry := ledger_post_two(
        given, (posted ->> 'company')::uuid, reference, posted ->> 'description',
        (posted ->> 'effective_on')::date, (posted ->> 'posted_by')::uuid, (posted ->> 'reversal_of')::uuid,
        posted ->> 'releases',
        coalesce((one ->> 'id')::uuid, gen_random_uuid()), (one ->> 'account')::uuid, one ->> 'side',
        (one ->> 'amount')::numeric, one ->> 'currency',
        coalesce((two ->> 'id')::uuid, gen_random_uuid()), (two ->> 'account')::uuid, two ->> 'side',
        (two ->> 'amount')::numeric, two ->> 'currency', p_inner, p_outer);
    is_new := journal_entry = given;
    RETURN NEXT;
END $$;
