"""The laws over lines and accounts are asked less often, and the journal keeps one index less."""

from pathlib import Path

from django.db import migrations

from ledger.migration_operations import LeanKeys

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


# posting_lean.sql says how it was.
LINES = "CREATE OR REPLACE FUNCTION ledger_require_sound_lines"
BEFORE = LINES + text("posting_lean.sql").split(LINES)[1].split("END $$;")[0] + "END $$;"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0022_keeping"),)

    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(text("lean_laws.sql"), BEFORE + text("lean_laws_undo.sql"))
            ],
            state_operations=[
                migrations.RemoveConstraint("account", "ledger_account_side"),
                migrations.RemoveConstraint("account", "ledger_account_type"),
            ],
        ),
        LeanKeys({"journalentry": {"posted_by": {"db_index": False}}}),
    )
