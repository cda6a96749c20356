"""The laws over a payment that leaves ask no more than they must."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0025_settling_one"),)

    operations = (
        migrations.RunSQL(
            (SQL / "lean_payment_laws.sql").read_text(encoding="utf-8"),
            (SQL / "lean_payment_laws_undo.sql").read_text(encoding="utf-8"),
        ),
    )
