"""M-Pesa payments against the simulator: whatever it does, its book and ours come to agree."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db.models import Q
from django.db.models.functions import Now
from django.test import override_settings

from ledger.models import LedgerEntry
from ledger.refusals import NotFound
from ledger.roles import Role
from payments.services import breaker
from payments.services.demo import connect_simulator
from payments.simulator.scenarios import SCENARIOS, USUAL
from tests.conftest import SentTasks
from tests.crash import deadlines
from tests.payments.receiver import Receiver, receiving
from tests.simulator import Simulator
from tests.treasury.conftest import World
from tests.treasury.factories import acting, person, today
from tests.treasury.gateway import SYSTEM
from treasury.models import Enquiry, Incident, Payment, PaymentAttempt
from treasury.selectors import attempts_of, exchanges_of
from treasury.services.callbacks import record_callback
from treasury.services.dispatching import dispatch_waiting
from treasury.services.execution import execute_payment
from treasury.services.janitor import run_janitor

pytestmark = pytest.mark.django_db(transaction=True)
FINAL = {"success", "failed", "review"}


class PostOffice:
    """Hands what the simulator posts to our entrance, as the callback view does."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.delivered = 0

    def deliver(self) -> None:
        while self.delivered < len(self.receiver.posts):
            path = self.receiver.posts[self.delivered][0]
            body = self.receiver.bodies[self.delivered]
            self.delivered += 1
            attempt_id, token = path.strip("/").split("/")[-2:]
            try:
                record_callback(actor=SYSTEM, attempt_id=UUID(attempt_id), token=token, body=body)
            except NotFound:
                continue


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with receiving() as receiver, override_settings(BURSAR_PUBLIC_URL=receiver.url):
        yield PostOffice(receiver)


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that does not come is not waited for long; any other, as long as a busy machine needs."""
    suffix = request.getfixturevalue("suffix") if "suffix" in request.fixturenames else ""
    point, kind = SCENARIOS.get(suffix, USUAL).fault or ("", "")
    silent = ["b2c"] if kind in {"hang", "drip"} else []
    seconds = 1.0 if point == "before_accept" else deadlines.IMPATIENT_S
    deadlines.limit(silent, monkeypatch.setattr, seconds=seconds)


def pay(world: World, simulator: Simulator, suffix: str, *, amount: Decimal) -> Payment:
    admin = person(world.company, Role.CFO)
    connect_simulator(
        actor=acting(admin),
        company_id=world.company.pk,
        home=simulator.home,
        base_url=simulator.url,
    )
    phone = f"+254712345{suffix}"
    payment = world.payment(amount=amount, method="mpesa", destination=phone)
    return execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def look_after(payment: Payment, office: PostOffice, tasks: SentTasks, simulator: Simulator) -> str:
    """Let workers, callbacks and the janitor have their turns, with time passing in between."""
    for _ in range(12):
        tasks.run()
        dispatch_waiting(actor=SYSTEM, today=today)
        simulator.clock(advance_s=40)
        office.deliver()
        tasks.run()
        run_janitor(actor=SYSTEM, today=today)
        simulator.clock(advance_s=5)
        office.deliver()
        tasks.run()
        payment.refresh_from_db()
        if payment.status in FINAL:
            return payment.status
        make_due()
    return payment.status


def make_due() -> None:
    """As if the pauses were over and what was accepted had waited long enough."""
    attempts = PaymentAttempt.objects.filter(finished_at=None)
    attempts.filter(Q(next_query_at__isnull=False)).update(next_query_at=Now())
    attempts.filter(state="accepted").update(accepted_at=Now() - timedelta(minutes=6))


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("678", "success"),
        ("001", "failed"),
        ("002", "failed"),
        ("007", "success"),
        ("008", "failed"),
        ("010", "success"),
        ("012", "success"),
        ("014", "success"),
        ("015", "failed"),
        ("020", "success"),
        ("021", "success"),
        ("022", "success"),
        ("023", "failed"),
        ("024", "success"),
        ("025", "success"),
        ("026", "success"),
        ("030", "success"),
        ("031", "failed"),
        ("050", "failed"),
    ],
)
def test_it_ends_as_the_gateway_ended_it_and_the_books_agree(
    world: World,
    simulator: Simulator,
    office: PostOffice,
    sent_tasks: SentTasks,
    suffix: str,
    expected: str,
) -> None:
    before = simulator.balance()
    payment = pay(world, simulator, suffix, amount=Decimal(700))
    assert look_after(payment, office, sent_tasks, simulator) == expected
    attempt = PaymentAttempt.objects.get(payment=payment)
    row = simulator.payment(str(attempt.reference))
    paid = Decimal(700) if expected == "success" else Decimal(0)
    assert row is not None
    assert before - simulator.balance() == paid
    assert world.account().balance == Decimal(100_000) - paid
    assert world.account().held == 0
    assert LedgerEntry.objects.filter(account=world.fund.account, side="credit").count() == bool(
        paid
    )
    assert not Incident.objects.filter(kind="late_success").exists()
    sent = exchanges_of(attempts_of(payment))[attempt.pk]
    assert [request.operation for request in sent][:2] == ["oauth", "b2c"]
    assert all("+254712345" not in request.body for request in sent)


@pytest.mark.parametrize("suffix", ["006", "011", "013", "032"])
def test_what_never_ends_keeps_its_hold_and_is_never_guessed(
    world: World,
    simulator: Simulator,
    office: PostOffice,
    sent_tasks: SentTasks,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
) -> None:
    monkeypatch.setattr(breaker, "OPENS_AFTER", 1000)  # resting, it would still wait to be sent
    payment = pay(world, simulator, suffix, amount=Decimal(700))
    assert look_after(payment, office, sent_tasks, simulator) == "unknown"
    assert world.account().held == Decimal(700)


def test_the_time_out_of_an_enquiry_is_not_asked_about_at_once(
    world: World, simulator: Simulator, office: PostOffice, sent_tasks: SentTasks
) -> None:
    pay(world, simulator, "032", amount=Decimal(700))
    for _ in range(4):
        sent_tasks.run()
        simulator.clock(advance_s=40)
        office.deliver()
    sent_tasks.run()
    assert Enquiry.objects.count() == 1
