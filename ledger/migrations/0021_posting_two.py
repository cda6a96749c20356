"""A posting of two lines is told by its facts, and JSON is taken apart for the others alone."""

from pathlib import Path

from django.db import migrations

from ledger.migration_operations import RUNTIME_ROLE, for_runtime_role

SQL = Path(__file__).resolve().parent.parent / "sql"
POST_TWO = (
    "ledger_post_two(uuid, uuid, text, text, date, uuid, uuid, text, uuid, uuid, text, numeric, text,"
    " uuid, uuid, text, numeric, text, bytea, bytea)"
)


def text(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")


# posting_straight.sql says how it was.
BEFORE = text("posting_straight.sql").split("DROP FUNCTION")[0] + f"DROP FUNCTION {POST_TWO};"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0020_brief_laws"),)

    operations = (
        migrations.RunSQL(text("posting_two.sql"), BEFORE),
        migrations.RunSQL(
            for_runtime_role(f"GRANT EXECUTE ON FUNCTION {POST_TWO} TO {RUNTIME_ROLE}"),
            migrations.RunSQL.noop,
        ),
    )
