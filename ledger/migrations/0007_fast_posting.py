"""A posting of two lines takes a short way through the same laws."""

from pathlib import Path

from django.db import migrations

from ledger.migration_operations import RUNTIME_ROLE, for_runtime_role

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0006_code_channel"),)

    operations = (
        migrations.RunSQL(
            (SQL / "posting_fast.sql").read_text(encoding="utf-8"),
            """
            DROP FUNCTION ledger_post(jsonb, bytea, bytea);
            DROP FUNCTION ledger_post_pair(jsonb, bytea, bytea);
            ALTER FUNCTION ledger_post_set(jsonb, bytea, bytea) RENAME TO ledger_post;
            """,
        ),
        migrations.RunSQL(
            for_runtime_role(
                "GRANT EXECUTE ON FUNCTION ledger_post(jsonb, bytea, bytea)"
                f" TO {RUNTIME_ROLE};"
                " REVOKE EXECUTE ON FUNCTION ledger_post_set(jsonb, bytea, bytea)"
                f" FROM {RUNTIME_ROLE}"
            ),
            migrations.RunSQL.noop,
        ),
    )
