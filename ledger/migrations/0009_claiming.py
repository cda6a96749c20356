"""An idempotency key is claimed in one round trip."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0008_second_factor"),)

    operations = (
        migrations.RunSQL(
            (SQL / "claiming.sql").read_text(encoding="utf-8"),
            "DROP FUNCTION ledger_claim_key(bigint, uuid, text, text);",
        ),
    )
