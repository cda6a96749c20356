"""Executing at the same instant: money leaves once, and never more than there is."""

from functools import partial

from ledger.clock import today
from ledger.models import AuditEvent, LedgerEntry
from tests.conftest import SentTasks
from tests.crowd import at_once, tally, watched
from tests.scene import PHONE, Scene, assert_books_hold, build_scene
from tests.simulator import Simulator
from treasury.models import Payment, PaymentExecution
from treasury.services.execution import execute_payment

CROWD = 200


def execution_of(scene: Scene, payment: Payment) -> partial[Payment]:
    actor = scene.actor("treasurer")
    return partial(execute_payment, actor=actor, payment_id=payment.pk, today=today)


def test_of_200_threads_that_execute_one_payment_one_succeeds(scene: Scene) -> None:
    payment = scene.payment(1000)
    outcomes = at_once([execution_of(scene, payment)] * CROWD)
    assert tally(outcomes) == {"done": 1, "409 illegal_transition": CROWD - 1}
    assert PaymentExecution.objects.count() == 1
    assert LedgerEntry.objects.filter(account=scene.fund.account_id).count() == 2
    assert scene.balances().balance == scene.opening - 1000
    assert AuditEvent.objects.filter(outcome="refused").count() == CROWD - 1
    assert_books_hold()


def test_a_fund_for_70_pays_70_of_200_and_is_never_below_zero(
    transactional_db: None, sent_tasks: SentTasks
) -> None:
    scene = build_scene(opening=70 * 25)
    payments = scene.many_payments(CROWD, 25)
    with watched(scene.balances()) as available:
        outcomes = at_once([execution_of(scene, payment) for payment in payments])
    assert tally(outcomes) == {"done": 70, "409 insufficient_funds": 130}
    assert len(available) > 10
    assert min(available) == 0
    assert PaymentExecution.objects.count() == 70
    assert Payment.objects.filter(status="success").count() == 70
    assert Payment.objects.filter(status="pending").count() == 130
    assert_books_hold()


def test_holds_for_70_of_200_payments_leave_nothing_available(
    transactional_db: None, sent_tasks: SentTasks, simulator: Simulator
) -> None:
    scene = build_scene(opening=70 * 25)
    scene.add_provider(simulator)
    payments = scene.many_payments(CROWD, 25, method="mpesa", destination=PHONE)
    with watched(scene.balances()) as available:
        outcomes = at_once([execution_of(scene, payment) for payment in payments])
    assert tally(outcomes) == {"done": 70, "409 insufficient_funds": 130}
    assert min(available) == 0
    assert scene.balances().held == scene.opening
    assert len(sent_tasks.waiting) == 70
    assert_books_hold()
