-- Messages to webhooks are kept for a while after they were delivered or given up, a month at least, and then
-- go with the record of their tries. The events themselves stay. Nothing else deletes a message.

CREATE FUNCTION ledger_guard_kept_message() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    message uuid := to_jsonb(OLD) ->> TG_ARGV[0];
BEGIN
    PERFORM FROM ledger_webhookdelivery
        WHERE id = message AND status <> 'pending'
          AND finished_at < ledger_clock() - interval '30 days';
    IF NOT FOUND THEN
        RAISE EXCEPTION '% on % is refused: this is kept as it was written', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = TG_TABLE_NAME || '_' || TG_NAME;
    END IF;
    RETURN OLD;
END $$;

DROP TRIGGER no_delete ON ledger_webhookdelivery;
CREATE TRIGGER no_delete BEFORE DELETE ON ledger_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_kept_message('id');
DROP TRIGGER append_only ON ledger_webhooktry;
CREATE TRIGGER append_only BEFORE UPDATE ON ledger_webhooktry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON ledger_webhooktry
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_kept_message('delivery_id');

-- The application's role may not delete; it may ask for this. What another worker has in hand is left.
CREATE FUNCTION ledger_forget_messages(p_before timestamptz, p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone uuid[];
BEGIN
    SELECT array_agg(old.id) INTO gone FROM (
        SELECT id FROM ledger_webhookdelivery
        WHERE status <> 'pending' AND finished_at < p_before
        ORDER BY finished_at, id LIMIT p_most FOR UPDATE SKIP LOCKED) old;
    DELETE FROM ledger_webhooktry WHERE delivery_id = ANY (gone);
    DELETE FROM ledger_webhookdelivery WHERE id = ANY (gone);
    RETURN coalesce(cardinality(gone), 0);
END $$;
REVOKE ALL ON FUNCTION ledger_forget_messages(timestamptz, integer) FROM PUBLIC;
