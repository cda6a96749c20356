"""A requisition may be raised for something of a floor above, and debit an account of that."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import frozen_columns

SQL = Path(__file__).resolve().parent.parent / "sql"
FROZEN = (
    "requisition_id",
    "company_id",
    "fund_id",
    "currency",
    "requested_by_id",
    "requested_at",
)
BEFORE = frozen_columns("treasury_requisition", *FROZEN)
NOW = frozen_columns("treasury_requisition", *FROZEN, "debit_account_id", "source")
HAS_SOURCE = ~models.Q(source="")


class Migration(migrations.Migration):
    dependencies = (("treasury", "0023_late_spending"), ("ledger", "0009_claiming"))

    operations = (
        migrations.AddField(
            model_name="requisition",
            name="debit_account",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.account",
            ),
        ),
        migrations.AddField(
            model_name="requisition",
            name="source",
            field=models.CharField(db_default="", default="", editable=False, max_length=160),
        ),
        migrations.AddIndex(
            model_name="requisition",
            index=models.Index(
                condition=models.Q(debit_account__isnull=False),
                fields=["debit_account"],
                name="treasury_requisition_debit",
            ),
        ),
        migrations.AddIndex(
            model_name="requisition",
            index=models.Index(
                condition=HAS_SOURCE,
                fields=["company", "source", "-requested_at"],
                name="treasury_requisition_raised",
            ),
        ),
        migrations.AddConstraint(
            model_name="requisition",
            constraint=models.UniqueConstraint(
                condition=HAS_SOURCE & ~models.Q(status__in=("rejected", "cancelled")),
                fields=("company", "source"),
                name="treasury_requisition_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="requisition",
            constraint=models.CheckConstraint(
                condition=models.Q(debit_account__isnull=True) | HAS_SOURCE,
                name="treasury_requisition_debit_has_source",
            ),
        ),
        RunSQL(
            (SQL / "debit_account.sql").read_text(encoding="utf-8"),
            (SQL / "debit_account_undo.sql").read_text(encoding="utf-8"),
        ),
        RunSQL(BEFORE.reverse_sql, BEFORE.sql),
        NOW,
    )
