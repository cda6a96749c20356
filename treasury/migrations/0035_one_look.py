"""Who executes is weighed in one look, whoever approved and in whose name."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0034_queue_indexes"),)

    operations = (
        migrations.RunSQL(
            (SQL / "one_look.sql").read_text(encoding="utf-8"),
            (SQL / "one_look_undo.sql").read_text(encoding="utf-8"),
        ),
    )
