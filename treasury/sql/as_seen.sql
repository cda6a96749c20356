-- Settling in one statement what was looked at before, without a lock: the locks are taken here, and nothing is
-- written unless everything stands as it was seen. So nobody waits while the caller decides.

-- What a payment, its requisition, its fund and its company were, and what treasury_seen said of the person
-- before it. A row that was written since has another xmin.
CREATE FUNCTION treasury_standing(p_payment uuid, p_user uuid) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    standing text;
BEGIN
    SELECT (payment.xmin, requisition.xmin, fund.xmin, company.xmin, seen.active, seen.superuser, seen.roles,
            seen.approvers, seen.late_successes, seen.code_id)::text
        INTO standing
        FROM treasury_payment payment
        JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
        JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
        JOIN ledger_company company ON company.id = payment.company_id
        CROSS JOIN LATERAL treasury_seen(
            payment.payment_id, payment.version, requisition.requisition_id, requisition.version, p_user,
            fund.company_id, fund.region_id, fund.branch_id) seen
        WHERE payment.payment_id = p_payment;
    RETURN standing;
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
BEGIN
    SELECT fund.reorder_level INTO reorder_level
        FROM treasury_payment payment
        JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
        JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
        WHERE payment.payment_id = p_payment
        FOR NO KEY UPDATE OF fund, requisition, payment;
    -- Statements of their own, which see what was committed while these locks were waited for.
    IF treasury_standing(p_payment, p_user) IS DISTINCT FROM p_seen
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
