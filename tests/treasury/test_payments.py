"""Making, editing, cancelling and retrying payments."""

from decimal import Decimal
from uuid import uuid4

import pytest

from ledger.refusals import Conflict, IllegalTransition, InvalidInput, RoleRequired
from tests.treasury.conftest import World
from tests.treasury.factories import PHONE, acting, set_code_limit, today
from treasury.models import Payment, Requisition
from treasury.readiness import NotApproved
from treasury.services.execution import execute_payment
from treasury.services.payments import (
    DiffersFromApproval,
    ExceedsApproval,
    PaymentExists,
    cancel_payment,
    create_payment,
    edit_payment,
    retry_payment,
)


@pytest.fixture
def requisition(world: World) -> Requisition:
    return world.requisition(amount=Decimal(1000))


def create(world: World, requisition: Requisition, **body: object) -> Payment:
    return create_payment(
        actor=acting(world.treasurer),
        requisition_id=requisition.pk,
        **body,  # type: ignore[arg-type]
    )


def left(requisition: Requisition) -> Decimal:
    return Requisition.objects.get(pk=requisition.pk).amount_left


def test_a_payment_is_of_all_that_is_left(world: World, requisition: Requisition) -> None:
    create(world, requisition, amount="300.00")
    rest = create(world, requisition)
    assert rest.amount == 700
    assert (rest.status, rest.requester) == ("pending", world.requester)
    assert left(requisition) == 0


def test_payments_never_come_to_more_than_was_approved(
    world: World, requisition: Requisition
) -> None:
    create(world, requisition, amount=600)
    with pytest.raises(ExceedsApproval):
        create(world, requisition, amount="400.01")
    create(world, requisition, amount=400)
    with pytest.raises(ExceedsApproval):
        create(world, requisition)


def test_a_cancelled_payment_gives_its_amount_back(world: World, requisition: Requisition) -> None:
    payment = create(world, requisition)
    cancelled = cancel_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    assert (cancelled.status, left(requisition)) == ("cancelled", Decimal(1000))


@pytest.mark.parametrize(
    ("field", "value"), [("method", "mpesa"), ("destination", "Somewhere else")]
)
def test_method_and_destination_are_the_approved_ones(
    world: World, requisition: Requisition, field: str, value: str
) -> None:
    with pytest.raises(DiffersFromApproval) as refusal:
        create(world, requisition, **{field: value})
    assert (refusal.value.status, list(refusal.value.errors)) == (422, [field])


def test_the_approved_destination_may_be_written_in_another_way(world: World) -> None:
    requisition = world.requisition(method="mpesa", destination=PHONE)
    payment = create(world, requisition, method="mpesa", destination="0712 345 678")
    assert payment.destination == PHONE


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"amount": "NaN"}, "amount", "amount_invalid"),
        ({"amount": "1e2"}, "amount", "amount_invalid"),
        ({"amount": "１００"}, "amount", "amount_invalid"),
        ({"amount": "0"}, "amount", "amount_not_positive"),
        ({"amount": "-1"}, "amount", "amount_not_positive"),
        ({"amount": "1.001"}, "amount", "amount_precision"),
        ({"method": "cheque"}, "method", "invalid_input"),
        ({"destination": " "}, "destination", "invalid_input"),
    ],
)
def test_bad_input_names_its_field(
    world: World, requisition: Requisition, body: dict[str, object], field: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create(world, requisition, **body)
    assert (list(refusal.value.errors), refusal.value.code) == ([field], code)
    assert not Payment.objects.exists()


def test_an_unknown_requisition_is_bad_input(world: World) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create_payment(actor=acting(world.treasurer), requisition_id=uuid4())
    assert list(refusal.value.errors) == ["requisition"]


def test_only_a_treasurer_makes_a_payment(world: World, requisition: Requisition) -> None:
    with pytest.raises(RoleRequired):
        create_payment(actor=acting(world.cfo), requisition_id=requisition.pk)


def test_what_is_not_approved_is_not_paid(world: World, requisition: Requisition) -> None:
    requisition.status = "submitted"
    requisition.save(update_fields=["status"])
    with pytest.raises(NotApproved):
        create(world, requisition)


def test_a_clients_own_id_returns_the_first_payment(world: World, requisition: Requisition) -> None:
    own = uuid4()
    first = create(world, requisition, payment_id=own, amount=10)
    again = create(world, requisition, payment_id=own, amount=10)
    assert (first.pk, again.pk, Payment.objects.count()) == (own, own, 1)
    with pytest.raises(PaymentExists):
        create(world, requisition, payment_id=own, amount=11)


def test_a_part_that_mpesa_cannot_carry_is_refused(world: World) -> None:
    requisition = world.requisition(method="mpesa", destination=PHONE)
    with pytest.raises(InvalidInput) as refusal:
        create(world, requisition, amount=9)
    assert list(refusal.value.errors) == ["amount"]


def test_the_code_limit_is_the_companys_and_a_code_is_needed_without_one(world: World) -> None:
    set_code_limit(world.company, Decimal(500))
    assert create(world, world.requisition(amount=Decimal("500.01"))).otp_required
    assert not create(world, world.requisition(amount=Decimal(500))).otp_required
    world.company.payment_policies.all().delete()
    assert create(world, world.requisition(amount=Decimal(1))).otp_required


def test_an_edit_makes_the_next_version(world: World, requisition: Requisition) -> None:
    payment = create(world, requisition, amount=100)
    edited = edit_payment(
        actor=acting(world.treasurer), payment_id=payment.pk, amount=900, max_retries=5
    )
    assert (edited.version, edited.amount, edited.max_retries) == (2, Decimal(900), 5)
    assert left(requisition) == 100
    with pytest.raises(ExceedsApproval):
        edit_payment(actor=acting(world.treasurer), payment_id=payment.pk, amount=1001)


@pytest.mark.parametrize("retries", [0, -1, 11])
def test_retries_are_one_to_ten(world: World, requisition: Requisition, retries: int) -> None:
    payment = create(world, requisition)
    with pytest.raises(InvalidInput):
        edit_payment(actor=acting(world.treasurer), payment_id=payment.pk, max_retries=retries)


def test_what_is_paid_is_neither_edited_nor_cancelled_nor_retried(
    world: World, requisition: Requisition
) -> None:
    payment = create(world, requisition)
    actor = acting(world.treasurer)
    execute_payment(actor=actor, payment_id=payment.pk, today=today)
    with pytest.raises(Conflict):
        edit_payment(actor=actor, payment_id=payment.pk, amount=1)
    with pytest.raises(IllegalTransition):
        cancel_payment(actor=actor, payment_id=payment.pk)
    with pytest.raises(IllegalTransition):
        retry_payment(actor=actor, payment_id=payment.pk)
