"""One payment is settled by its facts, each a parameter, instead of JSON."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0036_as_seen"), ("ledger", "0022_keeping"))

    operations = (
        migrations.RunSQL(
            (SQL / "by_facts.sql").read_text(encoding="utf-8"),
            (SQL / "by_facts_undo.sql").read_text(encoding="utf-8"),
        ),
    )
