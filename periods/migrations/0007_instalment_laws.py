"""What PostgreSQL keeps of instalments, late fees, statements and reminders."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, no_delete

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("periods", "0006_instalments_and_statements"),)

    operations = (
        RunSQL(
            (SQL / "instalment_laws.sql").read_text(encoding="utf-8"),
            (SQL / "instalment_laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *append_only("periods_instalment"),
        *no_delete("periods_instalmentplan"),
        *no_delete("periods_latefeerule"),
        *no_delete("periods_statement"),
        *no_delete("periods_reminder"),
        frozen_columns(
            "periods_instalmentplan",
            "id",
            "association_id",
            "period_id",
            "budget_item_id",
            "description",
            "amount",
            "instalments",
            "recorded_by_id",
            "recorded_at",
        ),
        frozen_columns(
            "periods_statement",
            "id",
            "association_id",
            "period_id",
            "sheet_id",
            "owner_id",
            "number",
            "previous_id",
            "closing",
            "facts",
            "issued_at",
            "issued_by_id",
        ),
        frozen_columns(
            "periods_reminder", "id", "association_id", "owner_id", "on", "owed", "reminded_by_id"
        ),
    )
