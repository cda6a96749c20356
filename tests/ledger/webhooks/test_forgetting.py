"""Messages are kept for a while, and then go with their tries; nothing else takes one away."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.models import AuditEvent, OutboxEvent, WebhookDelivery, WebhookEndpoint, WebhookTry
from ledger.services.deliveries import forget_old_messages
from tests.ledger.hooks import fan_out, relay, tell

JOB = Actor.system("webhooks")


def ended(webhook: WebhookEndpoint, *days_ago: int) -> None:
    """Messages that were delivered so many days ago."""
    for _ in days_ago:
        tell(webhook.company)
    fan_out()
    relay(webhook)
    for delivery, days in zip(
        WebhookDelivery.objects.order_by("created_at", "id"), days_ago, strict=True
    ):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            finished_at=database_now() - timedelta(days=days)
        )


def test_what_is_old_goes_with_its_tries_and_the_events_stay(webhook: WebhookEndpoint) -> None:
    ended(webhook, 91, 89, 1)
    assert [forget_old_messages(actor=JOB), forget_old_messages(actor=JOB)] == [1, 0]
    assert WebhookDelivery.objects.count() == WebhookTry.objects.count() == 2
    assert OutboxEvent.objects.count() == 3
    fan_out()  # what was told is not told again
    assert WebhookDelivery.objects.count() == 2
    event = AuditEvent.objects.get(action="webhook.forget")
    assert event.after == {"messages": 1, "kept_days": 90}


def test_what_still_waits_is_kept_however_old(webhook: WebhookEndpoint) -> None:
    tell(webhook.company)
    fan_out()
    WebhookDelivery.objects.update(next_try_at=database_now() - timedelta(days=400))
    assert forget_old_messages(actor=JOB) == 0
    assert WebhookDelivery.objects.count() == 1


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM ledger_webhooktry",
        "DELETE FROM ledger_webhookdelivery",
        "SELECT ledger_forget_messages(ledger_clock(), 100)",
    ],
)
def test_the_database_keeps_a_month_of_them(webhook: WebhookEndpoint, attack: str) -> None:
    ended(webhook, 29)
    with (
        pytest.raises(DatabaseError, match=r"is refused|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(attack)
    assert WebhookDelivery.objects.count() == WebhookTry.objects.count() == 1
