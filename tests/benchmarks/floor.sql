-- The floor: what paying costs when nothing is done but to write it, in one function by hand.
--
-- It writes into Bursar's own tables, under the same constraints: CHECKs, UNIQUEs, foreign keys, constraint
-- triggers and every other law watch over it as over anybody. What it writes is sound, and verify_ledger says
-- so. It looks up no roles, approvals, limits or codes, hears no JSON, and trusts whoever calls it.

CREATE FUNCTION floor.execute(
    p_payment uuid, p_user uuid, p_on date, p_scope text, p_key text, p_request_hash bytea, p_body text,
    p_inner bytea, p_outer bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    at timestamptz;
    entry uuid := gen_random_uuid();
    paid treasury_payment%ROWTYPE;
    fund treasury_treasuryfund%ROWTYPE;
    spending ledger_account%ROWTYPE;
    money ledger_account%ROWTYPE;
    name text := 'treasury.payment:' || p_payment;
    line uuid[] := ARRAY[gen_random_uuid(), gen_random_uuid()];
    content bytea;
    header jsonb;
    seal bytea[];
BEGIN
    INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body, created_at)
        VALUES (gen_random_uuid(), p_user, p_scope, p_key, p_request_hash, 200, to_jsonb(p_body),
                clock_timestamp());

    UPDATE treasury_payment SET status = 'success', executor_id = p_user, spent_on = p_on
        WHERE payment_id = p_payment AND status = 'pending' RETURNING * INTO paid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % is not pending', p_payment;
    END IF;
    SELECT * INTO fund FROM treasury_treasuryfund WHERE fund_id = paid.fund_id;

    SELECT * INTO spending FROM ledger_account WHERE id = fund.spending_account_id FOR NO KEY UPDATE;
    SELECT * INTO money FROM ledger_account WHERE id = fund.account_id FOR NO KEY UPDATE;
    IF money.balance - money.held < paid.amount THEN
        RAISE EXCEPTION 'fund % has less available', fund.fund_id;
    END IF;

    at := greatest(clock_timestamp(), spending.last_posted_at, money.last_posted_at);
    content := sha256(convert_to(jsonb_build_array(paid.company_id, spending.id, money.id, paid.amount,
                                                   paid.currency)::text, 'UTF8'));
    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, content_hash)
        VALUES (entry, paid.company_id, name, 'paid', p_on, at, p_user, content);
    header := jsonb_build_array(entry, paid.company_id, name, 'paid', p_on::text, p_user, NULL,
                                (extract(epoch FROM at) * 1000000)::bigint, encode(content, 'hex'));
    seal := ARRAY[
        sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array('v1', encode(spending.chain_head, 'hex'),
            spending.id, spending.entry_count + 1, line[1], header, 'debit', paid.amount, paid.currency,
            spending.balance + paid.amount, (extract(epoch FROM at) * 1000000)::bigint)::text, 'UTF8'))),
        sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array('v1', encode(money.chain_head, 'hex'),
            money.id, money.entry_count + 1, line[2], header, 'credit', paid.amount, paid.currency,
            money.balance - paid.amount, (extract(epoch FROM at) * 1000000)::bigint)::text, 'UTF8')))];
    -- The two accounts follow their entries by a trigger.
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        VALUES (line[1], entry, spending.id, paid.company_id, spending.entry_count + 1, 'debit', paid.amount,
                paid.currency, spending.balance + paid.amount, p_on, at, seal[1]),
               (line[2], entry, money.id, paid.company_id, money.entry_count + 1, 'credit', paid.amount,
                paid.currency, money.balance - paid.amount, p_on, at, seal[2]);

    INSERT INTO treasury_paymentexecution (execution_id, payment_id, company_id, requester_id, executor_id,
            gateway_reference, gateway_status, user_agent, journal_entry_id, created_at)
        VALUES (gen_random_uuid(), p_payment, paid.company_id, paid.requester_id, p_user, '', '', '', entry, at);
    INSERT INTO ledger_auditevent (id, at, company_id, actor_id, actor_name, action, subject, outcome, code,
                                   detail, before, after, user_agent, request_id)
        VALUES (gen_random_uuid(), at, paid.company_id, p_user, 'floor', 'payment.settle', name, 'done', '', '',
                jsonb_build_object('status', 'pending'), jsonb_build_object('status', 'success'), '', '');
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload, occurred_at)
        VALUES (gen_random_uuid(), paid.company_id, 'payment.succeeded', name, 1,
                jsonb_build_object('amount', paid.amount::text, 'currency', paid.currency), at);
    RETURN entry;
END $$;

