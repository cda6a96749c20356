"""The ledger's laws and its write path, as PostgreSQL keeps them (docs/architecture.md)."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import (
    RUNTIME_ROLE,
    append_only,
    for_runtime_role,
    frozen_columns,
    no_delete,
    only_through_functions,
)

SQL = Path(__file__).resolve().parent.parent / "sql"
WRITE_PATH = (
    "ledger_post(jsonb, bytea, bytea), ledger_hold_funds(uuid, text, numeric),"
    " ledger_release_hold(text)"
)


def script(name: str, undo: str) -> RunSQL:
    """Run one file of ``ledger/sql``; ``undo`` takes back what it made."""
    return RunSQL((SQL / name).read_text(encoding="utf-8"), undo)


class Migration(migrations.Migration):
    dependencies = (("ledger", "0001_initial"),)

    operations = (
        script(
            "guards.sql",
            "DROP FUNCTION ledger_guard_status(); DROP FUNCTION ledger_refuse_change();",
        ),
        script(
            "journal_laws.sql",
            """
            ALTER TABLE ledger_ledgerentry DROP CONSTRAINT ledger_entry_same_company,
                DROP CONSTRAINT ledger_entry_same_currency;
            ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_reversal_same_company;
            DROP FUNCTION ledger_require_balance() CASCADE;
            DROP FUNCTION ledger_require_sound_lines() CASCADE;
            """,
        ),
        script(
            "account_laws.sql",
            """
            DROP TRIGGER numbers_follow ON ledger_account;
            DROP TRIGGER opens_empty ON ledger_account;
            DROP TRIGGER totals_follow ON ledger_dailytotal;
            DROP FUNCTION ledger_follow_lines() CASCADE;
            DROP FUNCTION ledger_apply_hold() CASCADE;
            DROP FUNCTION ledger_apply_release() CASCADE;
            """,
        ),
        script(
            "posting.sql",
            """
            DROP FUNCTION ledger_post(jsonb, bytea, bytea);
            DROP FUNCTION ledger_content_hash(uuid, uuid, jsonb);
            DROP FUNCTION ledger_require_key(bytea, bytea);
            DROP TABLE ledger_chainkey;
            DROP FUNCTION ledger_only_new(jsonb, bigint);
            DROP FUNCTION ledger_release_posted(jsonb);
            DROP FUNCTION ledger_hold_funds(uuid, text, numeric);
            DROP FUNCTION ledger_release_hold(text);
            """,
        ),
        RunSQL(
            for_runtime_role(f"GRANT EXECUTE ON FUNCTION {WRITE_PATH} TO {RUNTIME_ROLE}"),
            RunSQL.noop,
        ),
        *append_only("ledger_journalentry"),
        *append_only("ledger_ledgerentry"),
        *append_only("ledger_hold"),
        *append_only("ledger_holdrelease"),
        *append_only("ledger_auditevent"),
        *append_only("ledger_chainkey"),
        *no_delete("ledger_account"),
        *no_delete("ledger_dailytotal"),
        frozen_columns("ledger_account", "id", "company_id", "currency", "type", "normal_side"),
        frozen_columns(
            "ledger_idempotencykey",
            "user_id",
            "scope",
            "key",
            "request_hash",
            "status_code",
            "body",
        ),
        *only_through_functions("ledger_journalentry"),
        *only_through_functions("ledger_ledgerentry"),
        *only_through_functions("ledger_hold"),
        *only_through_functions("ledger_holdrelease"),
        *only_through_functions("ledger_dailytotal"),
        *only_through_functions("ledger_statetransition"),
        *only_through_functions("ledger_chainkey"),
        RunSQL(
            for_runtime_role(
                f"REVOKE UPDATE ON ledger_account FROM {RUNTIME_ROLE};"
                f" GRANT UPDATE (code, name, minimum) ON ledger_account TO {RUNTIME_ROLE}"
            ),
            for_runtime_role(f"GRANT UPDATE ON ledger_account TO {RUNTIME_ROLE}"),
        ),
    )
