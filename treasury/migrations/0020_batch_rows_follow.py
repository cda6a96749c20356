"""Let a row of a batch show whom it pays now, until the batch is approved."""

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns

SHOWN = ("payee_name", "method", "destination_shown")
FROZEN = (
    "row_id",
    "batch_id",
    "number",
    "requisition_id",
    "requester_id",
    "raised",
    "adopted",
    "currency",
    "reference",
)
BEFORE = frozen_columns("treasury_batchrow", *FROZEN, *SHOWN)
NOW = frozen_columns("treasury_batchrow", *FROZEN)


class Migration(migrations.Migration):
    dependencies = (("treasury", "0019_seen"),)

    operations = (
        RunSQL(BEFORE.reverse_sql, BEFORE.sql),
        NOW,
        RunSQL(
            """
            CREATE FUNCTION treasury_guard_batch_row_shown() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN
                PERFORM FROM treasury_batch WHERE batch_id = NEW.batch_id AND status = 'submitted';
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'the rows of batch % are fixed', NEW.batch_id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_batchrow_fixed';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER shows_the_set BEFORE UPDATE ON treasury_batchrow
                FOR EACH ROW WHEN (NEW.payee_name IS DISTINCT FROM OLD.payee_name
                    OR NEW.method IS DISTINCT FROM OLD.method
                    OR NEW.destination_shown IS DISTINCT FROM OLD.destination_shown)
                EXECUTE FUNCTION treasury_guard_batch_row_shown();
            """,
            """
            DROP TRIGGER shows_the_set ON treasury_batchrow;
            DROP FUNCTION treasury_guard_batch_row_shown();
            """,
        ),
    )
