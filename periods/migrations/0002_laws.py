"""Periods' laws as PostgreSQL keeps them: one association each, unbroken chains, closed periods, frozen rows."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns, guarded_status, no_delete
from periods import states

SQL = Path(__file__).resolve().parent.parent / "sql"
RECORDED = ("id", "association_id", "period_id", "recorded_by_id", "recorded_at")


class Migration(migrations.Migration):
    dependencies = (
        ("periods", "0001_initial"),
        ("ledger", "0009_claiming"),
        ("treasury", "0020_batch_rows_follow"),
    )

    operations = (
        RunSQL(
            (SQL / "laws.sql").read_text(encoding="utf-8"),
            (SQL / "laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *guarded_status(
            "periods_serviceperiod", machine="periods.period", transitions=states.PERIOD
        ),
        *no_delete("periods_association"),
        *no_delete("periods_owner"),
        *no_delete("periods_property"),
        *no_delete("periods_ownership"),
        *no_delete("periods_serviceperiod"),
        *no_delete("periods_budgetitem"),
        *no_delete("periods_contribution"),
        *no_delete("periods_expense"),
        *no_delete("periods_servicecharge"),
        *no_delete("periods_meter"),
        *no_delete("periods_reading"),
        frozen_columns(
            "periods_association",
            "id",
            "company_id",
            "number",
            "currency",
            "fund_id",
            "cash_account_id",
            "clearing_account_id",
            "costs_account_id",
            "equity_account_id",
        ),
        frozen_columns(
            "periods_owner",
            "id",
            "association_id",
            "company_id",
            "currency",
            "number",
            "account_id",
        ),
        frozen_columns("periods_property", "id", "association_id", "number"),
        frozen_columns(
            "periods_ownership", "id", "association_id", "property_id", "owner_id", "from_on"
        ),
        frozen_columns(
            "periods_serviceperiod",
            "id",
            "association_id",
            "start_date",
            "end_date",
            "previous_id",
            "previous_end",
            "created_by_id",
            "created_at",
        ),
        frozen_columns("periods_budgetitem", *RECORDED),
        frozen_columns("periods_contribution", *RECORDED),
        frozen_columns("periods_expense", *RECORDED, "kind"),
        frozen_columns("periods_servicecharge", *RECORDED, "kind", "reading_id", "owner_id"),
        frozen_columns("periods_meter", "id", "association_id", "property_id", "payment_type"),
        frozen_columns("periods_reading", *RECORDED, "meter_id"),
    )
