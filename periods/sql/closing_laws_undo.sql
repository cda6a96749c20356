-- The reverse of closing_laws.sql.
DROP TRIGGER adds_up ON periods_owneropening;
DROP TRIGGER adds_up ON periods_openingbalances;
DROP FUNCTION periods_check_openings();
ALTER TABLE periods_owneropening
    DROP CONSTRAINT periods_owneropening_same,
    DROP CONSTRAINT periods_owneropening_owner_same;
ALTER TABLE periods_recalculationrun
    DROP CONSTRAINT periods_recalculationrun_same,
    DROP CONSTRAINT periods_recalculationrun_adjusted_same;
DROP TRIGGER reopened_once ON periods_reopenrequest;
ALTER TABLE periods_reopenrequest DROP CONSTRAINT periods_reopenrequest_same;
DROP TRIGGER closed_with_sheet ON periods_allocationrun;
DROP TRIGGER closed_with_sheet ON periods_serviceperiod;
DROP FUNCTION periods_require_sheet();
DROP TRIGGER same_association ON periods_sheetline;
DROP FUNCTION periods_check_lines();
ALTER TABLE periods_balancesheet
    DROP CONSTRAINT periods_balancesheet_same,
    DROP CONSTRAINT periods_balancesheet_hash;
DROP TRIGGER adds_up ON periods_allocatedexpense;
DROP FUNCTION periods_check_allocated();
ALTER TABLE periods_allocationbasis DROP CONSTRAINT periods_allocationbasis_arrays;
DROP TRIGGER reversed_once ON periods_allocationrun;
ALTER TABLE periods_allocationrun DROP CONSTRAINT periods_allocationrun_same;
