"""An event is told at least once, in order, the same bytes every time."""

import json
from datetime import timedelta

import standardwebhooks
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.delivery_schedule import MOST_TRIES, PAUSES, pause_after, rest_after
from ledger.models import Company, WebhookEndpoint, WebhookTry
from ledger.roles import Role
from ledger.services.deliveries import alert_about_dead, replay, send_test
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory, MembershipFactory
from tests.ledger.hooks import SYSTEM, Client, fan_out, make_due, make_webhook, relay, tell
from tests.ledger.webhooks.deliveries import only_delivery, told


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
