"""What stands in the files of treasury's lists; the same for the API and the admin.

Destinations are masked: a file travels further than a page. Every amount has its currency in the column
beside it.
"""

from typing import Any

from ledger.encryption import mask
from ledger.exports import Column, Export
from ledger.money import Money


def _money(name: str) -> Any:
    return lambda row: Money(getattr(row, name), row.currency)


def _of(*path: str) -> Any:
    """What lies at the end of the path from a row; nothing where it breaks off."""

    def value(row: Any) -> Any:
        for name in path:
            row = getattr(row, name, None)
            if row is None:
                return None
        return row

    return value


def _person(*path: str) -> Any:
    found = _of(*path)

    def name(row: Any) -> str | None:
        person = found(row)
        return str(person) if person else None

    return name


def _destination(row: Any) -> str:
    return str(row.destination) if row.method == "cash" else mask(row.destination)


REQUISITIONS = Export(
    "requisitions",
    (
        Column("requisition_id", _of("pk")),
        Column("company", _of("fund", "company", "name")),
        Column("fund", _of("fund", "name")),
        Column("payee_name", _of("payee_name")),
        Column("purpose", _of("purpose")),
        Column("amount", _money("amount")),
        Column("currency", _of("currency")),
        Column("method", _of("method")),
        Column("destination", _destination),
        Column("status", _of("status")),
        Column("version", _of("version")),
        Column("requested_by", _person("requested_by")),
        Column("requested_at", _of("requested_at")),
        Column("approved_at", _of("approved_at")),
        Column("rejected_by", _person("rejected_by")),
        Column("rejected_at", _of("rejected_at")),
        Column("rejection_reason", _of("rejection_reason")),
        Column("cancelled_at", _of("cancelled_at")),
    ),
    ("fund__company", "requested_by", "rejected_by"),
)

PAYMENTS = Export(
    "payments",
    (
        Column("payment_id", _of("pk")),
        Column("requisition_id", _of("requisition_id")),
        Column("company", _of("fund", "company", "name")),
        Column("fund", _of("fund", "name")),
        Column("payee_name", _of("requisition", "payee_name")),
        Column("purpose", _of("requisition", "purpose")),
        Column("amount", _money("amount")),
        Column("currency", _of("currency")),
        Column("method", _of("method")),
        Column("destination", _destination),
        Column("status", _of("status")),
        Column("requested_by", _person("requester")),
        Column("executor", _person("executor")),
        Column("created_at", _of("created_at")),
        Column("executed_at", _of("execution", "created_at")),
        Column("otp_verified_at", _of("execution", "otp_verified_at")),
        Column("gateway_reference", _of("execution", "gateway_reference")),
        Column("reconciled_at", _of("reconciliation", "reconciled_at")),
        Column("retry_count", _of("retry_count")),
        Column("last_error", _of("last_error")),
    ),
    ("fund__company", "requisition", "requester", "executor", "execution", "reconciliation"),
)

BATCH_ROWS = Export(
    "batch-rows",
    (
        Column("row_id", _of("pk")),
        Column("batch", _of("batch", "name")),
        Column("number", _of("number")),
        Column("status", _of("status")),
        Column("payment_status", _of("payment", "status")),
        Column("payee_name", _of("payee_name")),
        Column("method", _of("method")),
        Column("destination", _of("destination_shown")),
        Column("amount", lambda row: None if row.amount is None else _money("amount")(row)),
        Column("currency", _of("currency")),
        Column("reference", _of("reference")),
        Column("scheduled_for", _of("scheduled_for")),
        Column("requisition_id", _of("requisition_id")),
        Column("payment_id", _of("payment_id")),
        Column("gateway_reference", _of("payment", "execution", "gateway_reference")),
        Column("executed_at", _of("payment", "execution", "created_at")),
        Column("otp_verified_at", _of("payment", "execution", "otp_verified_at")),
        Column("last_error", _of("payment", "last_error")),
        Column("error_field", _of("error_field")),
        Column("error_code", _of("error_code")),
        Column("error_message", _of("error_message")),
        Column("warnings", lambda row: "; ".join(one["message"] for one in row.warnings)),
        Column("processed_at", _of("processed_at")),
    ),
    ("batch", "payment__execution"),
)

