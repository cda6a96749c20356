"""What decides about an execution is read in one look."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0018_step_up"), ("ledger", "0007_fast_posting"))

    operations = (
        migrations.RunSQL(
            (SQL / "seen.sql").read_text(encoding="utf-8"),
            """
            DROP FUNCTION treasury_seen(uuid, integer, uuid, integer, uuid, uuid, uuid, uuid);
            """,
        ),
    )
