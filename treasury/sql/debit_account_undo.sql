DROP TRIGGER follows_source ON treasury_requisition;
DROP TRIGGER debited_by_none ON treasury_treasuryfund;
DROP FUNCTION treasury_guard_fund_accounts();
DROP TRIGGER debits_no_fund ON treasury_requisition;
DROP FUNCTION treasury_guard_debit_account();
ALTER TABLE treasury_requisition DROP CONSTRAINT treasury_requisition_same_debit;
