DROP TRIGGER commit_changed_amount ON treasury_payment;
CREATE TRIGGER commit_changed_amount AFTER UPDATE OF status, amount ON treasury_payment
    FOR EACH ROW WHEN (treasury_live_amount(NEW.status, NEW.amount)
                       <> treasury_live_amount(OLD.status, OLD.amount))
    EXECUTE FUNCTION treasury_commit_amount();

DROP TRIGGER dates_spending ON treasury_payment;
CREATE TRIGGER dates_spending BEFORE INSERT OR UPDATE OF status, spent_on ON treasury_payment
    FOR EACH ROW WHEN ((NEW.spent_on IS NOT NULL) <> treasury_is_spent(NEW.status))
    EXECUTE FUNCTION treasury_date_spending();
