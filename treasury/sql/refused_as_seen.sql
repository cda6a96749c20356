-- What treasury_settle_told does, with the locks, if all stands as it was seen. Returns whether the requisition is
-- paid now. Refused is what stands otherwise than p_seen says, and what waited so long for its locks that p would
-- tell a wrong time. So is a fund that would run low: it has to be asked in the same transaction that it be filled.
-- And so is what would not be posted anew, for the answer names the journal entry.
CREATE OR REPLACE FUNCTION treasury_settle_as_seen(p_seen text, p treasury_facts, p_inner bytea, p_outer bytea)
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
        RAISE EXCEPTION 'payment % stands otherwise than it was seen', p.payment
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_as_seen';
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
