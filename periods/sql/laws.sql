-- What periods promises, kept by the database: everything of an association stays within it, its periods and
-- the owners of a property follow each other without gap or overlap, and a closed period does not change.

ALTER TABLE periods_association
    ADD CONSTRAINT periods_association_cash_same FOREIGN KEY (cash_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT periods_association_clearing_same
        FOREIGN KEY (clearing_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT periods_association_costs_same FOREIGN KEY (costs_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT periods_association_equity_same FOREIGN KEY (equity_account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency),
    ADD CONSTRAINT periods_association_fund_same FOREIGN KEY (fund_id, company_id, currency)
        REFERENCES treasury_treasuryfund (fund_id, company_id, currency);

ALTER TABLE periods_owner
    ADD CONSTRAINT periods_owner_same FOREIGN KEY (association_id, company_id, currency)
        REFERENCES periods_association (id, company_id, currency),
    ADD CONSTRAINT periods_owner_account_same FOREIGN KEY (account_id, company_id, currency)
        REFERENCES ledger_account (id, company_id, currency);

-- A property always has an owner: where one ends, the next begins. With one that goes on and ends that are
-- unique, ownerships of a property form one chain.
ALTER TABLE periods_ownership
    ADD CONSTRAINT periods_ownership_property_same FOREIGN KEY (property_id, association_id)
        REFERENCES periods_property (id, association_id),
    ADD CONSTRAINT periods_ownership_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id),
    ADD CONSTRAINT periods_ownership_follows FOREIGN KEY (property_id, until_on)
        REFERENCES periods_ownership (property_id, from_on) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE periods_serviceperiod
    ADD CONSTRAINT periods_period_previous_same FOREIGN KEY (previous_id, association_id, previous_end)
        REFERENCES periods_serviceperiod (id, association_id, end_date),
    ADD CONSTRAINT periods_period_follows CHECK (
        (previous_id IS NULL) = (previous_end IS NULL)
        AND (previous_end IS NULL OR start_date = previous_end + 1));

ALTER TABLE periods_budgetitem
    ADD CONSTRAINT periods_budgetitem_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id);

ALTER TABLE periods_scopedproperty
    ADD CONSTRAINT periods_scopedproperty_item_same FOREIGN KEY (item_id, association_id)
        REFERENCES periods_budgetitem (id, association_id),
    ADD CONSTRAINT periods_scopedproperty_property_same FOREIGN KEY (property_id, association_id)
        REFERENCES periods_property (id, association_id);

ALTER TABLE periods_contribution
    ADD CONSTRAINT periods_contribution_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_contribution_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id);

ALTER TABLE periods_expense
    ADD CONSTRAINT periods_expense_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_expense_paid_by_same FOREIGN KEY (paid_by_id, association_id)
        REFERENCES periods_owner (id, association_id),
    ADD CONSTRAINT periods_expense_item_same FOREIGN KEY (budget_item_id, period_id)
        REFERENCES periods_budgetitem (id, period_id),
    ADD CONSTRAINT periods_expense_refund_same FOREIGN KEY (refund_of_id, association_id)
        REFERENCES periods_expense (id, association_id);

ALTER TABLE periods_servicecharge
    ADD CONSTRAINT periods_charge_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_charge_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id),
    ADD CONSTRAINT periods_charge_reading_same FOREIGN KEY (reading_id, association_id)
        REFERENCES periods_reading (id, association_id);

ALTER TABLE periods_meter
    ADD CONSTRAINT periods_meter_property_same FOREIGN KEY (property_id, association_id)
        REFERENCES periods_property (id, association_id),
    ADD CONSTRAINT periods_meter_item_same FOREIGN KEY (budget_item_id, association_id)
        REFERENCES periods_budgetitem (id, association_id);

ALTER TABLE periods_reading
    ADD CONSTRAINT periods_reading_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_reading_meter_same FOREIGN KEY (meter_id, association_id)
        REFERENCES periods_meter (id, association_id);

-- What is recorded for a period changes only while it is open. The lock waits for a close that is under way
-- and keeps one from beginning.
CREATE FUNCTION periods_require_open(p_period uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM periods_serviceperiod WHERE id = p_period AND status = 'OPEN' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'period % is not open', p_period
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_period_closed';
    END IF;
END $$;

CREATE FUNCTION periods_guard_record() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM periods_require_open(NEW.period_id);
    RETURN NEW;
END $$;

CREATE FUNCTION periods_guard_scope() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changed periods_scopedproperty := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM periods_require_open(item.period_id) FROM periods_budgetitem item
        WHERE item.id = changed.item_id;
    RETURN changed;
END $$;

-- Whether an expense is paid is read from its requisition, so that one may come while the period is closed.
CREATE TRIGGER while_open BEFORE INSERT OR UPDATE ON periods_contribution
    FOR EACH ROW EXECUTE FUNCTION periods_guard_record();
CREATE TRIGGER while_open BEFORE INSERT
    OR UPDATE OF period_id, kind, refund_of_id, paid_by_id, payment_type, amount, date, vendor, description,
                 budget_item_id, version, journal_entry_id, voided_at
    ON periods_expense FOR EACH ROW EXECUTE FUNCTION periods_guard_record();
CREATE TRIGGER while_open BEFORE INSERT OR UPDATE ON periods_servicecharge
    FOR EACH ROW EXECUTE FUNCTION periods_guard_record();
CREATE TRIGGER while_open BEFORE INSERT OR UPDATE ON periods_reading
    FOR EACH ROW EXECUTE FUNCTION periods_guard_record();
CREATE TRIGGER while_open BEFORE INSERT OR UPDATE ON periods_budgetitem
    FOR EACH ROW EXECUTE FUNCTION periods_guard_record();
CREATE TRIGGER while_open BEFORE INSERT OR UPDATE OR DELETE ON periods_scopedproperty
    FOR EACH ROW EXECUTE FUNCTION periods_guard_scope();

-- A record is dated within its period.
CREATE FUNCTION periods_guard_date() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM periods_serviceperiod
        WHERE id = NEW.period_id AND NEW.date BETWEEN start_date AND end_date;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% lies outside period %', NEW.date, NEW.period_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_date_in_period';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER dated_within BEFORE INSERT OR UPDATE OF date ON periods_contribution
    FOR EACH ROW EXECUTE FUNCTION periods_guard_date();
CREATE TRIGGER dated_within BEFORE INSERT OR UPDATE OF date ON periods_expense
    FOR EACH ROW EXECUTE FUNCTION periods_guard_date();
CREATE TRIGGER dated_within BEFORE INSERT OR UPDATE OF date ON periods_servicecharge
    FOR EACH ROW EXECUTE FUNCTION periods_guard_date();

-- What is void stays so.
CREATE TRIGGER voided_once BEFORE UPDATE ON periods_contribution
    FOR EACH ROW WHEN (OLD.voided_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER voided_once BEFORE UPDATE ON periods_expense
    FOR EACH ROW WHEN (OLD.voided_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER voided_once BEFORE UPDATE ON periods_servicecharge
    FOR EACH ROW WHEN (OLD.voided_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER voided_once BEFORE UPDATE ON periods_reading
    FOR EACH ROW WHEN (OLD.voided_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();
