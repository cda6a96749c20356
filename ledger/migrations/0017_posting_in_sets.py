"""Posting hundreds makes everything but the seals in one statement."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


def function(name: str, *, of: str) -> str:
    """The statement in a file that makes a function."""
    start = f"FUNCTION {name}("
    return f"CREATE OR REPLACE {start}{text(of).split(start)[1].split('END $$;')[0]}END $$;"


# posting.sql and posting_lean.sql say how it was; the first under the name that its function had then.
BEFORE = function("ledger_post", of="posting.sql").replace("ledger_post(", "ledger_post_set(", 1)
BEFORE += function("ledger_content_hash", of="posting_lean.sql")


class Migration(migrations.Migration):
    dependencies = (("ledger", "0016_straight_posting"),)

    operations = (migrations.RunSQL(text("posting_in_sets.sql"), BEFORE),)
