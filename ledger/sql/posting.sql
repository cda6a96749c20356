-- The write path of the ledger (laws 3 to 8): these functions, and nothing else, write its tables.
-- They run with the rights of the tables' owner; the runtime role may call them and may not write.
--
-- p_inner and p_outer are the two padded keys of HMAC-SHA256, made from a key that the database never
-- keeps. A seal is HMAC(key, JSON array of every field, the previous seal among them).

-- One key seals the whole chain. Its fingerprint stands here from the first posting on, so that a process
-- with another key is refused instead of writing seals that nobody can verify.
CREATE TABLE ledger_chainkey (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    fingerprint bytea NOT NULL
);

CREATE FUNCTION ledger_require_key(p_inner bytea, p_outer bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    given bytea := sha256(p_outer || sha256(p_inner || convert_to('bursar chain key', 'UTF8')));
BEGIN
    PERFORM FROM ledger_chainkey WHERE fingerprint = given;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO ledger_chainkey (fingerprint) VALUES (given) ON CONFLICT DO NOTHING;
    PERFORM FROM ledger_chainkey WHERE fingerprint = given;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this is not the key that seals this ledger'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

CREATE FUNCTION ledger_post(p_postings jsonb, p_inner bytea, p_outer bytea)
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

    -- One pass in posting order per account; no statement inside, so a batch costs what its rows cost.
    FOR line IN
        SELECT (item.value ->> 'account')::uuid AS account, account.normal_side, account.balance,
               account.entry_count, account.chain_head,
               greatest(ledger_clock(), account.last_posted_at) AS at,
               journal.id AS entry, jsonb_build_array(journal.id, journal.company_id,
                   journal.reference, journal.description, journal.effective_on::text,
                   journal.posted_by_id, journal.reversal_of_id,
                   (extract(epoch FROM journal.posted_at) * 1000000)::bigint,
                   encode(journal.content_hash, 'hex')) AS header,
               item.value ->> 'side' AS side, (item.value ->> 'amount')::numeric AS amount,
               item.value ->> 'currency' AS currency
        FROM jsonb_array_elements(added) WITH ORDINALITY AS posting(value, place)
        JOIN ledger_journalentry journal ON journal.id = (posting.value ->> 'id')::uuid
        CROSS JOIN jsonb_array_elements(posting.value -> 'lines') WITH ORDINALITY AS item(value, position)
        LEFT JOIN ledger_account account ON account.id = (item.value ->> 'account')::uuid
        ORDER BY 1, posting.place, item.position
    LOOP
        IF current_account IS DISTINCT FROM line.account THEN
            IF line.normal_side IS NULL THEN
                RAISE EXCEPTION 'there is no account %', line.account
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
            END IF;
            current_account := line.account;
            current_at := line.at;
            running := line.balance;
            number := line.entry_count;
            seal := line.chain_head;
        END IF;
        IF line.amount <> round(line.amount, 4) THEN
            RAISE EXCEPTION 'the amount % is finer than four decimals', line.amount
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
        END IF;
        number := number + 1;
        running := running + CASE WHEN line.side = line.normal_side THEN line.amount ELSE -line.amount END;
        ids := ids || gen_random_uuid();
        seal := sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array(
            'v1', encode(seal, 'hex'), line.account, number, ids[cardinality(ids)], line.header,
            line.side, line.amount::numeric(24,4), line.currency, running,
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

    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side,
            amount, currency, balance_after, effective_on, posted_at, chain_hash)
        SELECT new.id, new.entry, new.account, journal.company_id, new.sequence, new.side,
               new.amount, new.currency, new.balance, journal.effective_on, new.at, new.seal
        FROM unnest(ids, entries, accounts, sequences, sides, amounts, currencies, balances,
                    instants, seals)
                 AS new(id, entry, account, sequence, side, amount, currency, balance, at, seal)
        JOIN ledger_journalentry journal ON journal.id = new.entry;

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

-- Some references were known: their content must be the same. Returns the postings that are new, that is
-- those whose own id was just inserted; an id that was there before is nobody's to use again.
CREATE FUNCTION ledger_only_new(p_postings jsonb, p_fresh bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    reused text;
    added jsonb;
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
    SELECT coalesce(jsonb_agg(posting.value ORDER BY posting.place), '[]') INTO added
        FROM jsonb_array_elements(p_postings) WITH ORDINALITY AS posting(value, place)
        JOIN ledger_journalentry journal ON journal.id = (posting.value ->> 'id')::uuid;
    IF jsonb_array_length(added) <> p_fresh THEN
        RAISE EXCEPTION 'a posting has the id of an earlier journal entry'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'ledger_journalentry_pkey';
    END IF;
    RETURN added;
END $$;

-- A posting may end the hold that was kept for it; the hold must be open, on one of its accounts.
CREATE FUNCTION ledger_release_posted(p_added jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    asked bigint;
    released bigint;
BEGIN
    SELECT count(*) INTO asked FROM jsonb_array_elements(p_added) AS posting
        WHERE posting ->> 'releases' IS NOT NULL;
    IF asked = 0 THEN
        RETURN;
    END IF;
    INSERT INTO ledger_holdrelease (hold_id, released_at)
        SELECT hold.id, ledger_clock()
        FROM jsonb_to_recordset(p_added) AS posting(releases text, lines jsonb)
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
    IF p_amount <> round(p_amount, 4) THEN
        RAISE EXCEPTION 'the amount % is finer than four decimals', p_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_precision';
    END IF;
    PERFORM FROM ledger_account WHERE id = p_account FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no account %', p_account
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_account';
    END IF;
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
    -- To say yes here would promise money that nothing keeps.
    PERFORM FROM ledger_hold hold JOIN ledger_holdrelease release ON release.hold_id = hold.id
        WHERE hold.reference = p_reference;
    IF FOUND THEN
        RAISE EXCEPTION 'the hold % has ended', p_reference
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_hold_open';
    END IF;
    RETURN false;
END $$;

CREATE FUNCTION ledger_release_hold(p_reference text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted ledger_hold%ROWTYPE;
BEGIN
    SELECT * INTO wanted FROM ledger_hold WHERE reference = p_reference;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no hold %', p_reference
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_hold_known';
    END IF;
    PERFORM FROM ledger_account WHERE id = wanted.account_id FOR NO KEY UPDATE;
    INSERT INTO ledger_holdrelease (hold_id, released_at) VALUES (wanted.id, ledger_clock())
        ON CONFLICT (hold_id) DO NOTHING;
    RETURN FOUND;
END $$;

REVOKE EXECUTE ON FUNCTION ledger_post(jsonb, bytea, bytea), ledger_hold_funds(uuid, text, numeric),
    ledger_release_hold(text) FROM PUBLIC;
