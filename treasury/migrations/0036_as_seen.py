"""What was looked at without a lock is settled in one statement, if it still stands as it was seen."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0035_one_look"),)

    operations = (
        migrations.RunSQL(
            (SQL / "as_seen.sql").read_text(encoding="utf-8"),
            (SQL / "as_seen_undo.sql").read_text(encoding="utf-8"),
        ),
    )
