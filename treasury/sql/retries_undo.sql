DROP TRIGGER automatic_from_the_start ON treasury_paymentattempt;
DROP TRIGGER repeats_in_the_same_name ON treasury_paymentattempt;
DROP TRIGGER ends_retry ON treasury_payment;
DROP TRIGGER retries_what_passes ON treasury_payment;
DROP FUNCTION treasury_guard_automatic();
DROP FUNCTION treasury_end_retry();
DROP FUNCTION treasury_guard_retry();
