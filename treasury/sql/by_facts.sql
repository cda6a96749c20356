-- Settling one payment is told by its facts, each a parameter: to take JSON apart costs more than several of the
-- rows that are written. What is written, and what watches over it, is what it was (known_answers.sql, as_seen.sql).

-- What is known of a payment before it is settled. The ids of what will be written come from the caller, for
-- PostgreSQL takes longer to make one; told is what the audit trail and the outbox say: before, after, event,
-- requisition_event.
CREATE TYPE treasury_facts AS (
    payment uuid,
    executor uuid,
    executed_at timestamptz,
    spent_on date,
    code uuid,
    code_verified_at timestamptz,
    code_verified_by uuid,
    gateway_reference text,
    gateway_status text,
    execution uuid,
    journal_entry uuid,
    description text,
    effective_on date,
    releases text,
    debit_line uuid,
    debited uuid,
    credit_line uuid,
    credited uuid,
    amount numeric,
    currency text,
    told jsonb,
    event uuid,
    requisition_event uuid,
    audit_event uuid,
    actor uuid,
    actor_name text,
    ip_address inet,
    user_agent text,
    request_id text
);

-- Returns the journal entry, which is an earlier one if the payment's reference was posted before, when it was
-- executed, whether the requisition is paid by now, and what the fund has left.
CREATE FUNCTION treasury_settle_told(
    p treasury_facts, p_inner bytea, p_outer bytea,
    OUT journal_entry uuid, OUT executed_at timestamptz, OUT requisition_paid boolean, OUT available numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
-- A plan that was made while the tables were empty would scan them for as long as the session lives.
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    named text := 'treasury.payment:' || p.payment;
    paid record;
BEGIN
    executed_at := coalesce(p.executed_at, ledger_clock());
    -- A verified code is used up by the payment it is for, once, before it ends.
    IF p.code IS NOT NULL THEN
        UPDATE treasury_onetimecode SET consumed_at = executed_at
            WHERE code_id = p.code AND payment_id = p.payment AND verified_at IS NOT NULL
              AND consumed_at IS NULL AND voided_at IS NULL AND expires_at > ledger_clock();
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the verified code is not good now'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_code_good';
        END IF;
    END IF;

    UPDATE treasury_payment
        SET status = 'success', executor_id = p.executor, last_error = '', spent_on = p.spent_on
        WHERE payment_id = p.payment RETURNING company_id, requester_id, requisition_id, amount INTO paid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % is not here', p.payment;
    END IF;

    journal_entry := ledger_post_two(
        p.journal_entry, paid.company_id, named, p.description, p.effective_on, p.executor, NULL, p.releases,
        p.debit_line, p.debited, 'debit', p.amount, p.currency,
        p.credit_line, p.credited, 'credit', p.amount, p.currency, p_inner, p_outer);

    INSERT INTO treasury_paymentexecution (execution_id, payment_id, company_id, requester_id, executor_id,
            gateway_reference, gateway_status, otp_verified_at, otp_verified_by_id, ip_address, user_agent,
            journal_entry_id, created_at)
        VALUES (p.execution, p.payment, paid.company_id, paid.requester_id, p.executor,
                p.gateway_reference, p.gateway_status, p.code_verified_at, p.code_verified_by, p.ip_address,
                p.user_agent, journal_entry, executed_at);

    -- A requisition is paid once payments that went out come to its whole amount. They are looked up by the
    -- requisition alone: by their status PostgreSQL might search all that ever went out.
    UPDATE treasury_requisition asked SET status = 'paid'
        WHERE asked.requisition_id = paid.requisition_id AND asked.status = 'approved'
          AND (asked.amount = paid.amount
               OR asked.amount = (SELECT sum(other.amount) FILTER (WHERE other.status IN ('success', 'reconciled'))
                                  FROM treasury_payment other
                                  WHERE other.requisition_id = paid.requisition_id));
    requisition_paid := FOUND;

    -- Events are counted under the lock of their subject.
    INSERT INTO ledger_outboxevent (id, company_id, kind, subject, sequence, payload)
        SELECT event.id, paid.company_id, event.kind, event.subject,
               1 + coalesce((SELECT max(earlier.sequence) FROM ledger_outboxevent earlier
                             WHERE earlier.subject = event.subject), 0),
               event.payload
        FROM (VALUES (true, p.event, 'payment.succeeded', named, p.told -> 'event'),
                     (requisition_paid, p.requisition_event, 'requisition.paid',
                      'treasury.requisition:' || paid.requisition_id, p.told -> 'requisition_event'))
            event (happened, id, kind, subject, payload)
        WHERE event.happened;

    INSERT INTO ledger_auditevent (id, at, company_id, actor_id, actor_name, action, subject, outcome, code,
                                   detail, before, after, ip_address, user_agent, request_id)
        VALUES (p.audit_event, executed_at, paid.company_id, p.actor, p.actor_name, 'payment.settle', named,
                'done', '', '', p.told -> 'before', p.told -> 'after', p.ip_address, p.user_agent, p.request_id);

    available := (SELECT account.balance - account.held FROM ledger_account account WHERE account.id = p.credited);
END $$;

-- What the rules weigh besides the rows themselves: what a person is at a fund, who approved a requisition as it is or
-- had it approved, and whether a payment of it succeeded late; in one order, however it is looked up.
CREATE FUNCTION treasury_weighed(
    p_user uuid, p_company uuid, p_region uuid, p_branch uuid, p_requisition uuid, p_requisition_version integer)
RETURNS TABLE (roles text[], approvers uuid[], late_successes boolean)
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT member.role::text FROM ledger_membership member
                 WHERE member.user_id = p_user AND member.company_id = p_company
                   AND (member.region_id IS NULL
                        OR member.region_id = p_region
                           AND (member.branch_id IS NULL OR member.branch_id = p_branch))
                 ORDER BY 1),
           ARRAY(SELECT unnest(ARRAY[approval.approver_id, approval.on_behalf_of_id])
                 FROM treasury_requisitionapproval approval
                 WHERE approval.requisition_id = p_requisition AND approval.version = p_requisition_version
                 ORDER BY 1),
           EXISTS (SELECT FROM treasury_incident incident
                   JOIN treasury_payment other ON other.payment_id = incident.payment_id
                   WHERE other.requisition_id = p_requisition AND incident.kind = 'late_success')
    OFFSET 0  -- reckoned once, wherever it stands in what this becomes a part of
