"""Callbacks by the thousand: shuffled, repeated, contradictory, forged, early. Each has one effect at most."""

import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from ledger.actor import Actor
from ledger.clock import today
from payments.gateways import daraja
from payments.gateways.outcome import Outcome
from payments.models import Provider
from tests.clock import Clock
from tests.conftest import FULL, SentTasks
from tests.crowd import at_once, tally
from tests.scene import PHONE, Scene, assert_books_hold
from tests.treasury.gateway import outcome, payment_result, status_answer
from treasury.addresses import attempt_token
from treasury.models import Callback, Incident, Payment, PaymentAttempt, PaymentExecution
from treasury.services.callbacks import record_callback
from treasury.services.dispatching import dispatch_attempt
from treasury.services.enquiries import apply_answers
from treasury.services.execution import execute_payment
from treasury.services.janitor import run_janitor

SEED = int(os.environ.get("BURSAR_TEST_SEED", "20261121"))
PAYMENTS = 500 if FULL else 20
REPEATED = 8
THREADS = 16
AMOUNT = 150
GATEWAY = Actor.system("callback")
Delivery = Callable[[], object]


@dataclass
class Bank:
    """A gateway that keeps to what became of each payment, and takes every question."""

    paid: dict[str, bool] = field(default_factory=dict)
    questions: list[tuple[str, str, str]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def send_b2c(self, **call: Any) -> Outcome:
        return outcome("accepted", conversation_id="AG_1")

    def query_status(self, **call: Any) -> Outcome:
        with self.lock:
            conversation = f"AG_Q{len(self.questions)}"
            token = call["result_url"].rstrip("/").rpartition("/")[2]
            self.questions.append((call["original_reference"], token, conversation))
        return outcome("accepted", conversation_id=conversation)


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    bank = Bank()
    monkeypatch.setattr(daraja, "send_b2c", bank.send_b2c)
    monkeypatch.setattr(daraja, "query_status", bank.query_status)
    return bank


@pytest.fixture
def attempts(scene: Scene, bank: Bank, sent_tasks: SentTasks) -> list[PaymentAttempt]:
    """Attempts whose money is held and whose calls are still to be made; every third will fail."""
    Provider.objects.create(
        company=scene.company, kind="mpesa", name="M-Pesa", base_url="http://127.0.0.1:9", short_code="600000",
        initiator_name="tests", credentials="{}", certificate="",
    )  # fmt: skip
    for payment in scene.many_payments(PAYMENTS, AMOUNT, method="mpesa", destination=PHONE):
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    attempts = list(PaymentAttempt.objects.order_by("attempt_id"))
    bank.paid = {str(one.reference): place % 3 != 0 for place, one in enumerate(attempts)}
    return attempts


def delivery(attempt_id: UUID, token: str, body: bytes) -> Delivery:
    return partial(record_callback, actor=GATEWAY, attempt_id=attempt_id, token=token, body=body)


def results(attempt: PaymentAttempt, *, paid: bool) -> Iterator[Delivery]:
    """The result again and again; at every fifth attempt the opposite too; and two forgeries."""
    true, false = ("0", "2040") if paid else ("2040", "0")
    own = attempt_token(attempt.pk)
    yield from [delivery(attempt.pk, own, payment_result(attempt, true, "Done"))] * REPEATED
    if contradicted(attempt):
        yield delivery(attempt.pk, own, payment_result(attempt, false, "Otherwise"))
    yield from [delivery(attempt.pk, "0" * 64, payment_result(attempt, false, "Forged"))] * 2


def contradicted(attempt: PaymentAttempt) -> bool:
    return attempt.reference.int % 5 == 0


def answers(bank: Bank, known: dict[str, PaymentAttempt]) -> Iterator[Delivery]:
    """The answer to each question several times, and answers that belong to no question."""
    for reference, token, conversation in bank.questions:
        attempt = known[reference]
        status = "Completed" if bank.paid[reference] else "Declined"
        body = status_answer(attempt, status, conversation=conversation)
        yield from [delivery(attempt.pk, token, body)] * REPEATED
        forged = status_answer(attempt, "Completed", conversation="AG_FORGED")
        yield from [delivery(attempt.pk, "f" * 64, forged)] * 2


def deliver(deliveries: list[Delivery], chance: random.Random) -> int:
    """Post them all in any order, from many threads at once; returns how many there were."""
    chance.shuffle(deliveries)
    hands = [deliveries[place::THREADS] for place in range(THREADS)]

    def post_all(hand: list[Delivery]) -> None:
        for post in hand:
            post()

    assert tally(at_once([partial(post_all, hand) for hand in hands])) == {"done": THREADS}
    return len(deliveries)


def test_each_has_one_effect_and_a_contradiction_goes_before_people(
    scene: Scene, bank: Bank, attempts: list[PaymentAttempt], clock: Clock
) -> None:
    chance = random.Random(SEED)
    known = {str(attempt.reference): attempt for attempt in attempts}
    early, late = attempts[::4], [one for one in attempts if one not in attempts[::4]]

    def hints(some: list[PaymentAttempt]) -> list[Delivery]:
        return [post for one in some for post in results(one, paid=bank.paid[str(one.reference)])]

    posted = deliver(hints(early), chance)  # before the gateway has answered the call itself
    for attempt in attempts:
        dispatch_attempt(actor=GATEWAY, attempt_id=attempt.pk, today=today)
    posted += deliver(hints(late), chance)
    while run_rounds(bank):
        posted += deliver(list(answers(bank, known)), chance)
        bank.questions.clear()
        while apply_answers(actor=GATEWAY, today=today):  # so many at once
            pass
    assert posted >= PAYMENTS * 20
    assert_one_effect_each(scene, bank, attempts)


def run_rounds(bank: Bank) -> bool:
    """Let the janitor ask whatever is due; returns whether it asked anything."""
    asked = -1
    while asked != len(bank.questions):
        asked = len(bank.questions)
        run_janitor(actor=GATEWAY, today=today)
    return asked > 0


def assert_one_effect_each(scene: Scene, bank: Bank, attempts: list[PaymentAttempt]) -> None:
    paid = sum(bank.paid.values())
    assert PaymentExecution.objects.count() == paid
    for attempt in attempts:
        expected = "success" if bank.paid[str(attempt.reference)] else "failed"
        payment = Payment.objects.get(pk=attempt.payment_id)
        assert (payment.status, payment.retry_count) == (expected, int(expected == "failed"))
    account = scene.balances()
    assert (account.balance, account.held) == (scene.opening - paid * AMOUNT, 0)
    flagged = set(Incident.objects.values_list("attempt_id", "kind"))
    assert flagged == {(one.pk, "contradiction") for one in attempts if contradicted(one)}
    assert Callback.objects.filter(trusted=False).count() >= PAYMENTS
    assert_books_hold()
