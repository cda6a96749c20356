-- Claiming an idempotency key: whether it is free for this transaction, and the answer kept under it, if any.
CREATE FUNCTION ledger_claim_key(p_lock bigint, p_user uuid, p_scope text, p_key text)
RETURNS TABLE (free boolean, request_hash bytea, status_code smallint, body text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    free := pg_try_advisory_xact_lock(p_lock);
    IF free THEN
        -- A statement of its own: it sees what the holder before us has committed.
        SELECT kept.request_hash, kept.status_code, kept.body::text
            INTO request_hash, status_code, body
            FROM ledger_idempotencykey kept
            WHERE kept.user_id = p_user AND kept.scope = p_scope AND kept.key = p_key;
    END IF;
    RETURN NEXT;
END $$;
