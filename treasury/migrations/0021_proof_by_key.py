"""An execution's payment is looked up by its key."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0020_batch_rows_follow"),)

    operations = (
        migrations.RunSQL(
            (SQL / "proof_by_key.sql").read_text(encoding="utf-8"),
            """
            CREATE OR REPLACE FUNCTION treasury_guard_execution_record() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN
                PERFORM FROM treasury_payment
                    WHERE payment_id = NEW.payment_id AND executor_id = NEW.executor_id
                      AND status = 'success';
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'payment % has not succeeded by this executor', NEW.payment_id
                        USING ERRCODE = 'check_violation',
                              CONSTRAINT = 'treasury_execution_of_success';
                END IF;
                RETURN NEW;
            END $$;
            """,
        ),
    )