EXECUTIONS = Export(
    "executions",
    (
        Column("execution_id", _of("pk")),
        Column("payment_id", _of("payment_id")),
        Column("company", _of("payment", "fund", "company", "name")),
        Column("fund", _of("payment", "fund", "name")),
        Column("payee_name", _of("payment", "requisition", "payee_name")),
        Column("amount", lambda row: Money(row.payment.amount, row.payment.currency)),
        Column("currency", _of("payment", "currency")),
        Column("executor", _person("executor")),
        Column("executed_at", _of("created_at")),
        Column("gateway_reference", _of("gateway_reference")),
        Column("otp_verified_at", _of("otp_verified_at")),
        Column("journal_entry", _of("journal_entry_id")),
    ),
    ("payment__fund__company", "payment__requisition", "executor"),
)

FUND_LINES = Export(
    "fund-ledger",
    (
        Column("entry_id", _of("pk")),
        Column("fund", _of("account", "fund", "name")),
        Column("entry_type", _of("entry_type")),
        Column("direction", _of("direction")),
        Column("side", _of("side")),
        Column("amount", _money("amount")),
        Column("currency", _of("currency")),
        Column("balance_after", _money("balance_after")),
        Column("description", _of("journal_entry", "description")),
        Column("effective_on", _of("effective_on")),
        Column("posted_at", _of("posted_at")),
        Column("reconciled", lambda row: bool(row.is_reconciled)),
        Column("reconciled_at", _of("reconciled_at")),
        Column("journal_entry", _of("journal_entry_id")),
    ),
    ("journal_entry", "account__fund"),
)

VARIANCES = Export(
    "variances",
    (
        Column("variance_id", _of("pk")),
        Column("payment_id", _of("payment_id")),
        Column("company", _of("payment", "fund", "company", "name")),
        Column("fund", _of("payment", "fund", "name")),
        Column("payee_name", _of("payment", "requisition", "payee_name")),
        Column("original_amount", _money("original_amount")),
        Column("adjusted_amount", _money("adjusted_amount")),
        Column("variance_amount", _money("variance_amount")),
        Column("currency", _of("currency")),
        Column("reason", _of("reason")),
        Column("status", _of("status")),
        Column("recorded_by", _person("recorded_by")),
        Column("created_at", _of("created_at")),
        Column("approved_by", _person("approved_by")),
        Column("approved_for", _person("approved_for")),
        Column("approved_at", _of("approved_at")),
        Column("rejected_by", _person("rejected_by")),
        Column("rejection_reason", _of("rejection_reason")),
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
        Column("request_id", _of("pk")),
        Column("company", _of("fund", "company", "name")),
        Column("fund", _of("fund", "name")),
        Column("requested_amount", _money("requested_amount")),
        Column("currency", _of("currency")),
        Column("current_balance", _money("current_balance")),
        Column("reason", _of("reason")),
        Column("auto_triggered", _of("auto_triggered")),
        Column("status", _of("status")),
        Column("requested_by", _person("requested_by")),
        Column("created_at", _of("created_at")),
        Column("approved_by", _person("approved_by")),
        Column("approved_for", _person("approved_for")),
        Column("approved_at", _of("approved_at")),
        Column("funded_by", _person("funded_by")),
        Column("funded_at", _of("funded_at")),
        Column("rejected_by", _person("rejected_by")),
        Column("rejection_reason", _of("rejection_reason")),
    ),
    ("fund__company", "requested_by", "approved_by", "approved_for", "funded_by", "rejected_by"),
)
