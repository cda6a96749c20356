"""What a payment's answer says is known before it is settled, so that one statement writes both."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0029_batch_delegation"),)

    operations = (
        migrations.RunSQL(
            (SQL / "known_answers.sql").read_text(encoding="utf-8"),
            (SQL / "known_answers_undo.sql").read_text(encoding="utf-8"),
        ),
    )
