DROP TRIGGER refunded_no_more ON periods_expense;
DROP TRIGGER refunds_no_more ON periods_expense;
DROP FUNCTION periods_guard_refunded();
DROP FUNCTION periods_guard_refund();
DROP FUNCTION periods_require_refunds(uuid, numeric);
