"""The refunds of an expense never come to more than the expense."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("periods", "0008_paying_laws"),)

    operations = (
        migrations.RunSQL(
            (SQL / "refund_laws.sql").read_text(encoding="utf-8"),
            (SQL / "refund_laws_undo.sql").read_text(encoding="utf-8"),
        ),
    )
