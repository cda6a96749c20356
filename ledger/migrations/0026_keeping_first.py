"""An answer is kept before what it is about is done; the function that kept it afterwards stays for who still asks."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0025_plain_posting"),)

    operations = (
        migrations.RunSQL(
            (SQL / "keeping_first.sql").read_text(encoding="utf-8"),
            "DROP FUNCTION ledger_keep_answer(uuid, uuid, text, text, bytea, smallint, jsonb)",
        ),
    )
