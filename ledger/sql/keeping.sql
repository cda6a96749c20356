-- Keeping an answer in the expression that makes it: p_done is what the request did, and null if it did nothing.
CREATE FUNCTION ledger_keep_answer(
    p_done boolean, p_id uuid, p_user uuid, p_scope text, p_key text, p_request_hash bytea,
    p_status_code smallint, p_body jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_done IS NOT NULL THEN
        INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body)
            VALUES (p_id, p_user, p_scope, p_key, p_request_hash, p_status_code, p_body);
    END IF;
    RETURN p_done;
END $$;
