"""The laws of closing: shares add up, sheets stay as they were handed out, a closed period has one."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, no_delete

SQL = Path(__file__).resolve().parent.parent / "sql"
APPEND_ONLY = (
    "periods_allocationbasis",
    "periods_allocatedexpense",
    "periods_balancesheet",
    "periods_sheetline",
    "periods_recalculationrun",
    "periods_recalculatedperiod",
    "periods_carrieddifference",
    "periods_openingbalances",
    "periods_owneropening",
)


class Migration(migrations.Migration):
    dependencies = (("periods", "0004_closing"),)

    operations = (
        RunSQL(
            (SQL / "closing_laws.sql").read_text(encoding="utf-8"),
            (SQL / "closing_laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *(operation for table in APPEND_ONLY for operation in append_only(table)),
        *no_delete("periods_allocationrun"),
        *no_delete("periods_reopenrequest"),
        frozen_columns(
            "periods_allocationrun",
            "id",
            "association_id",
            "period_id",
            "number",
            "rule",
            "journal_entry_id",
            "run_at",
            "run_by_id",
        ),
        frozen_columns(
            "periods_reopenrequest",
            "id",
            "association_id",
            "period_id",
            "reason",
            "needs_approval",
            "requested_by_id",
            "requested_at",
        ),
    )
