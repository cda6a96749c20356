-- What a close writes, kept by the database: shares add up to their expense, a sheet's hash is that of its
-- document, and a closed period has the sheet and the allocation that it says.

ALTER TABLE periods_allocationrun
    ADD CONSTRAINT periods_allocationrun_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id);

CREATE TRIGGER reversed_once BEFORE UPDATE ON periods_allocationrun
    FOR EACH ROW WHEN (OLD.reversed_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();

ALTER TABLE periods_allocationbasis
    ADD CONSTRAINT periods_allocationbasis_arrays CHECK (
        cardinality(weights) = cardinality(properties)
        AND (base_weights IS NULL OR cardinality(base_weights) = cardinality(properties))
        AND cardinality(held_by) = cardinality(held_places)
        AND cardinality(held_days) = cardinality(held_places));

-- One look at all rows of a statement: a close writes a thousand.
CREATE FUNCTION periods_check_allocated() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT added.expense_id INTO wrong
    FROM added
    JOIN periods_allocationrun run ON run.id = added.run_id
    JOIN periods_expense expense ON expense.id = added.expense_id
    LEFT JOIN periods_allocationbasis basis ON basis.id = added.basis_id
    WHERE expense.period_id <> run.period_id
        OR added.amount <> CASE expense.kind WHEN 'refund' THEN -expense.amount ELSE expense.amount END
        OR cardinality(added.shares) <> coalesce(cardinality(basis.owners), 0)
        OR basis.id IS NOT NULL AND added.amount <> (SELECT sum(share) FROM unnest(added.shares) share)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the shares of expense % are not the expense', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_expense_shared';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER adds_up AFTER INSERT ON periods_allocatedexpense REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION periods_check_allocated();

ALTER TABLE periods_balancesheet
    ADD CONSTRAINT periods_balancesheet_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_balancesheet_hash CHECK (
        hash = encode(sha256(convert_to(document, 'UTF8')), 'hex'));

-- Owners and sheets are never deleted and never change their association, so that looking once is enough.
CREATE FUNCTION periods_check_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT added.owner_id INTO wrong
    FROM added
    LEFT JOIN periods_balancesheet sheet ON sheet.id = added.sheet_id
    LEFT JOIN periods_owner owner ON owner.id = added.owner_id
    WHERE sheet.association_id IS DISTINCT FROM owner.association_id OR sheet.id IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'owner % is not of this association', wrong
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'periods_sheetline_same';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER same_association AFTER INSERT ON periods_sheetline REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION periods_check_lines();

-- At commit: a period that is not open has the sheet of its version and one allocation, an open one has none.
CREATE FUNCTION periods_require_sheet() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    concerned uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    PERFORM FROM periods_serviceperiod period
    WHERE period.id = concerned
        AND (period.status = 'OPEN') = EXISTS (
            SELECT FROM periods_allocationrun run
            WHERE run.period_id = period.id AND run.reversed_at IS NULL);
    IF FOUND THEN
        RAISE EXCEPTION 'period % and its allocation disagree', concerned
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_closed_is_allocated';
    END IF;
    PERFORM FROM periods_serviceperiod period
    WHERE period.id = concerned AND period.status <> 'OPEN'
        AND NOT EXISTS (SELECT FROM periods_balancesheet sheet
                        WHERE sheet.period_id = period.id AND sheet.version = period.version);
    IF FOUND THEN
        RAISE EXCEPTION 'period % has no balance sheet', concerned
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_closed_has_sheet';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER closed_with_sheet AFTER INSERT OR UPDATE OF status, version
    ON periods_serviceperiod DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION periods_require_sheet('id');
CREATE CONSTRAINT TRIGGER closed_with_sheet AFTER INSERT OR UPDATE
    ON periods_allocationrun DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION periods_require_sheet('period_id');

ALTER TABLE periods_reopenrequest
    ADD CONSTRAINT periods_reopenrequest_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id);

CREATE TRIGGER reopened_once BEFORE UPDATE ON periods_reopenrequest
    FOR EACH ROW WHEN (OLD.reopened_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse_change();

ALTER TABLE periods_recalculationrun
    ADD CONSTRAINT periods_recalculationrun_same FOREIGN KEY (period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id),
    ADD CONSTRAINT periods_recalculationrun_adjusted_same
        FOREIGN KEY (adjusted_period_id, association_id)
        REFERENCES periods_serviceperiod (id, association_id);

ALTER TABLE periods_owneropening
    ADD CONSTRAINT periods_owneropening_same FOREIGN KEY (opening_id, association_id)
        REFERENCES periods_openingbalances (id, association_id),
    ADD CONSTRAINT periods_owneropening_owner_same FOREIGN KEY (owner_id, association_id)
        REFERENCES periods_owner (id, association_id);

-- At commit: what the owners and all of them together have is the cash.
CREATE FUNCTION periods_check_openings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    concerned uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    PERFORM FROM periods_openingbalances opening
    WHERE opening.id = concerned AND opening.cash - opening.equity <> (
        SELECT coalesce(sum(amount), 0) FROM periods_owneropening line WHERE line.opening_id = opening.id);
    IF FOUND THEN
        RAISE EXCEPTION 'the opening balances do not add up to the cash'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'periods_openingbalances_sum';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER adds_up AFTER INSERT ON periods_openingbalances
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION periods_check_openings('id');
CREATE CONSTRAINT TRIGGER adds_up AFTER INSERT ON periods_owneropening
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION periods_check_openings('opening_id');
