"""Triggers are asked about only by statements that name a column of theirs."""

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import lean_frozen_columns

NUMBERS = ("balance", "held", "entry_count", "chain_head", "last_posted_at")
CHANGED = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in NUMBERS)


def numbers_follow(of: str = "") -> str:
    """The law over an account's numbers as it stands in account_laws.sql, perhaps for these columns alone."""
    return f"""
        DROP TRIGGER numbers_follow ON ledger_account;
        CREATE TRIGGER numbers_follow BEFORE UPDATE {of} ON ledger_account
            FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND ({CHANGED}))
            EXECUTE FUNCTION ledger_refuse_change();
    """


class Migration(migrations.Migration):
    dependencies = (("ledger", "0014_lean_indexes"),)

    operations = (
        lean_frozen_columns(
            "ledger_account", "id", "company_id", "currency", "type", "normal_side"
        ),
        RunSQL(numbers_follow(f"OF {', '.join(NUMBERS)}"), numbers_follow()),
    )
