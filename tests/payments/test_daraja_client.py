"""The adapter against the running simulator: one outcome for whatever the wire does."""

import threading
import time
import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection, transaction

from config.embedded.processes import wait_until
from ledger.actor import Actor
from ledger.refusals import InvalidInput
from payments.gateways.daraja import (
    classify_b2c_result,
    classify_status_result,
    client,
    parse_balances,
    parse_result,
    query_balance,
    query_status,
    send_b2c,
)
from payments.gateways.http import TransactionOpen
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.models import GatewayRequest, Provider
from payments.selectors import exchanges_of
from payments.services.providers import mark_stopped
from tests.crash import deadlines
from tests.payments.receiver import Receiver
from tests.simulator import Simulator

pytestmark = pytest.mark.django_db
SUBJECT = "treasury.attempt:7d9f5a1e"
Send = Callable[..., Outcome]


@pytest.fixture
def send(provider: Provider, receiver: Receiver) -> Send:
    """Send a payment of 100 shillings; a test changes what it is about."""

    def call(reference: str = "", **changed: object) -> Outcome:
        known: dict[str, object] = {
            "provider": provider,
            "reference": reference or str(uuid.uuid4()),
            "amount": Decimal(100),
            "msisdn": "+254712345678",
            "remarks": "Petty cash",
            "result_url": f"{receiver.url}/api/callbacks/sf/a1/token-r/",
            "timeout_url": f"{receiver.url}/api/callbacks/sf/a1/token-t/",
            "subject": SUBJECT,
        }
        return send_b2c(**{**known, **changed})  # type: ignore[arg-type]

    return call


@pytest.fixture
def ask(provider: Provider, receiver: Receiver) -> Send:
    def call(reference: str) -> Outcome:
        return query_status(
            provider=provider,
            original_reference=reference,
            result_url=f"{receiver.url}/api/callbacks/sf/a1/token-q/",
            timeout_url=f"{receiver.url}/api/callbacks/sf/a1/token-qt/",
            subject=SUBJECT,
        )

    return call


def test_a_payment_is_accepted_and_its_result_says_paid(
    send: Send, receiver: Receiver, simulator: Simulator
) -> None:
    sent = send("ref-1", amount=Decimal("1200.00"))
    assert (sent.outcome_class, sent.code) == (OutcomeClass.ACCEPTED, "0")
    receiver.wait_for(1)
    told = classify_b2c_result(parse_result(receiver.bodies[0]))
    assert told.outcome_class is OutcomeClass.SUCCEEDED
    assert (told.reference, told.amount) == ("ref-1", Decimal(1200))
    assert told.conversation_id == sent.conversation_id
    assert told.completed_at
    assert simulator.balance("Wallet 254712345678") == 1200


def test_the_status_of_a_payment_is_answered_by_callback(
    send: Send, ask: Send, receiver: Receiver, simulator: Simulator
) -> None:
    simulator.fault("b2c", "callback", "none")
    send("ref-1")
    asked = ask("ref-1")
    assert asked.outcome_class is OutcomeClass.ACCEPTED
    receiver.wait_for(1)
    told = classify_status_result(parse_result(receiver.bodies[0]))
    payment = simulator.payment("ref-1")
    assert payment
    assert told.outcome_class is OutcomeClass.SUCCEEDED
    assert told.provider_reference == payment["receipt"]
    assert (told.reference, told.amount) == ("ref-1", Decimal(100))
    assert told.conversation_id == asked.conversation_id


def test_a_payment_that_never_arrived_is_not_found(ask: Send, receiver: Receiver) -> None:
    ask("nothing-was-sent")
    receiver.wait_for(1)
    told = classify_status_result(parse_result(receiver.bodies[0]))
    assert (told.outcome_class, told.code) == (OutcomeClass.UNKNOWN, "not_found")


def test_the_balance_of_the_account_is_answered_by_callback(
    provider: Provider, receiver: Receiver
) -> None:
    asked = query_balance(
        provider=provider,
        result_url=f"{receiver.url}/b/",
        timeout_url=f"{receiver.url}/t/",
        subject=provider.subject,
    )
    assert asked.outcome_class is OutcomeClass.ACCEPTED
    receiver.wait_for(1)
    balances = parse_balances(parse_result(receiver.bodies[0]))
    assert balances["Utility Account"] == Decimal("50000000.00")


def test_the_same_reference_again_is_known_and_pays_nothing(
    send: Send, simulator: Simulator
) -> None:
    send("ref-1")
    again = send("ref-1")
    assert (again.outcome_class, again.code) == (OutcomeClass.UNKNOWN, "500.002.1001")
    assert simulator.balance("Wallet 254712345678") == 100


# Kind of fault at the call -> class, before and after acceptance.
FAULTS = {
    "hang": "deadline",
    "drip": "deadline",
    "close": "RemoteProtocolError",
    "rst": "ReadError",
    "truncated": "RemoteProtocolError",
    "garbage": "RemoteProtocolError",
    "500": "500.003.1001",
    "502": "http_502",
    "503": "http_503",
}


