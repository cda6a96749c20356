"""One payment is settled by its facts, each a parameter, instead of JSON."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


def view_before() -> str:
    """The view of what decides, as it was."""
    seen = text("as_seen.sql")
    return seen[seen.index("CREATE VIEW") : seen.index("-- The same for whoever has locked")]


class Migration(migrations.Migration):
    dependencies = (("treasury", "0036_as_seen"), ("ledger", "0022_keeping"))

    operations = (
        migrations.RunSQL(
            text("by_facts.sql"),
            text("by_facts_undo.sql") + view_before(),
        ),
    )
