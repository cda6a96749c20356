"""What decides whether a trigger on a payment fires is written out, so that nothing is parsed for it."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0026_lean_payment_laws"),)

    operations = (
        migrations.RunSQL(
            (SQL / "plain_conditions.sql").read_text(encoding="utf-8"),
            (SQL / "plain_conditions_undo.sql").read_text(encoding="utf-8"),
        ),
    )
