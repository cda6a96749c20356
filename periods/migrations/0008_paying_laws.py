"""The requisition of an expense is its own, and while it lives the expense stays as it is."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (
        ("periods", "0007_instalment_laws"),
        ("treasury", "0024_raised_requisitions"),
    )

    operations = (
        migrations.RunSQL(
            (SQL / "paying_laws.sql").read_text(encoding="utf-8"),
            (SQL / "paying_laws_undo.sql").read_text(encoding="utf-8"),
        ),
    )
