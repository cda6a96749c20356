"""Hundreds of payments settled in one go leave what one by one would have left, or nothing."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.models import AuditEvent, OutboxEvent
from ledger.refusals import InsufficientFunds
from tests.scene import assert_books_hold
from tests.treasury import factories
from tests.treasury.conftest import World
from tests.treasury.factories import acting
from treasury import locks
from treasury.models import OneTimeCode, Payment, PaymentExecution
from treasury.services.settlement import Proof, settle_many


def settle_all(world: World, payments: list[Payment]) -> None:
    proof = Proof(world.treasurer.pk, "192.0.2.7", "tests", None)
    requisitions = [payment.requisition_id for payment in payments]
    ids = [payment.pk for payment in payments]
    with transaction.atomic():
        locked = list(locks.lock_payments_of_fund(world.fund.pk, requisitions, ids).values())
        settle_many(locked, proof=proof, on=factories.DAY, actor=acting(world.treasurer))


def test_every_payment_is_booked_proved_told_and_audited(world: World) -> None:
    payments = [world.payment(amount=Decimal(100 + number)) for number in range(5)]
    settle_all(world, payments)
    assert world.account().balance == Decimal(100_000) - sum(payment.amount for payment in payments)
    for payment in payments:
        kept = PaymentExecution.objects.get(payment=payment)
        assert kept.journal_entry.reference == kept.payment.reference
        assert (kept.payment.status, kept.payment.spent_on) == ("success", factories.DAY)
        assert kept.payment.requisition.status == "paid"
        settled = AuditEvent.objects.get(subject=kept.payment.reference, action="payment.settle")
        assert settled.before
        assert settled.after
        assert (settled.before["status"], settled.after["status"]) == ("pending", "success")
        told = OutboxEvent.objects.filter(subject=kept.payment.reference)
        assert told.latest("sequence").kind == "payment.succeeded"
        paid = OutboxEvent.objects.filter(subject=kept.payment.requisition.reference)
        assert paid.latest("sequence").payload["status"] == "paid"
    assert_books_hold()


def test_the_number_of_statements_does_not_grow_with_the_payments(world: World) -> None:
    few, many = ([world.payment(amount=Decimal(10)) for _ in range(number)] for number in (2, 9))
    counted = []
    for payments in (few, many):
        with CaptureQueriesContext(connection) as queries:
            settle_all(world, payments)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_one_that_cannot_be_paid_leaves_all_of_them_as_they_were(world: World) -> None:
    payments = [world.payment(amount=Decimal(60_000)), world.payment(amount=Decimal(60_000))]
    proof = Proof(world.treasurer.pk, None, "", None)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        settle_many(payments, proof=proof, on=factories.DAY, actor=acting(world.treasurer))
    assert [(p.status, p.executor_id, p.spent_on) for p in payments] == [
        ("pending", None, None)
    ] * 2
    assert not PaymentExecution.objects.exists()
    assert world.account().balance == Decimal(100_000)


def test_a_code_is_for_one_payment(world: World) -> None:
    payments = [world.payment(), world.payment()]
    proof = Proof(world.treasurer.pk, None, "", OneTimeCode(payment=payments[0]))
    with pytest.raises(ValueError, match="one payment"), transaction.atomic():
        settle_many(payments, proof=proof, on=factories.DAY, actor=acting(world.treasurer))
