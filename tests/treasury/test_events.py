"""Every change of a status tells an event, in the transaction of the change and in the subject's order."""

from typing import Any

import pytest

from ledger.models import OutboxEvent
from ledger.refusals import Refusal
from tests.conftest import SentTasks
from tests.treasury.desk import CASH, Desk, make_desk
from tests.treasury.factories import PHONE, acting, make_provider, today
from tests.treasury.gateway import SYSTEM, Gateway, outcome
from treasury.models import Payment, PaymentAttempt
from treasury.services import payments
from treasury.services.dispatching import dispatch_attempt
from treasury.services.execution import execute_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.replenishment import (
    approve_replenishment,
    fund_replenishment,
    reject_replenishment,
    replenish,
)
from treasury.services.requisitions import cancel_requisition, edit_requisition, reject_requisition
from treasury.services.reversals import reverse_payment
from treasury.services.variances import approve_variance, reject_variance


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def told(subject: str) -> list[str]:
    """The kinds of the subject's events in its order, which has no gap."""
    rows = list(OutboxEvent.objects.filter(subject=subject).order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    return [row.kind for row in rows]


def test_a_payment_in_cash_tells_its_life(desk: Desk) -> None:
    payment = desk.paid()
    reconcile_payment(actor=acting(desk.reconciler), payment_id=payment.pk)
    for user in (desk.reconciler, desk.cfo):
        reverse_payment(
            actor=acting(user), payment_id=payment.pk, evidence="It came back.", today=today
        )
    assert told(payment.reference) == [
        "payment.created",
        "payment.succeeded",
        "payment.reconciled",
        "payment.reversed",
    ]
    assert told(payment.requisition.reference) == [
        "requisition.submitted",
        "requisition.approved",
        "requisition.paid",
        "requisition.approved",
    ]


def test_a_payment_by_gateway_tells_every_turn(
    desk: Desk, gateway: Gateway, sent_tasks: SentTasks
) -> None:
    make_provider(desk.company)
    payment = desk.pending(method="mpesa", destination=PHONE)
    gateway.replies.append(outcome("failed_final", "1", "no"))
    _send(desk, payment)
    payments.retry_payment(actor=acting(desk.treasurer), payment_id=payment.pk)
    gateway.replies.append(outcome("unknown", "500", "?"))
    attempt = _send(desk, payment)
    assert attempt.payment.status == "unknown"
    assert told(payment.reference) == [
        "payment.created",
        "payment.executing",
        "payment.failed",
        "payment.retried",
        "payment.executing",
        "payment.unknown",
    ]


def _send(desk: Desk, payment: Payment) -> PaymentAttempt:
    execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)
    attempt = PaymentAttempt.objects.filter(payment=payment).latest("number")
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
    return PaymentAttempt.objects.select_related("payment").get(pk=attempt.pk)


def test_edits_and_withdrawals_are_told(desk: Desk) -> None:
    payment = desk.pending()
    payments.edit_payment(actor=acting(desk.treasurer), payment_id=payment.pk, amount="900.00")
    edit_requisition(
        actor=acting(desk.requester), requisition_id=payment.requisition_id, amount="800.00"
    )
    cancel_requisition(actor=acting(desk.requester), requisition_id=payment.requisition_id)
    assert told(payment.reference) == ["payment.created", "payment.edited", "payment.cancelled"]
    assert told(payment.requisition.reference) == [
        "requisition.submitted",
        "requisition.approved",
        "requisition.submitted",
        "requisition.cancelled",
    ]


def test_a_rejected_requisition_is_told(desk: Desk) -> None:
    requisition = desk.request()
    reject_requisition(
        actor=acting(desk.approver), requisition_id=requisition.pk, reason="Too dear."
    )
    assert told(requisition.reference) == ["requisition.submitted", "requisition.rejected"]


def test_variances_are_told(desk: Desk) -> None:
    payment = desk.paid()
    rejected = desk.variance(payment, "900.00")
    reject_variance(actor=acting(desk.cfo), variance_id=rejected.pk, reason="No.")
    approved = desk.variance(payment, "1100.00")
    approve_variance(actor=acting(desk.cfo), variance_id=approved.pk, today=today)
    assert told(rejected.reference) == ["variance.recorded", "variance.rejected"]
    assert told(approved.reference) == ["variance.recorded", "variance.approved"]


def test_replenishments_are_told(desk: Desk) -> None:
    wanted: dict[str, Any] = {"fund_id": desk.fund.pk, "amount": "500.00", "reason": "Low."}
    first = replenish(actor=acting(desk.treasurer), **wanted)
    reject_replenishment(actor=acting(desk.cfo), replenishment_id=first.pk, reason="No.")
    second = replenish(actor=acting(desk.treasurer), **wanted)
    approve_replenishment(actor=acting(desk.cfo), replenishment_id=second.pk)
    fund_replenishment(actor=acting(desk.treasurer), replenishment_id=second.pk, today=today)
    assert told(first.reference) == ["replenishment.requested", "replenishment.rejected"]
    assert told(second.reference) == [
        "replenishment.requested",
        "replenishment.approved",
        "replenishment.funded",
    ]


def test_a_refusal_tells_nothing(desk: Desk) -> None:
    payment = desk.pending()
    before = OutboxEvent.objects.count()
    with pytest.raises(Refusal):
        execute_payment(actor=acting(desk.requester), payment_id=payment.pk, today=today)
    assert OutboxEvent.objects.count() == before


def test_an_event_names_no_payee_purpose_or_destination(
    desk: Desk, gateway: Gateway, sent_tasks: SentTasks
) -> None:
    make_provider(desk.company)
    payment = desk.pending(method="mpesa", destination=PHONE)
    _send(desk, payment)
    told_so_far = "".join(str(event.payload) for event in OutboxEvent.objects.all())
    assert "'amount': '1000.00'" in told_so_far
    for secret in (PHONE, PHONE[-9:], CASH["payee_name"], CASH["purpose"]):
        assert secret not in told_so_far
