DROP FUNCTION ledger_forget_messages(timestamptz, integer);
DROP TRIGGER no_delete ON ledger_webhooktry;
DROP TRIGGER append_only ON ledger_webhooktry;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_webhooktry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
DROP TRIGGER no_delete ON ledger_webhookdelivery;
CREATE TRIGGER no_delete BEFORE DELETE ON ledger_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
DROP FUNCTION ledger_guard_kept_message();
