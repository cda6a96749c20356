"""A posting of two lines writes what it seals as text, and reads each account as it locks it."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


# posting_two.sql says how it was.
BEFORE = (
    text("posting_two.sql")
    .split("REVOKE EXECUTE")[0]
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
) + "DROP FUNCTION ledger_posted_before(uuid, text, bytea);"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0024_totals_by_day"),)

    operations = (migrations.RunSQL(text("posting_plain.sql"), BEFORE),)
