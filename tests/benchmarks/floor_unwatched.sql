-- The floor (floor.sql) with nobody watching: on copies of Bursar's tables with the same columns, CHECKs,
-- UNIQUEs, indexes and foreign keys, but without the constraint triggers and the other laws that are triggers.

CREATE FUNCTION unwatched.execute(
    p_payment uuid, p_user uuid, p_on date, p_scope text, p_key text, p_request_hash bytea, p_body text,
    p_inner bytea, p_outer bytea) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, unwatched, pg_temp AS $$
DECLARE
    at timestamptz := clock_timestamp();
    entry uuid := gen_random_uuid();
    paid treasury_payment%ROWTYPE;
    fund treasury_treasuryfund%ROWTYPE;
    money ledger_account%ROWTYPE;
    spending ledger_account%ROWTYPE;
    name text := 'treasury.payment:' || p_payment;
    line uuid[] := ARRAY[gen_random_uuid(), gen_random_uuid()];
    seal bytea[];
BEGIN
    INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body, created_at)
        VALUES (gen_random_uuid(), p_user, p_scope, p_key, p_request_hash, 200, to_jsonb(p_body), at);

    UPDATE treasury_payment SET status = 'success', executor_id = p_user, spent_on = p_on
        WHERE payment_id = p_payment AND status = 'pending' RETURNING * INTO paid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % is not pending', p_payment;
    END IF;
    SELECT * INTO fund FROM treasury_treasuryfund WHERE fund_id = paid.fund_id;

    SELECT * INTO money FROM ledger_account WHERE id = fund.account_id FOR NO KEY UPDATE;
    SELECT * INTO spending FROM ledger_account WHERE id = fund.spending_account_id FOR NO KEY UPDATE;
    IF money.balance - money.held < paid.amount THEN
        RAISE EXCEPTION 'fund % has less available', fund.fund_id;
    END IF;

    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, content_hash)
        VALUES (entry, paid.company_id, name, 'paid', p_on, at, p_user, sha256(convert_to(name, 'UTF8')));
    seal := ARRAY[
        sha256(p_outer || sha256(p_inner || convert_to(concat_ws('|', encode(spending.chain_head, 'hex'),
            line[1], entry, spending.entry_count + 1, 'debit', paid.amount, paid.currency, at), 'UTF8'))),
        sha256(p_outer || sha256(p_inner || convert_to(concat_ws('|', encode(money.chain_head, 'hex'),
            line[2], entry, money.entry_count + 1, 'credit', paid.amount, paid.currency, at), 'UTF8')))];
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        VALUES (line[1], entry, spending.id, paid.company_id, spending.entry_count + 1, 'debit', paid.amount,
                paid.currency, spending.balance + paid.amount, p_on, at, seal[1]),
               (line[2], entry, money.id, paid.company_id, money.entry_count + 1, 'credit', paid.amount,
                paid.currency, money.balance - paid.amount, p_on, at, seal[2]);
    UPDATE ledger_account SET balance = balance + paid.amount, entry_count = entry_count + 1,
        chain_head = seal[1], last_posted_at = at WHERE id = spending.id;
    UPDATE ledger_account SET balance = balance - paid.amount, entry_count = entry_count + 1,
        chain_head = seal[2], last_posted_at = at WHERE id = money.id;

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
CREATE FUNCTION unwatched.execute_many(
    p_payments uuid[], p_user uuid, p_on date, p_inner bytea, p_outer bytea) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, unwatched, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    at timestamptz := clock_timestamp();
    fund treasury_treasuryfund%ROWTYPE;
    account ledger_account%ROWTYPE;
    paid treasury_payment[];
    entries uuid[] := ARRAY(SELECT gen_random_uuid() FROM unnest(p_payments));
    seals bytea[];
    side text;
    total numeric;
BEGIN
    UPDATE treasury_payment SET status = 'success', executor_id = p_user, spent_on = p_on
        WHERE payment_id = ANY(p_payments) AND status = 'pending';
    paid := ARRAY(SELECT payment FROM treasury_payment payment WHERE payment_id = ANY(p_payments));
    SELECT * INTO fund FROM treasury_treasuryfund WHERE fund_id = paid[1].fund_id;
    total := (SELECT sum(amount) FROM unnest(paid));
    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     posted_by_id, content_hash)
        SELECT entry, one.company_id, 'treasury.payment:' || one.payment_id, 'paid', p_on, at, p_user,
               sha256(convert_to(one.payment_id::text, 'UTF8'))
        FROM unnest(paid) WITH ORDINALITY one JOIN unnest(entries) WITH ORDINALITY new(entry, n)
            ON new.n = one.ordinality;
    FOREACH side IN ARRAY ARRAY['debit', 'credit'] LOOP
        SELECT * INTO account FROM ledger_account
            WHERE id = CASE side WHEN 'debit' THEN fund.spending_account_id ELSE fund.account_id END
            FOR NO KEY UPDATE;
        seals := ARRAY[]::bytea[];
        FOR n IN 1..cardinality(paid) LOOP
            seals[n] := sha256(p_outer || sha256(p_inner || convert_to(concat_ws('|',
                encode(coalesce(seals[n - 1], account.chain_head), 'hex'), entries[n], side,
                account.entry_count + n, paid[n].amount, paid[n].currency, at), 'UTF8')));
        END LOOP;
        INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                        currency, balance_after, effective_on, posted_at, chain_hash)
            SELECT gen_random_uuid(), entries[n], account.id, one.company_id, account.entry_count + n, side,
                   one.amount, one.currency,
                   account.balance + (CASE side WHEN 'debit' THEN 1 ELSE -1 END)
                       * sum(one.amount) OVER (ORDER BY n), p_on, at, seals[n]
            FROM unnest(paid) WITH ORDINALITY one CROSS JOIN LATERAL (SELECT one.ordinality AS n) place;
        UPDATE ledger_account SET entry_count = entry_count + cardinality(paid), last_posted_at = at,
                chain_head = seals[cardinality(paid)],
                balance = balance + CASE side WHEN 'debit' THEN total ELSE -total END
            WHERE id = account.id;
    END LOOP;
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
