"""Whatever stands otherwise than it was seen is refused: by then the answer is kept, and goes with it."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


def function_before() -> str:
    """The function as it was: it returned nothing, and nothing was kept."""
    facts = text("by_facts.sql")
    function = facts[facts.index("CREATE FUNCTION treasury_settle_as_seen(") :]
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = (("treasury", "0038_lean_requisitions"), ("ledger", "0026_keeping_first"))

    operations = (migrations.RunSQL(text("refused_as_seen.sql"), function_before()),)
