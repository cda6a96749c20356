"""Settling writes everything in one round trip, for one payment and for hundreds."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0013_two_person_laws"), ("ledger", "0007_fast_posting"))

    operations = (
        migrations.RunSQL(
            (SQL / "settlement.sql").read_text(encoding="utf-8"),
            """
            DROP FUNCTION treasury_settle(jsonb, bytea, bytea, jsonb, jsonb);
            DROP FUNCTION treasury_mark_paid(treasury_settlement[]);
            DROP FUNCTION treasury_consume_codes(treasury_settlement[]);
            DROP TYPE treasury_settlement;
            """,
        ),
    )
