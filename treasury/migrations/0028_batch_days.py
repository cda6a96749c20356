"""Rows of a batch may name a day, and an attempt knows the code of its batch."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns

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
BEFORE = frozen_columns("treasury_batchrow", *FROZEN)
NOW = frozen_columns("treasury_batchrow", *FROZEN, "scheduled_for")


class Migration(migrations.Migration):
    dependencies = [
        ("treasury", "0027_plain_conditions"),
    ]

    operations = [
        migrations.AddField(
            model_name="batchrow",
            name="scheduled_for",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="paymentattempt",
            name="batch_code",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="treasury.batchcode",
            ),
        ),
        RunSQL(BEFORE.reverse_sql, BEFORE.sql),
        NOW,
        RunSQL(
            """
            -- A batch's code is named by what went out with that batch, under whoever used the code up.
            CREATE FUNCTION treasury_guard_batch_code() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN
                PERFORM FROM treasury_batchcode c JOIN treasury_batchrow r ON r.batch_id = c.batch_id
                    WHERE c.code_id = NEW.batch_code_id AND c.consumed_at IS NOT NULL
                      AND c.executor_id = NEW.executor_id AND r.payment_id = NEW.payment_id;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'attempt % did not go out with the batch of this code', NEW.attempt_id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_attempt_batch_code';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER goes_out_with_the_set BEFORE INSERT OR UPDATE OF batch_code_id
                ON treasury_paymentattempt
                FOR EACH ROW WHEN (NEW.batch_code_id IS NOT NULL)
                EXECUTE FUNCTION treasury_guard_batch_code();
            """,
            """
            DROP TRIGGER goes_out_with_the_set ON treasury_paymentattempt;
            DROP FUNCTION treasury_guard_batch_code();
            """,
        ),
    ]
