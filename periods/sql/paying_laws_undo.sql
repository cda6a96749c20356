DROP TRIGGER leaves_payment ON periods_expense;
DROP FUNCTION periods_guard_leaving_payment();
DROP TRIGGER paid_as_raised ON periods_expense;
DROP FUNCTION periods_guard_payment();
