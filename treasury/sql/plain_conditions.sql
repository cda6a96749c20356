-- Whether a trigger fires is asked for each statement on a payment; a function named there is parsed anew each
-- time. The conditions are those of laws.sql and spending.sql, written out.

DROP TRIGGER commit_changed_amount ON treasury_payment;
CREATE TRIGGER commit_changed_amount AFTER UPDATE OF status, amount ON treasury_payment
    FOR EACH ROW WHEN (NEW.amount <> OLD.amount
                       OR (NEW.status IN ('cancelled', 'reversed'))
                          <> (OLD.status IN ('cancelled', 'reversed')))
    EXECUTE FUNCTION treasury_commit_amount();

DROP TRIGGER dates_spending ON treasury_payment;
CREATE TRIGGER dates_spending BEFORE INSERT OR UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN ((NEW.spent_on IS NOT NULL)
                       = (NEW.status IN ('pending', 'failed', 'cancelled')))
    EXECUTE FUNCTION treasury_date_spending();
