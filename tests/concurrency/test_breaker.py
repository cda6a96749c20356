"""A provider that did not answer: of many workers one at a time tries it again."""

import threading
from typing import Any

import pytest

from ledger.actor import Actor
from ledger.clock import today
from payments.gateways import daraja
from payments.gateways.outcome import Outcome
from payments.models import Provider
from payments.services.breaker import OPENS_AFTER
from tests.conftest import SentTasks
from tests.crowd import at_once, tally
from tests.scene import PHONE, Scene
from tests.treasury import factories
from tests.treasury.gateway import outcome
from treasury.models import PaymentAttempt
from treasury.services.dispatching import dispatch_waiting
from treasury.services.execution import execute_payment

WORKERS = 6
PAYMENTS = 8


class Slow:
    """A gateway whose calls last until every other worker has finished its pass."""

    def __init__(self, said: str) -> None:
        self.said = said
        self.sent: list[str] = []
        self.others_done = threading.Semaphore(0)

    def send_b2c(self, **call: Any) -> Outcome:
        self.sent.append(call["reference"])
        if len(self.sent) == 1:
            for _ in range(WORKERS - 1):
                assert self.others_done.acquire(timeout=30)
        return outcome(self.said, conversation_id="AG_1")

    def work(self) -> int:
        sent = dispatch_waiting(actor=Actor.system("dispatcher"), today=today)
        self.others_done.release()
        return sent


@pytest.fixture
def open_breaker(scene: Scene, sent_tasks: SentTasks) -> Scene:
    """Payments that wait for a provider which did not answer and has rested."""
    factories.make_provider(scene.company)
    for payment in scene.many_payments(PAYMENTS, 1200, method="mpesa", destination=PHONE):
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    sent_tasks.waiting.clear()
    Provider.objects.update(unanswered=OPENS_AFTER)
    return scene


def crowd(monkeypatch: pytest.MonkeyPatch, said: str) -> Slow:
    gateway = Slow(said)
    monkeypatch.setattr(daraja, "send_b2c", gateway.send_b2c)
    assert tally(at_once([gateway.work] * WORKERS)) == {"done": WORKERS}
    return gateway


def test_one_worker_probes_and_the_others_let_the_provider_rest(
    open_breaker: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(crowd(monkeypatch, "retryable").sent) == 1
    provider = Provider.objects.get()
    assert provider.unanswered == OPENS_AFTER + 1
    assert provider.rests_until is not None
    assert PaymentAttempt.objects.filter(calls=0).count() == PAYMENTS - 1


def test_a_probe_that_is_answered_closes_the_breaker_and_each_is_sent_once(
    open_breaker: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = crowd(monkeypatch, "accepted")
    assert len(gateway.sent) == len(set(gateway.sent)) == PAYMENTS
    assert (Provider.objects.get().unanswered, Provider.objects.get().rests_until) == (0, None)


def test_a_worker_that_dies_with_the_probe_leaves_it_to_the_next(
    open_breaker: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(**_call: Any) -> Outcome:
        raise SystemExit

    monkeypatch.setattr(daraja, "send_b2c", die)
    with pytest.raises(SystemExit):
        dispatch_waiting(actor=Actor.system("dispatcher"), today=today)
    assert dispatch_waiting(actor=Actor.system("x"), today=today) == 0
    Provider.objects.update(rests_until=Provider.objects.get().created_at)  # the lease is over
    monkeypatch.setattr(daraja, "send_b2c", lambda **_: outcome("accepted", conversation_id="AG"))
    assert dispatch_waiting(actor=Actor.system("x"), today=today) == PAYMENTS - 1
