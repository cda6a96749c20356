-- Settling in one statement what was looked at before, without a lock: the locks are taken here, and nothing is
-- written unless everything stands as it was seen. So nobody waits while the caller decides.

-- What decides whether a person may execute a payment now, and what all of it comes to: as long as two looks find
-- the same standing, whatever the rules read is the same. A row that was written since has another xmin.
CREATE VIEW treasury_standing WITH (security_invoker = true) AS
    SELECT payment.payment_id, person.id AS user_id, person.is_active AS active,
           person.is_superuser AS superuser, told.roles, told.approvers, told.late_successes,
           code.code_id, code.bound_digest::text AS code_bound, code.verified_at AS code_verified_at,
           (payment.xmin, requisition.xmin, fund.xmin, company.xmin, person.is_active, person.is_superuser,
            told.roles, told.approvers, told.late_successes, code.code_id)::text AS standing
    FROM treasury_payment payment
    JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
    JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
    JOIN ledger_company company ON company.id = payment.company_id
    CROSS JOIN ledger_user person
    -- Reckoned once for each payment, wherever it stands above.
    CROSS JOIN LATERAL (
        SELECT ARRAY(SELECT member.role::text FROM ledger_membership member
                     WHERE member.user_id = person.id AND member.company_id = fund.company_id
                       AND (member.region_id IS NULL
                            OR member.region_id = fund.region_id
                               AND (member.branch_id IS NULL OR member.branch_id = fund.branch_id))
                    ) AS roles,
               ARRAY(SELECT unnest(ARRAY[approval.approver_id, approval.on_behalf_of_id])
                     FROM treasury_requisitionapproval approval
                     WHERE approval.requisition_id = requisition.requisition_id
                       AND approval.version = requisition.version) AS approvers,
               EXISTS (SELECT FROM treasury_incident incident
                       JOIN treasury_payment other ON other.payment_id = incident.payment_id
                       WHERE other.requisition_id = requisition.requisition_id
                         AND incident.kind = 'late_success') AS late_successes
        OFFSET 0) told
    LEFT JOIN treasury_onetimecode code
        ON code.payment_id = payment.payment_id AND code.payment_version = payment.version
       AND code.executor_id = person.id AND code.verified_at IS NOT NULL AND code.consumed_at IS NULL
       AND code.voided_at IS NULL AND code.expires_at > ledger_clock();

DROP FUNCTION treasury_seen(uuid, integer, uuid, integer, uuid, uuid, uuid, uuid);
-- The same for whoever has locked the payment in the same statement: a function sees what was committed while its
-- caller waited for the locks.
CREATE FUNCTION treasury_seen(p_payment uuid, p_user uuid)
RETURNS TABLE (
    active boolean, superuser boolean, roles text[], approvers uuid[], late_successes boolean,
    code_id uuid, code_bound text, code_verified_at timestamptz, at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT seen.active, seen.superuser, seen.roles, seen.approvers, seen.late_successes,
            seen.code_id, seen.code_bound, seen.code_verified_at, ledger_clock()
        FROM treasury_standing seen WHERE seen.payment_id = p_payment AND seen.user_id = p_user;
END $$;

-- Returns no row, having written nothing, where something stands otherwise than p_seen says, or where the locks
-- took so long that p_by would tell a wrong time. A fund that would run low is refused: it has to be asked in the
-- same transaction that it be filled.
CREATE FUNCTION treasury_settle_as_seen(
    p_payment uuid, p_user uuid, p_seen text,
    p_postings jsonb, p_inner bytea, p_outer bytea, p_settlements jsonb, p_by jsonb)
RETURNS TABLE (payment uuid, journal_entry uuid, executed_at timestamptz, requisition_paid boolean,
               available numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    reorder_level numeric;
    found_now text;
BEGIN
    SELECT fund.reorder_level INTO reorder_level
        FROM treasury_payment payment
        JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
        JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
        WHERE payment.payment_id = p_payment
        FOR NO KEY UPDATE OF fund, requisition, payment;
    -- A statement of its own, which sees what was committed while these locks were waited for.
    SELECT now.standing INTO found_now
        FROM treasury_standing now WHERE now.payment_id = p_payment AND now.user_id = p_user;
    IF found_now IS DISTINCT FROM p_seen
            OR ledger_clock() > (p_by ->> 'executed_at')::timestamptz + interval '1 second' THEN
        RETURN;
    END IF;
    SELECT settled.* INTO payment, journal_entry, executed_at, requisition_paid, available
        FROM treasury_settle_one(p_postings, p_inner, p_outer, p_settlements, p_by) settled;
    IF available < reorder_level THEN
        RAISE EXCEPTION 'the fund runs low'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_fund_low';
    END IF;
    RETURN NEXT;
END $$;
