"""The laws of batches: statuses, a set that is fixed once approved, segregation, frozen rows."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, guarded_status, no_delete
from treasury import states

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0016_batches"),)

    operations = (
        RunSQL(
            (SQL / "batches.sql").read_text(encoding="utf-8"),
            (SQL / "batches_undo.sql").read_text(encoding="utf-8"),
        ),
        *guarded_status("treasury_batch", machine="treasury.batch", transitions=states.BATCH),
        *guarded_status(
            "treasury_batchrow", machine="treasury.batch_row", transitions=states.BATCH_ROW
        ),
        *append_only("treasury_batchapproval"),
        *no_delete("treasury_batch"),
        *no_delete("treasury_batchrow"),
        *no_delete("treasury_batchcode"),
        frozen_columns(
            "treasury_batch",
            "batch_id",
            "fund_id",
            "company_id",
            "currency",
            "source",
            "file_hash",
            "created_by_id",
            "created_at",
        ),
        frozen_columns(
            "treasury_batchrow",
            "row_id",
            "batch_id",
            "number",
            "requisition_id",
            "requester_id",
            "raised",
            "adopted",
            "payee_name",
            "method",
            "destination_shown",
            "currency",
            "reference",
        ),
        frozen_columns(
            "treasury_batchcode",
            "code_id",
            "batch_id",
            "set_hash",
            "executor_id",
            "digest",
            "bound_digest",
            "sent_at",
        ),
    )
