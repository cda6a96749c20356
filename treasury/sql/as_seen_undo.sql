DROP FUNCTION treasury_settle_as_seen(uuid, uuid, text, jsonb, bytea, bytea, jsonb, jsonb);
DROP FUNCTION treasury_seen(uuid, uuid);
DROP VIEW treasury_standing;

CREATE FUNCTION treasury_seen(
    p_payment uuid, p_version integer, p_requisition uuid, p_requisition_version integer, p_user uuid,
    p_company uuid, p_region uuid, p_branch uuid)
RETURNS TABLE (
    active boolean, superuser boolean, roles text[], approvers uuid[], late_successes boolean,
    code_id uuid, code_bound text, code_verified_at timestamptz, at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moment timestamptz := ledger_clock();
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
        code.code_id, code.bound_digest::text, code.verified_at, moment
    FROM ledger_user person
    LEFT JOIN treasury_onetimecode code
        ON code.payment_id = p_payment AND code.payment_version = p_version AND code.executor_id = p_user
       AND code.verified_at IS NOT NULL AND code.consumed_at IS NULL AND code.voided_at IS NULL
       AND code.expires_at > moment
    WHERE person.id = p_user;
END $$;
