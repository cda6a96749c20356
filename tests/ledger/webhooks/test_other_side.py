"""Whatever the client does, nothing goes elsewhere and nothing waits for ever."""

import pytest
from pytest_django import Settings

from ledger.models import Company, WebhookEndpoint
from ledger.outbound import TransactionOpen, post
from tests.ledger.hooks import Client, fan_out, make_webhook, relay, tell
from tests.ledger.webhooks.deliveries import only_delivery


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
