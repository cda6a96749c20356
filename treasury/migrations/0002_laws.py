"""Treasury's laws as PostgreSQL keeps them: statuses, copies, segregation of duties, frozen rows."""

from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

from ledger.migration_operations import append_only, frozen_columns, guarded_status, no_delete
from treasury import states

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("treasury", "0001_initial"), ("ledger", "0002_laws"))

    operations = (
        RunSQL(
            (SQL / "laws.sql").read_text(encoding="utf-8"),
            (SQL / "laws_undo.sql").read_text(encoding="utf-8"),
        ),
        *guarded_status(
            "treasury_requisition",
            machine="treasury.requisition",
            transitions=states.REQUISITION,
        ),
        *guarded_status("treasury_payment", machine="treasury.payment", transitions=states.PAYMENT),
        *guarded_status(
            "treasury_paymentattempt",
            machine="treasury.attempt",
            column="state",
            transitions=states.ATTEMPT,
        ),
        *guarded_status(
            "treasury_varianceadjustment",
            machine="treasury.variance",
            transitions=states.VARIANCE,
        ),
        *guarded_status(
            "treasury_replenishmentrequest",
            machine="treasury.replenishment",
            transitions=states.REPLENISHMENT,
        ),
        *append_only("treasury_requisitionapproval"),
        *append_only("treasury_paymentexecution"),
        *append_only("treasury_reconciliation"),
        *append_only("treasury_callback"),
        *append_only("treasury_incident"),
        *no_delete("treasury_treasuryfund"),
        *no_delete("treasury_requisition"),
        *no_delete("treasury_payment"),
        *no_delete("treasury_paymentattempt"),
        *no_delete("treasury_enquiry"),
        *no_delete("treasury_onetimecode"),
        *no_delete("treasury_resolution"),
        *no_delete("treasury_varianceadjustment"),
        *no_delete("treasury_replenishmentrequest"),
        frozen_columns(
            "treasury_treasuryfund",
            "fund_id",
            "company_id",
            "currency",
            "account_id",
            "spending_account_id",
            "funding_account_id",
            "variance_account_id",
            "suspense_account_id",
            "clearing_account_id",
        ),
        frozen_columns(
            "treasury_requisition",
            "requisition_id",
            "company_id",
            "fund_id",
            "currency",
            "requested_by_id",
            "requested_at",
        ),
        frozen_columns(
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
        frozen_columns(
            "treasury_paymentattempt",
            "attempt_id",
            "payment_id",
            "number",
            "reference",
            "provider_id",
            "amount",
            "currency",
            "destination_index",
            "executor_id",
            "ip_address",
            "user_agent",
            "code_id",
            "created_at",
        ),
        frozen_columns("treasury_enquiry", "enquiry_id", "attempt_id", "token_hash", "sent_at"),
        frozen_columns(
            "treasury_onetimecode",
            "code_id",
            "payment_id",
            "payment_version",
            "executor_id",
            "digest",
            "bound_digest",
            "sent_at",
        ),
        frozen_columns(
            "treasury_resolution",
            "resolution_id",
            "payment_id",
            "attempt_id",
            "outcome",
            "evidence",
            "proposed_by_id",
            "proposed_at",
        ),
        frozen_columns(
            "treasury_varianceadjustment",
            "variance_id",
            "payment_id",
            "company_id",
            "currency",
            "original_amount",
            "adjusted_amount",
            "variance_amount",
            "reason",
            "recorded_by_id",
            "created_at",
        ),
        frozen_columns(
            "treasury_replenishmentrequest",
            "request_id",
            "fund_id",
            "company_id",
            "currency",
            "current_balance",
            "requested_amount",
            "requested_by_id",
            "auto_triggered",
            "created_at",
        ),
        frozen_columns(
            "treasury_attachment",
            "attachment_id",
            "requisition_id",
            "file",
            "sha256",
            "size",
            "content_type",
            "uploaded_by_id",
            "uploaded_at",
        ),
    )
