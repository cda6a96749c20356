ALTER TABLE treasury_reconciliation DROP CONSTRAINT treasury_reconciliation_same_executor;
ALTER TABLE treasury_paymentexecution DROP CONSTRAINT treasury_execution_same_payment;
ALTER TABLE treasury_payment DROP CONSTRAINT treasury_payment_same_policy,
    DROP CONSTRAINT treasury_payment_same_requisition;
ALTER TABLE treasury_requisitionapproval DROP CONSTRAINT treasury_approval_same_requester;
ALTER TABLE treasury_replenishmentrequest DROP CONSTRAINT treasury_replenishment_same_fund;
ALTER TABLE treasury_requisition DROP CONSTRAINT treasury_requisition_same_fund;
ALTER TABLE treasury_treasuryfund DROP CONSTRAINT treasury_fund_account_same,
    DROP CONSTRAINT treasury_fund_spending_same, DROP CONSTRAINT treasury_fund_funding_same,
    DROP CONSTRAINT treasury_fund_variance_same, DROP CONSTRAINT treasury_fund_suspense_same,
    DROP CONSTRAINT treasury_fund_clearing_same;
ALTER TABLE ledger_company DROP CONSTRAINT treasury_company_policy;
DROP TRIGGER committed_by_payments ON treasury_requisition;
DROP TRIGGER fixed_when_sent ON treasury_payment;
DROP TRIGGER commit_changed_amount ON treasury_payment;
DROP FUNCTION treasury_guard_approval() CASCADE;
DROP FUNCTION treasury_commit_amount() CASCADE;
DROP FUNCTION treasury_live_amount(text, numeric);
DROP FUNCTION treasury_guard_new_requisition() CASCADE;
DROP FUNCTION treasury_guard_execution() CASCADE;
DROP FUNCTION treasury_require_execution() CASCADE;
DROP FUNCTION treasury_guard_execution_record() CASCADE;
DROP FUNCTION treasury_guard_attachment() CASCADE;
