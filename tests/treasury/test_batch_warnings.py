"""What a batch says beside its rows: that the same was asked for before, in the last 90 days."""

from typing import Any

import pytest

from tests.clock import Clock, clock
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting
from treasury.models import Requisition
from treasury.risk import Risk
from treasury.services.batches import Upload, create_batch
from treasury.services.requisitions import cancel_requisition, reject_requisition

__all__ = ["clock"]

HEADER = "payee_name,method,destination,amount,purpose,reference"


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


def warned_of(desk: Desk, requisition: Requisition) -> list[str]:
    """The requisitions that a batch of this one names as the same, newest first."""
    made = create_batch(actor=acting(desk.treasurer), requisitions=[requisition.pk], dry_run=True)
    (row,) = made.rows
    return [one["requisition"] for one in row.warnings if one["code"] == "duplicate_payee"]


def ids(*requisitions: Requisition) -> list[str]:
    return [str(one.pk) for one in requisitions]


def test_the_same_amount_to_the_same_place_is_named(desk: Desk) -> None:
    first, second = desk.request(), desk.approved()
    assert warned_of(desk, desk.approved()) == ids(second, first)


@pytest.mark.parametrize(
    "other", [{"amount": "999"}, {"payee_name": "Juma Stores"}, {"destination": "Back door"}]
)
def test_another_amount_payee_or_place_is_not_named(desk: Desk, other: dict[str, Any]) -> None:
    desk.request(**other)
    assert warned_of(desk, desk.approved()) == []


def test_what_was_withdrawn_is_not_named(desk: Desk) -> None:
    cancel_requisition(actor=acting(desk.requester), requisition_id=desk.request().pk)
    reject_requisition(actor=acting(desk.approver), requisition_id=desk.request().pk, reason="No")
    assert warned_of(desk, desk.approved()) == []


def test_what_was_asked_for_more_than_90_days_ago_is_not_named(desk: Desk, clock: Clock) -> None:
    desk.request()
    clock.advance(days=1)
    later = desk.request()
    clock.advance(days=89.5)
    assert warned_of(desk, desk.approved()) == ids(later)


def test_of_many_the_newest_are_named(desk: Desk) -> None:
    asked = [desk.request() for _ in range(6)]
    approved = desk.approved()
    assert warned_of(desk, approved) == ids(*reversed(asked[2:]))


@pytest.mark.parametrize(("amount", "risk"), [("777", Risk.HIGH), ("778", Risk.ORDINARY)])
def test_a_file_asks_with_a_high_risk_for_what_was_asked_for_before(
    desk: Desk, amount: str, risk: Risk
) -> None:
    """Wherever it went: to that place the payee was paid before, though not so much."""
    desk.request(amount="777", destination="Back door")
    desk.request(amount="5")
    line = f"Amina Traders,cash,Front desk,{amount},Paper,A1"
    upload = Upload("payroll.csv", f"{HEADER}\n{line}\n".encode())
    made = create_batch(actor=acting(desk.requester), upload=upload)
    (row,) = made.rows
    assert row.requisition
    assert row.requisition.risk == risk
