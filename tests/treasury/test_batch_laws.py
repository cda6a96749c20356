"""What the database keeps of batches, attacked by raw SQL as the role that the application runs as."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from ledger.refusals import InvalidInput, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting, today
from treasury.models import Batch, BatchRow, Payment
from treasury.services.batch_approval import approve_batch
from treasury.services.batch_codes import send_batch_otp
from treasury.services.batch_execution import carry_out_chunk
from treasury.services.batches import create_batch
from treasury.sets import set_hash
from treasury.sheets import read_sheet

HEADER = b"payee_name,method,destination,amount,purpose\n"


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def batch(desk: Desk) -> Batch:
    ids = [desk.approved(amount=str(amount)).pk for amount in (10, 20)]
    return create_batch(actor=acting(desk.treasurer), requisitions=ids).batch


def test_the_set_is_fixed_once_it_is_approved(desk: Desk, batch: Batch) -> None:
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    for change in ("set_hash = 'x'", "count = 1", "total = 1"):
        refused_by(
            "kept as it was written",
            f"UPDATE treasury_batch SET {change} WHERE batch_id = %s",
            batch.pk,
        )
    for change in ("amount = 1", "digest = 'x'", "payment_id = NULL", "number = 9"):
        refused_by(".", f"UPDATE treasury_batchrow SET {change} WHERE batch_id = %s", batch.pk)
    refused_by("fixed", ADD_ROW, batch.pk)


ADD_ROW = """
    INSERT INTO treasury_batchrow (row_id, batch_id, number, raised, adopted, payee_name, method,
        destination_shown, currency, reference, digest, warnings, status, error_field, error_code,
        error_message)
    VALUES (gen_random_uuid(), %s, 99, false, false, '', '', '', 'KES', '', '', '[]', 'refused', '',
        'x', '')
"""


def test_nothing_is_approved_without_a_cfo_or_executed_without_a_code(
    desk: Desk, batch: Batch
) -> None:
    refused_by(
        "no approval of a CFO",
        "UPDATE treasury_batch SET status = 'approved' WHERE batch_id = %s",
        batch.pk,
    )
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    refused_by(
        "not confirmed",
        "UPDATE treasury_batch SET status = 'executing', executor_id = %s, started_at = now()"
        " WHERE batch_id = %s",
        desk.treasurer.pk,
        batch.pk,
    )


def test_no_requester_and_no_approver_is_the_executor(desk: Desk, batch: Batch) -> None:
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    change = "UPDATE treasury_batch SET executor_id = %s WHERE batch_id = %s"
    refused_by("requester may not execute", change, desk.requester.pk, batch.pk)
    refused_by("approver may not execute", change, desk.cfo.pk, batch.pk)


def test_no_requester_and_no_maker_approves(desk: Desk, batch: Batch) -> None:
    insert = """
        INSERT INTO treasury_batchapproval (id, batch_id, set_hash, maker_id, approver_id, role, comment)
        SELECT gen_random_uuid(), batch_id, set_hash, created_by_id, %s, 'cfo', ''
        FROM treasury_batch WHERE batch_id = %s
    """
    refused_by("requester may not approve", insert, desk.requester.pk, batch.pk)
    refused_by("not_by_maker", insert, desk.treasurer.pk, batch.pk)
    other = "UPDATE treasury_batch SET set_hash = 'another' WHERE batch_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(other, [batch.pk])
    approved = insert.replace("batch_id, set_hash, created_by_id", "batch_id, 'x', created_by_id")
    refused_by("not submitted as this set", approved, desk.cfo.pk, batch.pk)


def test_a_payment_is_in_one_live_row(desk: Desk, batch: Batch) -> None:
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    row = BatchRow.objects.filter(batch=batch).first()
    assert row is not None
    second = create_batch(
        actor=acting(desk.treasurer), requisitions=[desk.approved(amount="5").pk]
    ).batch
    refused_by(
        "treasury_batchrow_one_payment|another requisition",
        "UPDATE treasury_batchrow SET payment_id = %s WHERE batch_id = %s",
        row.payment_id,
        second.pk,
    )


@pytest.mark.parametrize("table", ["batch", "batchrow", "batchapproval", "batchcode"])
def test_nothing_of_a_batch_is_deleted(db: None, table: str) -> None:
    for statement in (f"DELETE FROM treasury_{table}", f"TRUNCATE treasury_{table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_batch_that_is_not_started_is_carried_out_by_nobody(desk: Desk, batch: Batch) -> None:
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    assert not carry_out_chunk(actor=acting(desk.treasurer), batch_id=batch.pk, today=today)
    assert set(Payment.objects.values_list("status", flat=True)) == {"pending"}


def test_the_approver_of_one_requisition_in_it_does_not_execute_it(desk: Desk) -> None:
    desk.approver = rival_of(desk, Role.APPROVER, Role.TREASURER)
    batch = create_batch(
        actor=acting(desk.treasurer), requisitions=[desk.approved(amount="5").pk]
    ).batch
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    with pytest.raises(SegregationOfDuties):
        send_batch_otp(actor=acting(desk.approver), batch_id=batch.pk)


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=6), st.data())
def test_another_list_of_rows_is_another_set(digests: list[str], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.text("abc", min_size=1, max_size=3), max_size=6))
    name = Batch().pk
    assert (set_hash(name, digests) == set_hash(name, other)) == (digests == other)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused_by_name(data: bytes) -> None:
    for content in (data, HEADER + data, b"PK\x03\x04" + data):
        try:
            lines = read_sheet(content)
        except InvalidInput as refusal:
            fields = list(refusal.errors)
        else:
            fields = ["file"]
            assert all(line.number > 1 for line in lines)
        assert fields == ["file"]


@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**9), places=2))
def test_an_amount_is_read_as_it_was_written(amount: Decimal) -> None:
    line = f"A,cash,Gate,{amount},Paper\n".encode()
    assert read_sheet(HEADER + line)[0].cells["amount"] == str(amount)
