"""A posting of two lines goes straight through one function; at commit its lines are counted."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


# The two files say how it was: the short way for two lines, and the balance weighed at commit.
FAST = text("posting_fast.sql").split("RENAME TO ledger_post_set;")[1]
LEAN = text("posting_lean.sql").split("-- Nearly every journal entry")[1].partition("\n")[2]
BEFORE = FAST.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + LEAN


class Migration(migrations.Migration):
    dependencies = (("ledger", "0015_lean_triggers"),)

    operations = (migrations.RunSQL(text("posting_straight.sql"), BEFORE),)
