"""What changes about a webhook: it is disabled and enabled, its secret is exchanged, its address moves."""

from datetime import UTC, datetime

import pytest
import standardwebhooks
from django.db import connection

from ledger.models import Company, WebhookDelivery, WebhookEndpoint
from ledger.services.deliveries import forget_old_secrets
from ledger.services.webhooks import disable_webhook, edit_webhook, enable_webhook, rotate_secret
from tests.ledger.hooks import SYSTEM, Client, fan_out, make_due, make_webhook, relay, tell


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


def test_what_waits_goes_to_the_new_address(company: Company, client: Client) -> None:
    webhook = make_webhook(company, "http://127.0.0.1:1/").endpoint
    tell(company)
    fan_out()
    edit_webhook(actor=SYSTEM, webhook_id=webhook.pk, url=client.url)
    relay(webhook)
    assert len(client.messages) == 1
