-- A requisition may debit another account than the fund's spending account: one of the fund's company and
-- currency, no account of any fund, fixed from the beginning, so that whoever approves it approves that too.

ALTER TABLE treasury_requisition
    ADD CONSTRAINT treasury_requisition_same_debit FOREIGN KEY (debit_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);

CREATE FUNCTION treasury_guard_debit_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_treasuryfund
        WHERE NEW.debit_account_id IN (account_id, spending_account_id, funding_account_id,
                                       variance_account_id, suspense_account_id, clearing_account_id);
    IF FOUND THEN
        RAISE EXCEPTION 'requisition % debits an account of a fund', NEW.requisition_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_requisition_debits_no_fund';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER debits_no_fund BEFORE INSERT ON treasury_requisition
    FOR EACH ROW WHEN (NEW.debit_account_id IS NOT NULL)
    EXECUTE FUNCTION treasury_guard_debit_account();

-- The other way round: what a requisition debits never becomes an account of a fund.
CREATE FUNCTION treasury_guard_fund_accounts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_requisition
        WHERE debit_account_id IN (NEW.account_id, NEW.spending_account_id, NEW.funding_account_id,
                                   NEW.variance_account_id, NEW.suspense_account_id,
                                   NEW.clearing_account_id);
    IF FOUND THEN
        RAISE EXCEPTION 'fund % takes an account that a requisition debits', NEW.fund_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_fund_debited_by_none';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER debited_by_none BEFORE INSERT ON treasury_treasuryfund
    FOR EACH ROW EXECUTE FUNCTION treasury_guard_fund_accounts();

-- What it was raised for says the amount.
CREATE TRIGGER follows_source BEFORE UPDATE OF amount ON treasury_requisition
    FOR EACH ROW WHEN (OLD.source <> '' AND NEW.amount <> OLD.amount)
    EXECUTE FUNCTION ledger_refuse_change();
