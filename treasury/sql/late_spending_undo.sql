DROP TRIGGER counts_what_left ON treasury_payment;
DROP TRIGGER follow_spending ON treasury_payment;
CREATE TRIGGER follow_spending AFTER UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN (NEW.spent_on IS DISTINCT FROM OLD.spent_on)
    EXECUTE FUNCTION treasury_follow_spending();
DROP FUNCTION treasury_count_what_left();
DROP FUNCTION treasury_has_left(uuid, text);
