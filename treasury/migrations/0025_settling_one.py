"""One payment is settled without the sets that hundreds need; its proof is looked up by its key."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0024_raised_requisitions"), ("ledger", "0010_lean_guard"))

    operations = (
        migrations.RunSQL(
            (SQL / "settling_one.sql").read_text(encoding="utf-8"),
            """
            DROP FUNCTION treasury_settle_one(jsonb, bytea, bytea, jsonb, jsonb);
            DROP FUNCTION treasury_consume_code(uuid, uuid);
            DROP FUNCTION treasury_tell(uuid, text, text, jsonb);
            CREATE OR REPLACE FUNCTION treasury_require_execution() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN
                PERFORM FROM treasury_paymentexecution
                    WHERE payment_id = NEW.payment_id AND executor_id = NEW.executor_id;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'payment % succeeds without an execution', NEW.payment_id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_execution';
                END IF;
                RETURN NULL;
            END $$;
            """,
        ),
    )
