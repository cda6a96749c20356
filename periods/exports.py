"""What stands in the files of a period's records; the same for the API and the admin.

Every amount has its currency in the column beside it. What is void is in the file as it is in the list, and
says when and why.
"""

from ledger.exports import Column, Export, money, of, person

PLACE = (
    Column("association", of("association", "name")),
    Column("period", of("period", "name")),
)
AMOUNT = (
    Column("amount", money("amount", "association", "currency")),
    Column("currency", of("association", "currency")),
    Column("date", of("date")),
)
RECORDED = (
    Column("version", of("version")),
    Column("recorded_by", person("recorded_by")),
    Column("recorded_at", of("recorded_at")),
    Column("voided_by", person("voided_by")),
    Column("voided_at", of("voided_at")),
    Column("void_reason", of("void_reason")),
)
RELATED = ("association", "period", "recorded_by", "voided_by")

CONTRIBUTIONS = Export(
    "contributions",
    (
        Column("contribution_id", of("pk")),
        *PLACE,
        Column("owner", of("owner", "name")),
        *AMOUNT,
        Column("comment", of("comment")),
        *RECORDED,
    ),
    (*RELATED, "owner"),
)

EXPENSES = Export(
    "expenses",
    (
        Column("expense_id", of("pk")),
        *PLACE,
        Column("kind", of("kind")),
        Column("paid_by", of("paid_by", "name")),
        Column("payment_type", of("payment_type")),
        *AMOUNT,
        Column("vendor", of("vendor")),
        Column("description", of("description")),
        Column("budget_item", of("budget_item", "payment_type")),
        Column("refund_of", of("refund_of_id")),
        Column("requisition_id", of("requisition_id")),
        Column("paid", of("paid")),
        *RECORDED,
    ),
    (*RELATED, "paid_by", "budget_item", "requisition"),
)

CHARGES = Export(
    "charges",
    (
        Column("charge_id", of("pk")),
        *PLACE,
        Column("owner", of("owner", "name")),
        Column("kind", of("kind")),
        Column("description", of("description")),
        *AMOUNT,
        *RECORDED,
    ),
    (*RELATED, "owner"),
)