$$;

-- As it was, and with the rows themselves. Whether a code is still good is asked when it is used up, so it is no part
-- of the standing.
CREATE OR REPLACE VIEW treasury_standing WITH (security_invoker = true) AS
    SELECT payment.payment_id, person.id AS user_id, person.is_active AS active,
           person.is_superuser AS superuser, told.roles, told.approvers, told.late_successes,
           code.code_id, code.bound_digest::text AS code_bound, code.verified_at AS code_verified_at,
           (payment.xmin, requisition.xmin, fund.xmin, company.xmin, person.is_active, person.is_superuser,
            told.roles, told.approvers, told.late_successes)::text AS standing,
           payment, requisition, fund, company
    FROM treasury_payment payment
    JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
    JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
    JOIN ledger_company company ON company.id = payment.company_id
    CROSS JOIN ledger_user person
    CROSS JOIN LATERAL treasury_weighed(
        person.id, fund.company_id, fund.region_id, fund.branch_id,
        requisition.requisition_id, requisition.version) told
    LEFT JOIN treasury_onetimecode code
        ON code.payment_id = payment.payment_id AND code.payment_version = payment.version
       AND code.executor_id = person.id AND code.verified_at IS NOT NULL AND code.consumed_at IS NULL
       AND code.voided_at IS NULL AND code.expires_at > ledger_clock();

-- The same, with the locks, if all stands as it was seen. Returns whether the requisition is paid now, and nothing,
-- having written nothing, where something stands otherwise than p_seen says, or where the locks took so long that
-- p would tell a wrong time. A fund that would run low is refused: it has to be asked in the same transaction that
-- it be filled. So is what would not be posted anew, for the answer names the journal entry.
CREATE FUNCTION treasury_settle_as_seen(p_seen text, p treasury_facts, p_inner bytea, p_outer bytea)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    locked record;
    found_now text;
    settled record;
BEGIN
    SELECT fund.reorder_level, fund.company_id, fund.region_id, fund.branch_id, requisition.requisition_id,
           requisition.version, payment.xmin AS payment, requisition.xmin AS requisition, fund.xmin AS fund
        INTO locked
        FROM treasury_payment payment
        JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
        JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
        WHERE payment.payment_id = p.payment
        FOR NO KEY UPDATE OF fund, requisition, payment;
    -- A statement of its own, which sees what was committed while these locks were waited for.
    SELECT (locked.payment, locked.requisition, locked.fund, company.xmin, person.is_active, person.is_superuser,
            told.roles, told.approvers, told.late_successes)::text INTO found_now
        FROM ledger_company company CROSS JOIN ledger_user person
        CROSS JOIN LATERAL treasury_weighed(
            person.id, company.id, locked.region_id, locked.branch_id,
            locked.requisition_id, locked.version) told
        WHERE company.id = locked.company_id AND person.id = p.executor;
    IF found_now IS DISTINCT FROM p_seen OR ledger_clock() > p.executed_at + interval '1 second' THEN
        RETURN NULL;
    END IF;
    settled := treasury_settle_told(p, p_inner, p_outer);
    IF settled.available < locked.reorder_level THEN
        RAISE EXCEPTION 'the fund runs low'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_fund_low';
    END IF;
    IF settled.journal_entry IS DISTINCT FROM p.journal_entry THEN
        RAISE EXCEPTION 'payment %: its reference was posted before', p.payment
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'treasury_posted_before';
    END IF;
    RETURN settled.requisition_paid;
END $$;
