DROP TRIGGER reopened_duly ON treasury_requisition;
DROP TRIGGER by_two_people ON treasury_payment;
DROP TRIGGER decided_once ON treasury_latesuccess;
DROP TRIGGER decided_once ON treasury_reversal;
DROP FUNCTION treasury_guard_reopening();
DROP FUNCTION treasury_require_two_people();
ALTER TABLE treasury_latesuccess
    DROP CONSTRAINT treasury_latesuccess_same_incident,
    DROP CONSTRAINT treasury_latesuccess_same_executor,
    DROP CONSTRAINT treasury_latesuccess_same_payment;
ALTER TABLE treasury_reversal
    DROP CONSTRAINT treasury_reversal_same_executor,
    DROP CONSTRAINT treasury_reversal_same_payment;
ALTER TABLE treasury_incident DROP CONSTRAINT treasury_incident_copied;
ALTER TABLE treasury_paymentattempt DROP CONSTRAINT treasury_attempt_executor;
