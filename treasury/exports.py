"""What stands in the files of treasury's lists; the same for the API and the admin.

Destinations are masked: a file travels further than a page. Every amount has its currency in the column
beside it.
"""

from typing import Any

from ledger.encryption import mask
from ledger.exports import Column, Export, money, of, person
from ledger.money import Money


def _destination(row: Any) -> str:
    return str(row.destination) if row.method == "cash" else mask(row.destination)


REQUISITIONS = Export(
    "requisitions",
    (
        Column("requisition_id", of("pk")),
        Column("company", of("fund", "company", "name")),
        Column("fund", of("fund", "name")),
        Column("payee_name", of("payee_name")),
        Column("purpose", of("purpose")),
        Column("amount", money("amount")),
        Column("currency", of("currency")),
        Column("method", of("method")),
        Column("destination", _destination),
        Column("status", of("status")),
        Column("version", of("version")),
        Column("requested_by", person("requested_by")),
        Column("requested_at", of("requested_at")),
        Column("approved_at", of("approved_at")),
        Column("rejected_by", person("rejected_by")),
        Column("rejected_at", of("rejected_at")),
        Column("rejection_reason", of("rejection_reason")),
        Column("cancelled_at", of("cancelled_at")),
    ),
    ("fund__company", "requested_by", "rejected_by"),
)

PAYMENTS = Export(
    "payments",
    (
        Column("payment_id", of("pk")),
        Column("requisition_id", of("requisition_id")),
        Column("company", of("fund", "company", "name")),
        Column("fund", of("fund", "name")),
        Column("payee_name", of("requisition", "payee_name")),
        Column("purpose", of("requisition", "purpose")),
        Column("amount", money("amount")),
        Column("currency", of("currency")),
        Column("method", of("method")),
        Column("destination", _destination),
        Column("status", of("status")),
        Column("requested_by", person("requester")),
        Column("executor", person("executor")),
        Column("created_at", of("created_at")),
        Column("executed_at", of("execution", "created_at")),
        Column("otp_verified_at", of("execution", "otp_verified_at")),
        Column("gateway_reference", of("execution", "gateway_reference")),
        Column("reconciled_at", of("reconciliation", "reconciled_at")),
        Column("retry_count", of("retry_count")),
        Column("last_error", of("last_error")),
    ),
    ("fund__company", "requisition", "requester", "executor", "execution", "reconciliation"),
)

BATCH_ROWS = Export(
    "batch-rows",
    (
        Column("row_id", of("pk")),
        Column("batch", of("batch", "name")),
        Column("number", of("number")),
        Column("status", of("status")),
        Column("payment_status", of("payment", "status")),
        Column("payee_name", of("payee_name")),
        Column("method", of("method")),
        Column("destination", of("destination_shown")),
        Column("amount", lambda row: None if row.amount is None else money("amount")(row)),
        Column("currency", of("currency")),
        Column("reference", of("reference")),
        Column("scheduled_for", of("scheduled_for")),
        Column("requisition_id", of("requisition_id")),
        Column("payment_id", of("payment_id")),
        Column("gateway_reference", of("payment", "execution", "gateway_reference")),
        Column("executed_at", of("payment", "execution", "created_at")),
        Column("otp_verified_at", of("payment", "execution", "otp_verified_at")),
        Column("last_error", of("payment", "last_error")),
        Column("error_field", of("error_field")),
        Column("error_code", of("error_code")),
        Column("error_message", of("error_message")),
        Column("warnings", lambda row: "; ".join(one["message"] for one in row.warnings)),
        Column("processed_at", of("processed_at")),
    ),
    ("batch", "payment__execution"),
)

EXECUTIONS = Export(
    "executions",
    (
        Column("execution_id", of("pk")),
        Column("payment_id", of("payment_id")),
        Column("company", of("payment", "fund", "company", "name")),
        Column("fund", of("payment", "fund", "name")),
        Column("payee_name", of("payment", "requisition", "payee_name")),
        Column("amount", lambda row: Money(row.payment.amount, row.payment.currency)),
        Column("currency", of("payment", "currency")),
        Column("executor", person("executor")),
        Column("executed_at", of("created_at")),
        Column("gateway_reference", of("gateway_reference")),
        Column("otp_verified_at", of("otp_verified_at")),
        Column("journal_entry", of("journal_entry_id")),
    ),
    ("payment__fund__company", "payment__requisition", "executor"),
)

FUND_LINES = Export(
    "fund-ledger",
    (
        Column("entry_id", of("pk")),
        Column("fund", of("account", "fund", "name")),
        Column("entry_type", of("entry_type")),
        Column("direction", of("direction")),
        Column("side", of("side")),
        Column("amount", money("amount")),
        Column("currency", of("currency")),
        Column("balance_after", money("balance_after")),
        Column("description", of("journal_entry", "description")),
        Column("effective_on", of("effective_on")),
        Column("posted_at", of("posted_at")),
        Column("reconciled", lambda row: bool(row.is_reconciled)),
        Column("reconciled_at", of("reconciled_at")),
        Column("journal_entry", of("journal_entry_id")),
    ),
    ("journal_entry", "account__fund"),
)

VARIANCES = Export(
    "variances",
    (
        Column("variance_id", of("pk")),
        Column("payment_id", of("payment_id")),
        Column("company", of("payment", "fund", "company", "name")),
        Column("fund", of("payment", "fund", "name")),
        Column("payee_name", of("payment", "requisition", "payee_name")),
        Column("original_amount", money("original_amount")),
        Column("adjusted_amount", money("adjusted_amount")),
        Column("variance_amount", money("variance_amount")),
        Column("currency", of("currency")),
        Column("reason", of("reason")),
        Column("status", of("status")),
        Column("recorded_by", person("recorded_by")),
        Column("created_at", of("created_at")),
        Column("approved_by", person("approved_by")),
        Column("approved_for", person("approved_for")),
        Column("approved_at", of("approved_at")),
        Column("rejected_by", person("rejected_by")),
        Column("rejection_reason", of("rejection_reason")),
    ),
    (
        "payment__fund__company",
        "payment__requisition",
        "recorded_by",
        "approved_by",
        "approved_for",
        "rejected_by",
    ),
)

REPLENISHMENTS = Export(
    "replenishments",
    (
        Column("request_id", of("pk")),
        Column("company", of("fund", "company", "name")),
        Column("fund", of("fund", "name")),
        Column("requested_amount", money("requested_amount")),
        Column("currency", of("currency")),
        Column("current_balance", money("current_balance")),
        Column("reason", of("reason")),
        Column("auto_triggered", of("auto_triggered")),
        Column("status", of("status")),
        Column("requested_by", person("requested_by")),
        Column("created_at", of("created_at")),
        Column("approved_by", person("approved_by")),
        Column("approved_for", person("approved_for")),
        Column("approved_at", of("approved_at")),
        Column("funded_by", person("funded_by")),
        Column("funded_at", of("funded_at")),
        Column("rejected_by", person("rejected_by")),
        Column("rejection_reason", of("rejection_reason")),
    ),
    ("fund__company", "requested_by", "approved_by", "approved_for", "funded_by", "rejected_by"),
)
