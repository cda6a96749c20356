-- The reverse of instalment_laws.sql.
DROP TRIGGER adds_up ON periods_instalment;
DROP FUNCTION periods_guard_instalments();
ALTER TABLE periods_reminder DROP CONSTRAINT periods_reminder_owner_same;
ALTER TABLE periods_statement
    DROP CONSTRAINT periods_statement_same,
    DROP CONSTRAINT periods_statement_owner_same;
ALTER TABLE periods_servicecharge DROP CONSTRAINT periods_charge_instalment_same;
ALTER TABLE periods_instalment
    DROP CONSTRAINT periods_instalment_plan_same,
    DROP CONSTRAINT periods_instalment_owner_same;
ALTER TABLE periods_instalmentplan
    DROP CONSTRAINT periods_instalmentplan_same,
    DROP CONSTRAINT periods_instalmentplan_item_same;
