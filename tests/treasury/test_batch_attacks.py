"""What somebody tries with a batch: to exchange a payee before it is approved, and to have it paid too soon."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ledger.clock import database_now
from ledger.refusals import SegregationOfDuties
from ledger.roles import Role
from tests.api.caller import Caller
from tests.treasury.desk import CASH, SYSTEM, Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import DAY, acting, today
from treasury import duties
from treasury.models import Batch, BatchCode, BatchRow, Payment, Requisition
from treasury.services import batch_execution
from treasury.services.batch_approval import BatchChanged, approve_batch, void_changed_batches
from treasury.services.batch_execution import carry_out_chunk, execute_batch, run_batch
from treasury.services.batches import cancel_batch, create_batch
from treasury.services.delegations import create_delegation
from treasury.services.payments import create_payment, edit_payment
from treasury.services.policies import set_step_up_threshold
from treasury.services.requisitions import (
    InBatch,
    approve_requisition,
    create_requisition,
    edit_requisition,
)
from treasury.services.step_up import StepUpRequired

FILE = (
    "payee_name,method,destination,amount,purpose,reference\n"
    "Amina Traders,cash,Front desk,1000.00,Paper,A1\n"
    "Juma Stores,cash,Gate,250,Brooms,A2\n"
)


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def uploaded(desk: Desk, text: str = FILE) -> Batch:
    file = SimpleUploadedFile("payroll.csv", text.encode())
    answer: Any = Caller(desk.requester).client.post(
        "/api/batches/", {"file": file}, format="multipart"
    )
    assert answer.status_code == 201
    return Batch.objects.get(pk=answer.json()["batch_id"])


def listed(desk: Desk, *requisitions: Requisition) -> Batch:
    made = create_batch(actor=acting(desk.treasurer), requisitions=[one.pk for one in requisitions])
    return Batch.objects.get(pk=made.batch.pk)


def approved(desk: Desk, batch: Batch) -> Batch:
    return approve_batch(actor=acting(desk.cfo), batch_id=batch.pk)


def confirmed(desk: Desk, batch: Batch) -> None:
    """The executor has given back a code for the set as it is."""
    Caller(desk.treasurer).post(f"/api/batches/{batch.pk}/send_otp/")
    code = BatchCode.objects.get(batch=batch, voided_at=None)
    code.verified_at = code.sent_at
    code.save(update_fields=["verified_at"])


def test_a_payee_exchanged_after_the_approver_looked_is_not_agreed_to(desk: Desk) -> None:
    batch = uploaded(desk)
    mine = Requisition.objects.get(payee_name="Amina Traders")
    edit_requisition(
        actor=acting(desk.requester),
        requisition_id=mine.pk,
        payee_name="Somebody Else",
        destination="Back door",
        amount="40000",
    )
    with pytest.raises(BatchChanged):
        approve_batch(actor=acting(desk.cfo), batch_id=batch.pk, seen_hash=batch.set_hash)
    mine.refresh_from_db()
    assert mine.status == "submitted"
    row = BatchRow.objects.get(batch=batch, number=2)
    assert (row.payee_name, row.destination_shown, row.amount) == (
        "Somebody Else", "Back door", 40_000,
    )  # fmt: skip
    batch.refresh_from_db()
    assert batch.total == 40_250
    approve_batch(actor=acting(desk.cfo), batch_id=batch.pk, seen_hash=batch.set_hash)
    assert Payment.objects.get(requisition=mine).amount == 40_000
    refused_by(
        "are fixed", "UPDATE treasury_batchrow SET payee_name = 'X' WHERE row_id = %s", row.pk
    )


def test_nor_is_what_changed_when_he_names_no_set(desk: Desk) -> None:
    batch = uploaded(desk)
    mine = Requisition.objects.get(payee_name="Amina Traders")
    edit_requisition(actor=acting(desk.requester), requisition_id=mine.pk, amount="9000")
    with pytest.raises(BatchChanged):
        approved(desk, batch)
    assert approved(desk, batch).total == 9250


def test_the_sweep_shows_a_changed_set_before_anybody_approves(desk: Desk) -> None:
    uploaded(desk)
    mine = Requisition.objects.get(payee_name="Amina Traders")
    edit_requisition(actor=acting(desk.requester), requisition_id=mine.pk, amount="9000")
    assert void_changed_batches(actor=SYSTEM) == 1
    assert void_changed_batches(actor=SYSTEM) == 0
    assert Batch.objects.get().total == 9250


def test_what_a_batch_raised_is_approved_with_it_alone(desk: Desk) -> None:
    batch = uploaded(desk)
    mine = Requisition.objects.get(payee_name="Amina Traders")
    with pytest.raises(InBatch):
        approve_requisition(actor=acting(desk.approver), requisition_id=mine.pk)
    cancel_batch(actor=acting(desk.cfo), batch_id=batch.pk)
    mine.refresh_from_db()
    assert mine.status == "cancelled"


def test_what_was_paid_besides_drops_out_of_the_set(desk: Desk) -> None:
    much, other = desk.approved(), desk.approved(amount="30")
    batch = listed(desk, much, other)
    create_payment(actor=acting(desk.treasurer), requisition_id=much.pk, amount="600")
    with pytest.raises(BatchChanged):
        approved(desk, batch)
    assert approved(desk, batch).total == 30
    row = BatchRow.objects.get(batch=batch, requisition=much)
    assert (row.status, row.error_code) == ("refused", "batch_changed")


def test_what_is_scheduled_for_later_is_not_paid_early_with_others(desk: Desk) -> None:
    first, second, later = (desk.pending(amount=amount) for amount in ("10", "20", "30"))
    edit_payment(
        actor=acting(desk.treasurer),
        payment_id=later.pk,
        scheduled_for=DAY + timedelta(days=30),
        today=today,
    )
    batch = listed(desk, *(one.requisition for one in (first, second, later)))
    approved(desk, batch)
    confirmed(desk, batch)
    execute_batch(actor=acting(desk.treasurer), batch_id=batch.pk)
    carry_out_chunk(actor=SYSTEM, batch_id=batch.pk, today=today)
    status = {row.payment_id: (row.status, row.error_code) for row in BatchRow.objects.all()}
    assert status == {
        first.pk: ("done", ""),
        second.pk: ("done", ""),
        later.pk: ("waiting", ""),
    }
    later.refresh_from_db()
    assert later.status == "pending"


def test_a_payment_that_needs_a_second_factor_needs_it_in_a_batch(desk: Desk) -> None:
    limit: Callable[[str | None], Any] = lambda amount: set_step_up_threshold(  # noqa: E731
        actor=acting(desk.cfo), company_id=desk.company.pk, currency="KES", step_up_above=amount
    )
    batch = listed(desk, desk.approved(amount="600"), desk.approved(amount="500"))
    approved(desk, batch)
    confirmed(desk, batch)
    limit("550")
    Payment.objects.filter(amount=600).update(step_up_required=True)
    with pytest.raises(StepUpRequired):
        execute_batch(actor=acting(desk.treasurer), batch_id=batch.pk)
    limit("5000")
    with pytest.raises(StepUpRequired):
        execute_batch(actor=acting(desk.treasurer), batch_id=batch.pk)
    Payment.objects.update(step_up_required=False)
    assert execute_batch(actor=acting(desk.treasurer), batch_id=batch.pk).status == "executing"


def test_who_had_a_part_approved_in_his_name_does_not_execute_the_batch(desk: Desk) -> None:
    both = rival_of(desk, Role.APPROVER, Role.TREASURER)
    create_delegation(
        actor=acting(both),
        company_id=desk.company.pk,
        role=Role.APPROVER,
        delegate_id=desk.auditor.pk,
        from_on=_day(),
        until_on=_day(),
        reason="Away",
        today=lambda company: _day(),
    )
    requisition = desk.request()
    approve_requisition(actor=acting(desk.auditor), requisition_id=requisition.pk)
    batch = approved(desk, listed(desk, desk.approved(), requisition))
    with pytest.raises(SegregationOfDuties):
        duties.may_execute_batch(acting(both), batch)
    with pytest.raises(SegregationOfDuties):
        duties.may_execute_batch(acting(both), batch, numbers=(2, 2))
    duties.may_execute_batch(acting(both), batch, numbers=(1, 1))
    duties.may_execute_batch(acting(desk.treasurer), batch)


def test_whoever_asked_for_a_part_executes_no_chunk_with_it(desk: Desk) -> None:
    both = rival_of(desk, Role.REQUESTER, Role.TREASURER)
    requisition = create_requisition(actor=acting(both), fund_id=desk.fund.pk, **CASH)
    approve_requisition(actor=acting(desk.approver), requisition_id=requisition.pk)
    batch = approved(desk, listed(desk, desk.approved(), requisition, desk.approved()))
    for refused in ((2, 2), (1, 3), (2, 3)):
        with pytest.raises(SegregationOfDuties):
            duties.may_execute_batch(acting(both), batch, numbers=refused)
    duties.may_execute_batch(acting(both), batch, numbers=(1, 1))
    duties.may_execute_batch(acting(both), batch, numbers=(3, 3))


def test_a_chunk_asks_who_may_execute_its_own_rows_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To ask about the whole set with every chunk takes time that grows with the square of its rows."""
    batch = approved(desk, listed(desk, *(desk.approved() for _ in range(3))))
    confirmed(desk, batch)
    execute_batch(actor=acting(desk.treasurer), batch_id=batch.pk)
    asked: list[tuple[int, int] | None] = []
    may_execute = duties.may_execute_batch

    def may(actor: Any, batch: Batch, *, numbers: tuple[int, int] | None = None) -> Any:
        asked.append(numbers)
        return may_execute(actor, batch, numbers=numbers)

    monkeypatch.setattr(duties, "may_execute_batch", may)
    monkeypatch.setattr(batch_execution, "CHUNK", 2)
    assert run_batch(actor=SYSTEM, batch_id=batch.pk, today=today) == 1
    assert asked == [(1, 2), (3, 3)]
    assert set(batch.rows.values_list("status", flat=True)) == {"done"}


def _day() -> date:
    """Today in Nairobi."""
    return (database_now() + timedelta(hours=3)).date()
