"""What must be nowhere in a dump of the database, nor in a message to a worker."""

from uuid import UUID

import pytest

from ledger.clock import today
from tests.conftest import SentTasks
from tests.journeys.canaries import dumped, found_in
from tests.scene import PASSWORD, Scene
from tests.simulator import Simulator
from treasury.services.execution import execute_payment

PHONE = "+254733987654"
COUNTER = "Counter 7, ask for Achieng"


@pytest.fixture
def paid(scene: Scene, sent_tasks: SentTasks) -> Scene:
    """A payment by M-Pesa on its way and one in cash, both confirmed with a code."""
    payments = [
        scene.mpesa_payment(1200, destination=PHONE),
        scene.payment(1500, destination=COUNTER),
    ]
    for payment in payments:
        scene.verify_code(payment)
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    return scene


def test_a_dump_shows_no_destination_credential_or_password(
    paid: Scene, simulator: Simulator
) -> None:
    identity = simulator.identity
    names = ("consumer_key", "consumer_secret", "initiator_password")
    secrets = [PASSWORD, PHONE, PHONE[1:], PHONE[4:], COUNTER, *(identity[name] for name in names)]
    dump = dumped()
    assert "Wanjiku Supplies" in dump
    assert found_in(dump, secrets) == []


def test_a_message_to_a_worker_holds_nothing_but_an_id(paid: Scene, sent_tasks: SentTasks) -> None:
    assert sent_tasks.names == ["treasury.dispatch_attempt"]
    for sent in sent_tasks.waiting:
        assert sent.args == ()
        assert all(UUID(value) for value in sent.kwargs.values())
