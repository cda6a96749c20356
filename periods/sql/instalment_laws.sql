-- What owners are asked for, told and charged for being late stays within their association.

ALTER TABLE periods_instalmentplan
    ADD CONSTRAINT periods_instalmentplan_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_instalmentplan_item_same FOREIGN KEY (budget_item_id, period_id)
        REFERENCES periods_budgetitem (id, period_id);

ALTER TABLE periods_instalment
    ADD CONSTRAINT periods_instalment_plan_same FOREIGN KEY (plan_id, association_id)
        REFERENCES periods_instalmentplan (id, association_id),
    ADD CONSTRAINT periods_instalment_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id);

ALTER TABLE periods_servicecharge
    ADD CONSTRAINT periods_charge_instalment_same FOREIGN KEY (instalment_id, owner_id)
        REFERENCES periods_instalment (id, owner_id);

ALTER TABLE periods_statement
    ADD CONSTRAINT periods_statement_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_statement_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id);

ALTER TABLE periods_reminder
    ADD CONSTRAINT periods_reminder_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id);

-- The instalments of a plan add up to its amount.
CREATE FUNCTION periods_guard_instalments() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT plan.id INTO wrong FROM periods_instalmentplan plan
        WHERE plan.id IN (SELECT plan_id FROM new_rows)
          AND plan.amount <> (SELECT sum(part.amount) FROM periods_instalment part
                              WHERE part.plan_id = plan.id);
    IF FOUND THEN
        RAISE EXCEPTION 'the instalments of plan % do not add up to its amount', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_instalment_sum';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER adds_up AFTER INSERT ON periods_instalment
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION periods_guard_instalments();
