DROP FUNCTION treasury_seen(uuid, integer, uuid, integer, uuid, uuid, uuid, uuid);
CREATE FUNCTION treasury_seen(
    p_payment uuid, p_version integer, p_requisition uuid, p_requisition_version integer, p_user uuid,
    p_company uuid, p_region uuid, p_branch uuid)
RETURNS TABLE (
    active boolean, superuser boolean, roles text[], approvers uuid[], late_successes boolean,
    code_id uuid, code_bound text, code_verified_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT
        person.is_active, person.is_superuser,
        ARRAY(SELECT member.role::text FROM ledger_membership member
              WHERE member.user_id = p_user AND member.company_id = p_company
                AND (member.region_id IS NULL
                     OR member.region_id = p_region
                        AND (member.branch_id IS NULL OR member.branch_id = p_branch))),
        ARRAY(SELECT unnest(ARRAY[approval.approver_id, approval.on_behalf_of_id])
              FROM treasury_requisitionapproval approval
              WHERE approval.requisition_id = p_requisition AND approval.version = p_requisition_version),
        EXISTS (SELECT FROM treasury_incident incident
                JOIN treasury_payment other ON other.payment_id = incident.payment_id
                WHERE other.requisition_id = p_requisition AND incident.kind = 'late_success'),
        code.code_id, code.bound_digest::text, code.verified_at
    FROM ledger_user person
    LEFT JOIN treasury_onetimecode code
        ON code.payment_id = p_payment AND code.payment_version = p_version AND code.executor_id = p_user
       AND code.verified_at IS NOT NULL AND code.consumed_at IS NULL AND code.voided_at IS NULL
       AND code.expires_at > ledger_clock()
    WHERE person.id = p_user;
END $$;

CREATE OR REPLACE FUNCTION treasury_settle_one(
    p_postings jsonb, p_inner bytea, p_outer bytea, p_settlements jsonb, p_by jsonb)
RETURNS TABLE (payment uuid, journal_entry uuid, executed_at timestamptz, requisition_paid boolean,
               available numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
-- A plan that was made while the tables were empty would scan them for as long as the session lives.
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    told treasury_settlement := jsonb_populate_record(NULL::treasury_settlement, p_settlements -> 0);
    executor uuid := p_by ->> 'executor_id';
    address inet := p_by ->> 'ip_address';
    agent text := p_by ->> 'user_agent';
    named text := 'treasury.payment:' || told.payment;
    paid treasury_payment%ROWTYPE;
BEGIN
    IF told.code IS NOT NULL THEN
        PERFORM treasury_consume_code(told.code, told.payment);
    END IF;

    UPDATE treasury_payment target
        SET status = 'success', executor_id = executor, last_error = '', spent_on = told.spent_on
        WHERE target.payment_id = told.payment RETURNING * INTO paid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % is not here', told.payment;
    END IF;
    payment := paid.payment_id;

    SELECT posted.journal_entry INTO journal_entry
        FROM ledger_post(p_postings, p_inner, p_outer) posted;

    INSERT INTO treasury_paymentexecution (execution_id, payment_id, company_id, requester_id, executor_id,
            gateway_reference, gateway_status, otp_verified_at, otp_verified_by_id, ip_address, user_agent,
            journal_entry_id)
        VALUES (told.execution, paid.payment_id, paid.company_id, paid.requester_id, executor,
                p_by ->> 'gateway_reference', p_by ->> 'gateway_status', told.code_verified_at,
                told.code_verified_by, address, agent, journal_entry)
        RETURNING created_at INTO executed_at;

    PERFORM treasury_tell(paid.company_id, 'payment.succeeded', named, told.event);

    -- A requisition is paid once payments that went out come to its whole amount.
    UPDATE treasury_requisition wanted SET status = 'paid'
        WHERE wanted.requisition_id = paid.requisition_id AND wanted.status = 'approved'
          AND wanted.amount = (SELECT sum(other.amount) FROM treasury_payment other
                               WHERE other.requisition_id = paid.requisition_id
                                 AND other.status IN ('success', 'reconciled'));
    requisition_paid := FOUND;
    IF requisition_paid THEN
        PERFORM treasury_tell(paid.company_id, 'requisition.paid',
                              'treasury.requisition:' || paid.requisition_id, told.requisition_event);
    END IF;

    INSERT INTO ledger_auditevent (id, at, company_id, actor_id, actor_name, action, subject, outcome, code,
                                   detail, before, after, ip_address, user_agent, request_id)
        VALUES (gen_random_uuid(), ledger_clock(), paid.company_id, (p_by ->> 'actor_id')::uuid,
                p_by ->> 'actor_name', 'payment.settle', named, 'done', '', '', told.before, told.after,
                address, agent, p_by ->> 'request_id');

    SELECT account.balance - account.held INTO available
        FROM ledger_account account
        WHERE account.id = (SELECT fund.account_id FROM treasury_treasuryfund fund
                            WHERE fund.fund_id = paid.fund_id);
    RETURN NEXT;
END $$;

CREATE FUNCTION treasury_consume_code(p_code uuid, p_payment uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE treasury_onetimecode SET consumed_at = ledger_clock()
        WHERE code_id = p_code AND payment_id = p_payment AND verified_at IS NOT NULL
          AND consumed_at IS NULL AND voided_at IS NULL AND expires_at > ledger_clock();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the verified code is not good now'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_code_good';
    END IF;
END $$;

-- One event in the outbox, under the lock of its subject, whose events are counted.
CREATE FUNCTION treasury_tell(p_company uuid, p_kind text, p_subject text, p_payload jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
        VALUES (gen_random_uuid(), p_company, p_kind, p_subject,
                1 + coalesce((SELECT max(told.sequence) FROM ledger_outboxevent told
                              WHERE told.subject = p_subject), 0),
                p_payload);
END $$;

CREATE OR REPLACE FUNCTION treasury_mark_paid(p_rows treasury_settlement[]) RETURNS void
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
