"""The laws over accounts, lines and the audit trail, in fewer words."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0019_key_fingerprints"),)

    operations = (
        migrations.RunSQL(
            (SQL / "brief_laws.sql").read_text(encoding="utf-8"),
            (SQL / "brief_laws_undo.sql").read_text(encoding="utf-8"),
        ),
    )
