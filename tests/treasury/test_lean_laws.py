"""What is frozen stays so whichever kind of statement changes it; laws are asked only about their columns."""

from typing import LiteralString

import psycopg
import pytest

from ledger.models import Account
from ledger.rows import rows_of
from tests.treasury.desk import Desk, make_desk, refused_by
from treasury.models import Payment
from treasury.states import RequisitionStatus

# For each way the table's name, its key, the column and a value for it.
WAYS: dict[str, LiteralString] = {
    "update": "UPDATE {0} SET {2} = {3} WHERE {1} = %s",
    "a list": "UPDATE {0} SET ({2}) = ROW({3}) WHERE {1} = %s",
    "from": "UPDATE {0} SET {2} = new.it FROM (SELECT {3} AS it) new WHERE {1} = %s",
    "with": "WITH new AS (UPDATE {0} SET {2} = {3} WHERE {1} = %s RETURNING 1) SELECT FROM new",
    "merge": "MERGE INTO {0} USING (SELECT) new ON {1} = %s WHEN MATCHED THEN UPDATE SET {2} = {3}",
}
ID = "gen_random_uuid()"
PAYMENT: dict[LiteralString, LiteralString] = {
    "payment_id": ID,
    "requisition_id": ID,
    "company_id": ID,
    "fund_id": ID,
    "currency": "'USD'",
    "requester_id": ID,
    "created_by_id": ID,
    "created_at": "now()",
    "amount": "1",
    "method": "'bank'",
    "destination_index": "repeat('0', 64)",
    "executor_id": ID,
    "due_on": "'2030-01-01'::date",
    "scheduled_for": "'2030-01-01'::date",
    "scheduled_by_id": ID,
}
REQUISITION: dict[LiteralString, LiteralString] = {
    "requisition_id": ID,
    "company_id": ID,
    "fund_id": ID,
    "currency": "'USD'",
    "requested_by_id": ID,
    "requested_at": "now()",
    "debit_account_id": ID,
    "source": "'elsewhere'",
    "amount": "1001",
    "purpose": "'Pens'",
    "payee_name": "'Somebody'",
    "payee_index": "repeat('0', 64)",
    "method": "'bank'",
    "destination_index": "repeat('0', 64)",
}
ACCOUNT: dict[LiteralString, LiteralString] = {
    "id": ID,
    "company_id": ID,
    "currency": "'USD'",
    "type": "'income'",
    "normal_side": "'credit'",
    "balance": "1000000",
    "held": "1",
    "entry_count": "9",
    "chain_head": "'\\x00'::bytea",
    "last_posted_at": "now()",
}
# The application may not even try some of an account's columns.
LAWS = "kept as it was written|fixed_when_sent|permission denied for table ledger_account"


@pytest.fixture
def paid(db: None) -> Payment:
    desk: Desk = make_desk()
    return desk.paid(amount="1000")


@pytest.mark.parametrize("way", WAYS)
def test_no_statement_changes_what_is_frozen(paid: Payment, way: str) -> None:
    account = Account.objects.get(pk=paid.fund.account_id)
    for table, key, columns, row in (
        ("treasury_payment", "payment_id", PAYMENT, paid.pk),
        ("treasury_requisition", "requisition_id", REQUISITION, paid.requisition_id),
        ("ledger_account", "id", ACCOUNT, account.pk),
    ):
        for column, value in columns.items():
            refused_by(LAWS, WAYS[way].format(table, key, column, value), row)


def test_no_index_of_requisitions_is_about_what_paying_one_changes(db: None) -> None:
    """Where one is, PostgreSQL writes all of them anew with every payment."""
    indexes = rows_of(
        "SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexdef ~ %s",
        ["treasury_requisition", r"\m(status|committed)\M"],
    )
    assert indexes == []


def test_the_stage_of_a_requisition_is_made_of_its_status(
    paid: Payment, superuser_connection: psycopg.Connection
) -> None:
    superuser_connection.execute("SET session_replication_role = replica")
    stages = {
        status: superuser_connection.execute(
            "UPDATE treasury_requisition SET status = %s RETURNING stage", [status]
        ).fetchall()
        for status in RequisitionStatus.values
    }
    assert stages == {
        "submitted": [("waiting",)],
        "approved": [("agreed",)],
        "paid": [("agreed",)],
        "rejected": [("withdrawn",)],
        "cancelled": [("withdrawn",)],
    }


def test_nobody_writes_the_stage_of_a_requisition(paid: Payment) -> None:
    refused_by(
        "can only be updated to DEFAULT",
        "UPDATE treasury_requisition SET stage = 'waiting' WHERE requisition_id = %s",
        paid.requisition_id,
    )
