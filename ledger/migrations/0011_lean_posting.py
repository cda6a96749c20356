"""The laws over what is posted, in plainer statements."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0010_lean_guard"),)

    operations = (
        migrations.RunSQL(
            (SQL / "posting_lean.sql").read_text(encoding="utf-8"),
            (SQL / "posting_lean_undo.sql").read_text(encoding="utf-8"),
        ),
    )