-- The same for many payments of one fund, set by set; only the seals are made one after the other.
CREATE FUNCTION floor.execute_many(
    p_payments uuid[], p_user uuid, p_on date, p_inner bytea, p_outer bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    at timestamptz;
    fund treasury_treasuryfund%ROWTYPE;
    account ledger_account[] := '{}';
    paid treasury_payment[];
    entries uuid[] := ARRAY(SELECT gen_random_uuid() FROM unnest(p_payments));
    sides text[] := ARRAY['debit', 'credit'];
    headers jsonb[];
    ids uuid[] := ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 2 * cardinality(p_payments)));
    balance numeric(24,4);
    balances numeric[] := '{}';
    seal bytea;
    seals bytea[] := '{}';
BEGIN
    UPDATE treasury_payment SET status = 'success', executor_id = p_user, spent_on = p_on
        WHERE payment_id = ANY(p_payments) AND status = 'pending';
    paid := ARRAY(SELECT payment FROM treasury_payment payment WHERE payment_id = ANY(p_payments));
    SELECT * INTO fund FROM treasury_treasuryfund WHERE fund_id = paid[1].fund_id;
    account := ARRAY[
        (SELECT one FROM ledger_account one WHERE id = fund.spending_account_id FOR NO KEY UPDATE),
        (SELECT one FROM ledger_account one WHERE id = fund.account_id FOR NO KEY UPDATE)];
    at := greatest(clock_timestamp(), account[1].last_posted_at, account[2].last_posted_at);

    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, content_hash)
        SELECT entries[n], one.company_id, 'treasury.payment:' || one.payment_id, 'paid', p_on, at, p_user,
               sha256(convert_to(one.payment_id::text, 'UTF8'))
        FROM unnest(paid) WITH ORDINALITY one CROSS JOIN LATERAL (SELECT one.ordinality AS n) place;
    headers := ARRAY(
        SELECT jsonb_build_array(entries[n], one.company_id, 'treasury.payment:' || one.payment_id, 'paid',
                   p_on::text, p_user, NULL, (extract(epoch FROM at) * 1000000)::bigint,
                   encode(sha256(convert_to(one.payment_id::text, 'UTF8')), 'hex'))
        FROM unnest(paid) WITH ORDINALITY one CROSS JOIN LATERAL (SELECT one.ordinality AS n) place);
    FOR s IN 1..2 LOOP
        balance := account[s].balance;
        seal := account[s].chain_head;
        FOR n IN 1..cardinality(paid) LOOP
            balance := balance + CASE s WHEN 1 THEN paid[n].amount ELSE -paid[n].amount END;
            seal := sha256(p_outer || sha256(p_inner || convert_to(jsonb_build_array('v1', encode(seal, 'hex'),
                account[s].id, account[s].entry_count + n, ids[cardinality(seals) + 1], headers[n], sides[s],
                paid[n].amount, paid[n].currency, balance,
                (extract(epoch FROM at) * 1000000)::bigint)::text, 'UTF8')));
            balances := balances || balance;
            seals := seals || seal;
        END LOOP;
    END LOOP;
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        SELECT ids[place], entries[n], account[s].id, one.company_id, account[s].entry_count + n, sides[s],
               one.amount, one.currency, balances[place], p_on, at, seals[place]
        FROM generate_series(1, 2) s CROSS JOIN unnest(paid) WITH ORDINALITY one
        CROSS JOIN LATERAL (SELECT one.ordinality AS n,
                                   (s - 1) * cardinality(paid) + one.ordinality AS place) place;

    INSERT INTO treasury_paymentexecution (execution_id, payment_id, company_id, requester_id, executor_id,
            gateway_reference, gateway_status, user_agent, journal_entry_id, created_at)
        SELECT gen_random_uuid(), one.payment_id, one.company_id, one.requester_id, p_user, '', '', '',
               entries[one.ordinality], at FROM unnest(paid) WITH ORDINALITY one;
    INSERT INTO ledger_auditevent (id, at, company_id, actor_id, actor_name, action, subject, outcome, code,
                                   detail, before, after, user_agent, request_id)
        SELECT gen_random_uuid(), at, one.company_id, p_user, 'floor', 'payment.settle',
               'treasury.payment:' || one.payment_id, 'done', '', '',
               jsonb_build_object('status', 'pending'), jsonb_build_object('status', 'success'), '', ''
        FROM unnest(paid) one;
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload, occurred_at)
        SELECT gen_random_uuid(), one.company_id, 'payment.succeeded', 'treasury.payment:' || one.payment_id, 1,
               jsonb_build_object('amount', one.amount::text, 'currency', one.currency), at
        FROM unnest(paid) one;
END $$;
