-- The reverse of laws.sql.
DROP TRIGGER while_open ON periods_contribution;
DROP TRIGGER while_open ON periods_expense;
DROP TRIGGER while_open ON periods_servicecharge;
DROP TRIGGER while_open ON periods_reading;
DROP TRIGGER while_open ON periods_budgetitem;
DROP TRIGGER while_open ON periods_scopedproperty;
DROP TRIGGER dated_within ON periods_contribution;
DROP TRIGGER dated_within ON periods_expense;
DROP TRIGGER dated_within ON periods_servicecharge;
DROP TRIGGER voided_once ON periods_contribution;
DROP TRIGGER voided_once ON periods_expense;
DROP TRIGGER voided_once ON periods_servicecharge;
DROP TRIGGER voided_once ON periods_reading;
DROP FUNCTION periods_guard_date();
DROP FUNCTION periods_guard_scope();
DROP FUNCTION periods_guard_record();
DROP FUNCTION periods_require_open(uuid);
ALTER TABLE periods_association
    DROP CONSTRAINT periods_association_cash_same,
    DROP CONSTRAINT periods_association_clearing_same,
    DROP CONSTRAINT periods_association_costs_same,
    DROP CONSTRAINT periods_association_equity_same,
    DROP CONSTRAINT periods_association_fund_same;
ALTER TABLE periods_owner
    DROP CONSTRAINT periods_owner_same,
    DROP CONSTRAINT periods_owner_account_same;
ALTER TABLE periods_ownership
    DROP CONSTRAINT periods_ownership_property_same,
    DROP CONSTRAINT periods_ownership_owner_same,
    DROP CONSTRAINT periods_ownership_follows;
ALTER TABLE periods_serviceperiod
    DROP CONSTRAINT periods_period_previous_same,
    DROP CONSTRAINT periods_period_follows;
ALTER TABLE periods_budgetitem
    DROP CONSTRAINT periods_budgetitem_same;
ALTER TABLE periods_scopedproperty
    DROP CONSTRAINT periods_scopedproperty_item_same,
    DROP CONSTRAINT periods_scopedproperty_property_same;
ALTER TABLE periods_contribution
    DROP CONSTRAINT periods_contribution_same,
    DROP CONSTRAINT periods_contribution_owner_same;
ALTER TABLE periods_expense
    DROP CONSTRAINT periods_expense_same,
    DROP CONSTRAINT periods_expense_paid_by_same,
    DROP CONSTRAINT periods_expense_item_same,
    DROP CONSTRAINT periods_expense_refund_same;
ALTER TABLE periods_servicecharge
    DROP CONSTRAINT periods_charge_same,
    DROP CONSTRAINT periods_charge_owner_same,
    DROP CONSTRAINT periods_charge_reading_same;
ALTER TABLE periods_meter
    DROP CONSTRAINT periods_meter_property_same,
    DROP CONSTRAINT periods_meter_item_same;
ALTER TABLE periods_reading
    DROP CONSTRAINT periods_reading_same,
    DROP CONSTRAINT periods_reading_meter_same;
