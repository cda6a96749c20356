-- Keeping an answer by an expression, before what it is about is done in the same statement: so nobody who waits for
-- a lock of that waits for this. Whatever is not done has to raise, and takes the answer with it.
CREATE OR REPLACE FUNCTION ledger_keep_answer(
    p_id uuid, p_user uuid, p_scope text, p_key text, p_request_hash bytea, p_status_code smallint, p_body jsonb)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body)
        VALUES (p_id, p_user, p_scope, p_key, p_request_hash, p_status_code, p_body);
    RETURN true;
END $$;