@pytest.mark.parametrize("point", ["before_accept", "after_accept"])
@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_call_that_went_wrong_is_unknown_on_either_side_of_acceptance(
    send: Send, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, kind: str, point: str
) -> None:
    deadlines.limit(["b2c"] if FAULTS[kind] == "deadline" else [], monkeypatch.setattr)
    simulator.fault("b2c", point, kind)
    outcome = send("ref-1")
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.UNKNOWN, FAULTS[kind])
    assert (simulator.payment("ref-1") is not None) == (point == "after_accept")
    assert exchanges_of(SUBJECT)[-1].operation == "b2c"


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_no_gateway_holds_a_worker_beyond_the_deadline(
    send: Send, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Each byte of a reply that drips comes soon enough; alone it would take as long as the silence, two minutes."""
    deadlines.limit(["b2c"], monkeypatch.setattr, seconds=1.0)
    simulator.fault("b2c", "after_accept", kind)
    started = time.monotonic()
    send("ref-1")
    assert time.monotonic() - started < deadlines.PATIENT_S
    exchange = exchanges_of(SUBJECT)[-1]
    assert exchange.error == "deadline"
    assert exchange.duration_ms
    assert exchange.duration_ms >= 1000


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"ResponseCode":"26"}', OutcomeClass.RETRYABLE),
        (200, '{"ResponseCode":"2001"}', OutcomeClass.CONFIG),
        (200, '{"ResponseCode":"77"}', OutcomeClass.UNKNOWN),
        (500, '{"errorCode":"500.003.02"}', OutcomeClass.RETRYABLE),
        (404, '{"errorCode":"404.001.01"}', OutcomeClass.CONFIG),
        (400, '{"errorCode":"400.002.02"}', OutcomeClass.FAILED_FINAL),
        (307, "", OutcomeClass.UNKNOWN),
    ],
)
def test_what_the_gateway_says_at_once_has_its_class(
    send: Send, simulator: Simulator, status: int, body: str, expected: OutcomeClass
) -> None:
    headers = {"Location": f"{simulator.url}/_sim/health"} if status == 307 else {}
    simulator.fault("b2c", "before_accept", "reply", status=status, body=body, headers=headers)
    assert send().outcome_class is expected


def test_a_busy_gateway_is_tried_later_with_the_same_reference(
    send: Send, simulator: Simulator
) -> None:
    simulator.fault("b2c", "before_accept", "429", retry_after=9)
    busy = send("ref-1")
    assert (busy.outcome_class, busy.retry_after_s) == (OutcomeClass.RETRYABLE, 9)
    assert send("ref-1").outcome_class is OutcomeClass.ACCEPTED


def test_an_answer_without_end_is_cut_off(send: Send, simulator: Simulator) -> None:
    simulator.fault("b2c", "after_accept", "reply", status=200, body="x" * 300_000)
    outcome = send()
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.UNKNOWN, "too_large")


def test_a_gateway_that_is_not_there_is_tried_later(send: Send, provider: Provider) -> None:
    send()
    Provider.objects.filter(pk=provider.pk).update(base_url="http://127.0.0.1:9")
    outcome = send()
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.RETRYABLE, "ConnectError")


@pytest.mark.parametrize("amount", ["100.50", "9", "250001"])
def test_an_amount_that_the_rail_cannot_carry_writes_no_row(send: Send, amount: str) -> None:
    with pytest.raises(InvalidInput):
        send(amount=Decimal(amount))
    assert not GatewayRequest.objects.exists()


def test_a_stopped_provider_is_called_by_nobody(
    send: Send, ask: Send, provider: Provider, simulator: Simulator
) -> None:
    with transaction.atomic():
        mark_stopped(actor=Actor.system("test"), provider=provider, reason="8006 locked")
    for outcome in (send(), ask("ref-1")):
        assert (outcome.outcome_class, outcome.code) == (OutcomeClass.CONFIG, "provider_stopped")
        assert outcome.message == "8006 locked"
    assert simulator.log()["entries"] == []


def test_an_address_that_the_gateway_would_refuse_is_a_matter_of_configuration(send: Send) -> None:
    outcome = send(result_url="https://bursar.example/mpesa/")
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.CONFIG, "provider_misconfigured")
    assert not GatewayRequest.objects.exists()


def test_wrong_consumer_credentials_are_a_matter_of_configuration(
    send: Send, provider: Provider, simulator: Simulator
) -> None:
    Provider.objects.filter(pk=provider.pk).update(
        credentials='{"consumer_key":"a","consumer_secret":"b","initiator_password":"c"}'
    )
    outcome = send()
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.CONFIG, "400.008.01")
    assert simulator.log()["received"] == {}


def test_a_payment_is_not_begun_when_no_time_is_left_to_wait_for_its_reply(
    send: Send, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BUDGET_S", client.LEAST_S + 0.2)
    simulator.fault("oauth", "after_accept", "drip", interval_s=0.002)
    outcome = send()
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.RETRYABLE, "token_slow")
    assert simulator.book()["payments"] == []


def test_an_unreadable_certificate_is_a_matter_of_configuration(
    send: Send, provider: Provider
) -> None:
    Provider.objects.filter(pk=provider.pk).update(certificate="none")
    assert send().code == "provider_misconfigured"


@pytest.mark.django_db(transaction=True)
def test_no_gateway_is_called_inside_a_transaction(send: Send, ask: Send) -> None:
    with transaction.atomic():
        with pytest.raises(TransactionOpen):
            send()
        with pytest.raises(TransactionOpen):
            ask("ref-1")
        assert not connection.needs_rollback
    assert not GatewayRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_request_is_committed_before_the_gateway_answers(
    send: Send, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines.limit([], monkeypatch.setattr)
    send()
    simulator.fault("b2c", "after_accept", "hang")

    def work() -> None:
        send("ref-1")
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    begun = wait_until(lambda: simulator.payment("ref-1") is not None, seconds=deadlines.PATIENT_S)
    pending = exchanges_of(SUBJECT)[-1]
    simulator.kill()
    simulator.start()
    thread.join()
    assert begun
    assert "ref-1" in pending.request_body
    assert (pending.http_status, pending.error, pending.answered_at) == (None, "", None)
    assert exchanges_of(SUBJECT)[-1].error == "RemoteProtocolError"
