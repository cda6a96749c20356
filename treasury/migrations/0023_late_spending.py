"""What has left is counted, and never refused."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0022_automatic_retries"),)

    operations = (
        migrations.RunSQL(
            (SQL / "late_spending.sql").read_text(encoding="utf-8"),
            (SQL / "late_spending_undo.sql").read_text(encoding="utf-8"),
        ),
    )
