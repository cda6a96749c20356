"""Triggers are asked about only by statements that name a column of theirs."""

from pathlib import Path

from django.db import migrations

from ledger.migration_operations import lean_frozen_columns

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0031_lean_indexes"), ("ledger", "0015_lean_triggers"))

    operations = (
        lean_frozen_columns(
            "treasury_payment",
            "payment_id",
            "requisition_id",
            "company_id",
            "fund_id",
            "currency",
            "requester_id",
            "created_by_id",
            "created_at",
        ),
        lean_frozen_columns(
            "treasury_requisition",
            "requisition_id",
            "company_id",
            "fund_id",
            "currency",
            "requested_by_id",
            "requested_at",
            "debit_account_id",
            "source",
        ),
        lean_frozen_columns(
            "treasury_onetimecode",
            "code_id",
            "payment_id",
            "payment_version",
            "executor_id",
            "digest",
            "bound_digest",
            "sent_at",
        ),
        migrations.RunSQL(
            (SQL / "lean_triggers.sql").read_text(encoding="utf-8"),
            (SQL / "lean_triggers_undo.sql").read_text(encoding="utf-8"),
        ),
    )
