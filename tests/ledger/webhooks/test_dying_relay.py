"""The relay dies anywhere, or runs twice: each message comes, under one id."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from ledger.models import Company, WebhookDelivery, WebhookEndpoint
from ledger.services import relaying
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory
from tests.ledger.hooks import OWN_NETWORK, Client, fan_out, make_due, make_webhook, relay, tell
from tests.ledger.webhooks.deliveries import told


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
