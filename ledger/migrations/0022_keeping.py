"""An answer is kept in the expression that makes it."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0021_posting_two"),)

    operations = (
        migrations.RunSQL(
            (SQL / "keeping.sql").read_text(encoding="utf-8"),
            "DROP FUNCTION ledger_keep_answer(boolean, uuid, uuid, text, text, bytea, smallint, jsonb)",
        ),
    )
