"""Webhooks: told at least once, in order, the same bytes every time, signed so that anybody can check."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from django.core import mail
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from ledger.delivery_schedule import MOST_TRIES, PAUSES, pause_after, rest_after
from ledger.models import Company, WebhookDelivery, WebhookEndpoint, WebhookTry
from ledger.outbound import TransactionOpen, post
from ledger.roles import Role
from ledger.services import relaying
from ledger.services.deliveries import alert_about_dead, forget_old_secrets, replay, send_test
from ledger.services.webhooks import disable_webhook, edit_webhook, enable_webhook, rotate_secret
from ledger.signatures import make_secret, sign, signed_headers
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory, MembershipFactory
from tests.ledger.hooks import (
    OWN_NETWORK,
    SYSTEM,
    Client,
    fan_out,
    make_due,
    make_webhook,
    receiving,
    relay,
    tell,
)


@pytest.fixture
def company(db: None, settings: Settings, sent_tasks: SentTasks) -> Company:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    return CompanyFactory.create()


@pytest.fixture
def client() -> Iterator[Client]:
    with receiving() as client:
        yield client


@pytest.fixture
def webhook(company: Company, client: Client) -> WebhookEndpoint:
    return make_webhook(company, client.url).endpoint


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


# --- Signing ------------------------------------------------------------------------------------------


def test_our_signature_is_the_one_of_the_standard() -> None:
    secret, body = make_secret(), '{"amount":"5.00","name":"Wanjikũ"}'.encode()
    at = datetime.now(tz=UTC)
    theirs = standardwebhooks.Webhook(secret).sign("msg_1", at, body.decode())
    assert (
        sign(secret=secret, message_id="msg_1", timestamp=int(at.timestamp()), body=body) == theirs
    )


def test_a_secret_has_256_bits_and_none_is_made_twice() -> None:
    secrets = {make_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "signature", "secret", "late"])
def test_whatever_is_changed_on_the_way_no_longer_fits(change: str) -> None:
    secret, body = make_secret(), b'{"amount":"5.00"}'
    now = int(datetime.now(tz=UTC).timestamp())
    sent_at = now - 400 if change == "late" else now
    headers = signed_headers(signing=[secret], message_id="m1", timestamp=sent_at, body=body)
    headers |= {
        "id": {"webhook-id": "m2"},
        "timestamp": {"webhook-timestamp": str(now - 1)},
        "signature": {"webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()},
    }.get(change, {})
    checker = standardwebhooks.Webhook(make_secret() if change == "secret" else secret)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        checker.verify(body + b" " if change == "body" else body, headers)


# --- Telling ------------------------------------------------------------------------------------------


def test_an_event_is_told_signed_and_once(
    company: Company, client: Client, sent_tasks: SentTasks
) -> None:
    made = make_webhook(company, client.url)
    tell(company)
    assert (fan_out(), relay(made.endpoint), relay(made.endpoint)) == (1, 1, 0)
    [message] = client.messages
    assert message.path == "/hooks?a=1"
    told = standardwebhooks.Webhook(made.secret).verify(message.body, message.headers)
    assert told["type"] == "payment.failed"
    assert told["data"] == {"amount": "5.00"}
    assert (told["subject"], told["sequence"]) == ("treasury.payment:1", 1)
    assert message.headers["webhook-id"] == told["id"]
    assert only_delivery().status == "delivered"


def test_a_worker_is_woken_after_the_commit_and_not_without_a_webhook(
    company: Company,
    client: Client,
    sent_tasks: SentTasks,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tell(company)
    assert sent_tasks.names == []
    make_webhook(company, client.url)
    with django_capture_on_commit_callbacks(execute=True):
        tell(company)
        tell(company)
    assert sent_tasks.names == ["ledger.fan_out"]
    sent_tasks.run()
    assert len(client.messages) == 2


def test_a_webhook_is_told_what_it_asked_for_of_its_own_company(
    company: Company, client: Client
) -> None:
    webhook = make_webhook(company, client.url, kinds=["payment.succeeded"]).endpoint
    tell(company)
    tell(CompanyFactory.create(), "x:9", kind="payment.succeeded")
    tell(company, kind="payment.succeeded")
    assert fan_out() == 3
    relay(webhook)
    assert [json.loads(message.body)["sequence"] for message in client.messages] == [2]


def test_a_retry_sends_the_same_bytes_under_the_same_id(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    client.answers = [500, 503]
    tell(company)
    fan_out()
    for _ in range(3):
        relay(webhook)
        make_due()
    assert len({message.body for message in client.messages}) == 1
    assert len({message.headers["webhook-id"] for message in client.messages}) == 1
    assert len(client.messages) == 3
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.rest_until) == (0, None, None)
    log = WebhookTry.objects.values_list("number", "answer_status")
    assert list(log) == [(1, 500), (2, 503), (3, 200)]


def test_the_events_of_one_subject_keep_their_order_and_hold_up_no_other(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    client.answers = [500]
    for subject in ("x:1", "x:1", "x:2", "x:1"):
        tell(company, subject)
    fan_out()
    relay(webhook)
    WebhookEndpoint.objects.update(rest_until=None)
    relay(webhook)
    assert told(client)[1:] == [("x:2", 1)]
    make_due()
    relay(webhook)
    assert told(client)[2:] == [("x:1", 1), ("x:1", 2), ("x:1", 3)]


def told(client: Client) -> list[tuple[str, int]]:
    bodies = [json.loads(message.body) for message in client.messages]
    return [(body["subject"], body["sequence"]) for body in bodies]


def test_after_eight_tries_it_is_given_up_and_people_are_told_once(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    cfo = MembershipFactory.create(company=company, role=Role.CFO).user
    client.answers = [500] * 20
    tell(company)
    fan_out()
    for _ in range(MOST_TRIES + 2):
        relay(webhook)
        make_due()
    assert len(client.messages) == MOST_TRIES == 8
    delivery = only_delivery()
    assert (delivery.status, delivery.tries, delivery.last_answer) == ("dead", 8, "HTTP 500")
    assert (alert_about_dead(actor=SYSTEM), alert_about_dead(actor=SYSTEM)) == (1, 0)
    [letter] = mail.outbox
    assert letter.to == [cfo.email]
    assert "payment.failed: HTTP 500" in letter.body


def test_the_tries_take_a_day() -> None:
    assert timedelta(hours=23) < sum(PAUSES, timedelta()) < timedelta(hours=24)
    assert pause_after(MOST_TRIES) is None
    for tries, pause in enumerate(PAUSES, start=1):
        found = pause_after(tries)
        assert found is not None
        assert pause * 0.9 <= found <= pause * 1.1
    assert rest_after(1) < rest_after(3) < rest_after(40) == timedelta(minutes=5)


def test_410_disables_the_webhook(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    client.answers = [410]
    tell(company)
    tell(company, "x:2")
    fan_out()
    relay(webhook)
    make_due()
    relay(webhook)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("disabled", "It answered 410 Gone.")
    assert len(client.messages) == 1
    tell(company, "x:3")
    fan_out()
    assert WebhookDelivery.objects.count() == 2


def test_five_days_of_failure_disable_the_webhook(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    client.answers = [500] * 2
    tell(company)
    fan_out()
    relay(webhook)
    assert WebhookEndpoint.objects.get().status == "failing"
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    WebhookEndpoint.objects.update(failing_since=long_ago)
    make_due()
    relay(webhook)
    assert WebhookEndpoint.objects.get().disabled_reason == "It has failed for five days."


def test_a_disabled_webhook_gets_nothing_until_it_is_enabled(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    tell(company)
    fan_out()
    disable_webhook(actor=SYSTEM, webhook_id=webhook.pk, reason="We move house.")
    assert relay(webhook) == 0
    enable_webhook(actor=SYSTEM, webhook_id=webhook.pk)
    assert relay(webhook) == 1


def test_during_the_overlap_both_secrets_sign_and_afterwards_one(
    company: Company, client: Client
) -> None:
    made = make_webhook(company, client.url)
    rotated = rotate_secret(actor=SYSTEM, webhook_id=made.pk, overlap_hours=24)
    tell(company)
    fan_out()
    relay(made.endpoint)
    [first] = client.messages
    for secret in (made.secret, rotated.secret):
        standardwebhooks.Webhook(secret).verify(first.body, first.headers)
    WebhookEndpoint.objects.update(previous_until=datetime(2020, 1, 1, tzinfo=UTC))
    tell(company)
    fan_out()
    relay(made.endpoint)
    second = client.messages[1]
    standardwebhooks.Webhook(rotated.secret).verify(second.body, second.headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(made.secret).verify(second.body, second.headers)
    assert forget_old_secrets(actor=SYSTEM) == 1


def test_a_leaked_secret_ends_at_once(company: Company, client: Client) -> None:
    made = make_webhook(company, client.url)
    rotate_secret(actor=SYSTEM, webhook_id=made.pk, overlap_hours=0)
    tell(company)
    fan_out()
    relay(made.endpoint)
    assert " " not in client.messages[0].headers["webhook-signature"]


def test_secrets_are_encrypted_at_rest(company: Company, client: Client) -> None:
    made = make_webhook(company, client.url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM ledger_webhookendpoint")
        stored = cursor.fetchone()[0]
    assert made.secret not in stored
    assert made.secret.removeprefix("whsec_") not in stored


def test_a_replay_sends_the_same_bytes_under_the_same_id(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    tell(company)
    fan_out()
    relay(webhook)
    for _ in range(2):
        replay(actor=SYSTEM, delivery_id=only_delivery().pk)
        relay(webhook)
    assert len(client.messages) == 3
    assert len({message.body for message in client.messages}) == 1
    assert len({message.headers["webhook-id"] for message in client.messages}) == 1
    assert only_delivery().replays == 2


def test_a_test_message_comes_through(client: Client, webhook: WebhookEndpoint) -> None:
    send_test(actor=SYSTEM, webhook_id=webhook.pk)
    relay(webhook)
    assert json.loads(client.messages[0].body)["type"] == "webhook.test"


# --- What the other side does -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    company: Company, client: Client, webhook: WebhookEndpoint, status: int
) -> None:
    client.answers, client.location = [status], client.url.replace("/hooks", "/elsewhere")
    tell(company)
    fan_out()
    relay(webhook)
    assert [message.path for message in client.messages] == ["/hooks?a=1"]
    assert only_delivery().last_answer == f"HTTP {status}"


def test_an_answer_that_never_ends_is_cut_off(
    company: Company, client: Client, webhook: WebhookEndpoint, settings: Settings
) -> None:
    settings.BURSAR_WEBHOOK_DEADLINE_S = 0.3
    client.drip = True
    tell(company)
    fan_out()
    relay(webhook)
    assert (only_delivery().status, only_delivery().last_answer) == ("pending", "deadline")


def test_nobody_there_is_tried_again(company: Company) -> None:
    webhook = make_webhook(company, "http://127.0.0.1:1/").endpoint
    tell(company)
    fan_out()
    relay(webhook)
    assert (only_delivery().status, only_delivery().last_answer) == ("pending", "ConnectError")


def test_a_failing_webhook_is_left_alone_for_a_while(
    company: Company, client: Client, webhook: WebhookEndpoint
) -> None:
    client.answers = [500]
    for number in range(3):
        tell(company, f"x:{number}")
    fan_out()
    assert (relay(webhook), relay(webhook)) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction() -> None:
    from django.db import transaction

    with pytest.raises(TransactionOpen), transaction.atomic():
        post(url="https://example.org/", headers={}, body=b"{}")


# --- Dying --------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "point",
    ["before fan-out commits", "after fan-out", "after the claim", "after sending", "in recording"],
)
def test_wherever_the_relay_dies_the_message_comes_at_least_once_under_one_id(
    company: Company,
    client: Client,
    webhook: WebhookEndpoint,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    settings.BURSAR_WEBHOOK_LEASE = timedelta(0)
    tell(company)
    tell(company)
    with monkeypatch.context() as patched:
        die_at(point, patched)
        with pytest.raises(Killed):
            fan_out_and_relay(webhook)
    make_due()
    fan_out()
    make_due()
    relay(webhook)
    assert told(client)[-2:] == [("treasury.payment:1", 1), ("treasury.payment:1", 2)]
    assert len({(m.headers["webhook-id"], m.body) for m in client.messages}) == 2
    assert {row.status for row in WebhookDelivery.objects.all()} == {"delivered"}


def fan_out_and_relay(webhook: WebhookEndpoint) -> None:
    fan_out()
    relay(webhook)


def die_at(point: str, patched: pytest.MonkeyPatch) -> None:
    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    name = {
        "before fan-out commits": "_delivery",
        "after fan-out": "wake_due",
        "after the claim": "send",
        "after sending": "record_reply",
        "in recording": "_came_through",
    }[point]
    patched.setattr(relaying, name, die)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_message_once(
    settings: Settings, sent_tasks: SentTasks, client: Client
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    company = CompanyFactory.create()
    webhook = make_webhook(company, client.url).endpoint
    for number in range(12):
        tell(company, f"x:{number % 4}")

    def work() -> None:
        try:
            fan_out()
            for _ in range(3):
                relay(webhook)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    fan_out()
    relay(webhook)
    assert len(client.messages) == len(set(told(client))) == 12
    for subject in range(4):
        own = [number for name, number in told(client) if name == f"x:{subject}"]
        assert own == [1, 2, 3]


def test_what_waits_goes_to_the_new_address(company: Company, client: Client) -> None:
    webhook = make_webhook(company, "http://127.0.0.1:1/").endpoint
    tell(company)
    fan_out()
    edit_webhook(actor=SYSTEM, webhook_id=webhook.pk, url=client.url)
    relay(webhook)
    assert len(client.messages) == 1
