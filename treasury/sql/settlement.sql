-- Settling: everything that paying writes, for one locked payment or for hundreds, in one round trip.
--
-- It decides nothing and has no rights of its own: the services have locked and checked what they pass, and
-- every law watches over what is written here as over any other statement.

CREATE TYPE treasury_settlement AS (
    payment uuid,
    execution uuid,
    spent_on date,
    code uuid,
    code_verified_at timestamptz,
    code_verified_by uuid,
    before jsonb,
    after jsonb,
    event jsonb,
    requisition_event jsonb
);

-- p_by says who executes, from where, and on which civil date: executor_id, actor_id, actor_name,
-- ip_address, user_agent, request_id, gateway_reference, gateway_status. Returns for each payment when it was
-- executed, in which journal entry, whether its requisition is paid by now, and what its fund has left.
CREATE FUNCTION treasury_settle(
    p_postings jsonb, p_inner bytea, p_outer bytea, p_settlements jsonb, p_by jsonb)
RETURNS TABLE (payment uuid, journal_entry uuid, executed_at timestamptz, requisition_paid boolean,
               available numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
-- Every step is a look-up by key for each row passed, which the planner cannot know to be few.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    rows treasury_settlement[] := ARRAY(
        SELECT row FROM jsonb_populate_recordset(NULL::treasury_settlement, p_settlements) row);
    executor uuid := p_by ->> 'executor_id';
    number bigint;
BEGIN
    PERFORM treasury_consume_codes(rows);

    UPDATE treasury_payment 
        SET status = 'success', executor_id = executor, last_error = '', spent_on = row.spent_on
        FROM unnest(rows) row WHERE payment_id = row.payment;
    GET DIAGNOSTICS number = ROW_COUNT;
    IF number <> cardinality(rows) THEN
        RAISE EXCEPTION 'of % payments % are here', cardinality(rows), number;
    END IF;

    PERFORM FROM ledger_post(p_postings, p_inner, p_outer);

    INSERT INTO treasury_paymentexecution (execution_id, payment_id, company_id, requester_id, executor_id,
            gateway_reference, gateway_status, otp_verified_at, otp_verified_by_id, ip_address, user_agent,
            journal_entry_id)
        SELECT row.execution, row.payment, paid.company_id, paid.requester_id, executor,
               p_by ->> 'gateway_reference', p_by ->> 'gateway_status', row.code_verified_at,
               row.code_verified_by, (p_by ->> 'ip_address')::inet, p_by ->> 'user_agent', journal.id
        FROM unnest(rows) row JOIN treasury_payment paid ON paid.payment_id = row.payment
        JOIN ledger_journalentry journal ON journal.reference = 'treasury.payment:' || row.payment;

    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
        SELECT gen_random_uuid(), paid.company_id, 'payment.succeeded', subject,
               1 + coalesce((SELECT max(sequence) FROM ledger_outboxevent WHERE subject = named.subject), 0),
               row.event
        FROM unnest(rows) row JOIN treasury_payment paid ON paid.payment_id = row.payment
        CROSS JOIN LATERAL (SELECT 'treasury.payment:' || row.payment AS subject) named;

    PERFORM treasury_mark_paid(rows);

    INSERT INTO ledger_auditevent (id, at, company_id, actor_id, actor_name, action, subject, outcome, code,
                                   detail, before, after, ip_address, user_agent, request_id)
        SELECT gen_random_uuid(), ledger_clock(), paid.company_id, (p_by ->> 'actor_id')::uuid,
               p_by ->> 'actor_name', 'payment.settle', 'treasury.payment:' || row.payment, 'done', '', '',
               row.before, row.after, (p_by ->> 'ip_address')::inet, p_by ->> 'user_agent',
               p_by ->> 'request_id'
        FROM unnest(rows) row JOIN treasury_payment paid ON paid.payment_id = row.payment;

    RETURN QUERY
        SELECT row.payment, proof.journal_entry_id, proof.created_at, wanted.status = 'paid', account.balance - account.held
        FROM unnest(rows) row
        JOIN treasury_paymentexecution proof ON proof.payment_id = row.payment
        JOIN treasury_payment paid ON paid.payment_id = row.payment
        JOIN treasury_requisition wanted ON wanted.requisition_id = paid.requisition_id
        JOIN treasury_treasuryfund fund ON fund.fund_id = paid.fund_id
        JOIN ledger_account account ON account.id = fund.account_id;
END $$;

-- A verified code is used up by the payment it is for, once, before it ends.
CREATE FUNCTION treasury_consume_codes(p_rows treasury_settlement[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked bigint := (SELECT count(code) FROM unnest(p_rows));
    consumed bigint;
BEGIN
    IF asked = 0 THEN
        RETURN;
    END IF;
    UPDATE treasury_onetimecode code SET consumed_at = ledger_clock()
        FROM unnest(p_rows) row
        WHERE code.code_id = row.code AND code.payment_id = row.payment AND code.verified_at IS NOT NULL
          AND code.consumed_at IS NULL AND code.voided_at IS NULL AND code.expires_at > ledger_clock();
    GET DIAGNOSTICS consumed = ROW_COUNT;
    IF consumed <> asked THEN
        RAISE EXCEPTION 'of % verified codes % are good now', asked, consumed
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_code_good';
    END IF;
END $$;

-- A requisition is paid once payments that went out come to its whole amount.
CREATE FUNCTION treasury_mark_paid(p_rows treasury_settlement[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    WITH touched AS (
        SELECT DISTINCT ON (paid.requisition_id) paid.requisition_id, row.requisition_event
        FROM unnest(p_rows) row JOIN treasury_payment paid ON paid.payment_id = row.payment
    ), complete AS (
        UPDATE treasury_requisition wanted SET status = 'paid'
        FROM touched
        WHERE wanted.requisition_id = touched.requisition_id AND wanted.status = 'approved'
          AND wanted.amount = (SELECT sum(paid.amount) FROM treasury_payment paid
                               WHERE paid.requisition_id = touched.requisition_id
                                 AND paid.status IN ('success', 'reconciled'))
        RETURNING wanted.requisition_id, wanted.company_id, touched.requisition_event
    )
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
        SELECT gen_random_uuid(), company_id, 'requisition.paid', subject,
               1 + coalesce((SELECT max(told.sequence) FROM ledger_outboxevent told
                             WHERE told.subject = named.subject), 0),
               requisition_event
        FROM complete
        CROSS JOIN LATERAL (SELECT 'treasury.requisition:' || requisition_id AS subject) named;
END $$;
