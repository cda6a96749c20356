"""The same job twice at once, and callbacks in the middle of it: each effect comes once."""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_django import Settings

from ledger.actor import Actor
from ledger.clock import today
from payments.services import breaker
from tests.clock import Clock
from tests.conftest import SentTasks
from tests.crowd import at_once, tally
from tests.scene import PHONE, Scene, assert_books_hold
from tests.simulator import Simulator
from tests.web import Web
from treasury.addresses import attempt_token
from treasury.models import Callback, Enquiry, Payment, PaymentAttempt, PaymentExecution
from treasury.services.callbacks import record_callback
from treasury.services.dispatching import dispatch_attempt, dispatch_waiting
from treasury.services.execution import execute_payment
from treasury.services.janitor import run_janitor

Job = Callable[[], object]
JANITOR: Job = partial(run_janitor, actor=Actor.system("janitor"), today=today)
DISPATCHER: Job = partial(dispatch_waiting, actor=Actor.system("dispatcher"), today=today)
NUMBER = 10


@pytest.fixture
def reserved(
    scene: Scene, web: Web, simulator: Simulator, settings: Settings, sent_tasks: SentTasks
) -> Scene:
    """Ten M-Pesa payments whose money is held; nobody was told to send them."""
    settings.BURSAR_PUBLIC_URL = web.url
    scene.add_provider(simulator)
    for payment in scene.many_payments(NUMBER, 1200, method="mpesa", destination=PHONE):
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    sent_tasks.waiting.clear()
    return scene


def jobs(job: Job, simulator: Simulator) -> None:
    """Four of them at once; what they made the gateway say has arrived afterwards."""
    assert tally(at_once([job] * 4)) == {"done": 4}
    simulator.clock(advance_s=0)


def assert_all_paid_once(scene: Scene, simulator: Simulator) -> None:
    assert set(Payment.objects.values_list("status", flat=True)) == {"success"}
    assert PaymentExecution.objects.count() == NUMBER
    assert scene.balances().balance == scene.opening - NUMBER * 1200
    assert sum(simulator.log()["accepted"].values()) == NUMBER
    assert_books_hold()


def test_dispatchers_at_once_send_each_payment_once(reserved: Scene, simulator: Simulator) -> None:
    jobs(DISPATCHER, simulator)
    assert set(simulator.log()["received"].values()) == {1}
    assert len(simulator.log()["received"]) == NUMBER


def test_janitors_at_once_ask_once_and_settle_once(
    reserved: Scene, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "OPENS_AFTER", 1000)  # all ten go out, none is answered
    simulator.fault("b2c", "after_accept", "500", n=None)
    simulator.fault("b2c", "callback", "none", n=NUMBER)
    jobs(DISPATCHER, simulator)
    assert set(Payment.objects.values_list("status", flat=True)) == {"unknown"}
    jobs(JANITOR, simulator)
    assert Enquiry.objects.count() == NUMBER
    jobs(JANITOR, simulator)
    assert_all_paid_once(reserved, simulator)


def test_twenty_callbacks_each_beside_janitors_and_dispatchers_settle_once(
    reserved: Scene, simulator: Simulator, clock: Clock
) -> None:
    jobs(DISPATCHER, simulator)
    hints: list[Job] = [
        partial(
            record_callback,
            actor=Actor.system("callback"),
            attempt_id=callback.attempt_id,
            token=attempt_token(callback.attempt_id),
            body=bytes(callback.body),
        )
        for callback in Callback.objects.all()
    ]
    assert len(hints) == NUMBER
    for _ in range(2):
        outcomes = at_once([*hints * 10, *[JANITOR, DISPATCHER] * 4])
        assert set(tally(outcomes)) == {"done"}
        simulator.clock(advance_s=0)
    jobs(JANITOR, simulator)
    assert_all_paid_once(reserved, simulator)
    assert Callback.objects.filter(enquiry=None).count() == NUMBER


def test_an_attempt_is_claimed_by_one_of_many_workers(
    reserved: Scene, simulator: Simulator
) -> None:
    attempt = PaymentAttempt.objects.earliest("created_at")
    actor = Actor.system("dispatcher")
    send = partial(dispatch_attempt, actor=actor, attempt_id=attempt.pk, today=today)
    assert tally(at_once([send] * 20)) == {"done": 20}
    assert simulator.log()["received"] == {str(attempt.reference): 1}
    simulator.clock(advance_s=0)  # its callback has arrived
