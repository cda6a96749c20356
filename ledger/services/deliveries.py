"""What one may do with a single message to a webhook: send a test, send one again, hear of what was given up."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection
from django.db.models import DurationField, Exists, OuterRef, Value

from ledger import audit, locks
from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now, written_instant
from ledger.commands import after_commit, command
from ledger.models import Membership, WebhookDelivery, WebhookEndpoint
from ledger.roles import Role
from ledger.services.relaying import body_bytes, wake_due
from ledger.services.webhooks import may_change_webhook
from ledger.states import DeliveryStatus

TEST_KIND = "webhook.test"
# Whoever is told that messages are given up is told again after this long at the earliest.
ALERT_EVERY = timedelta(hours=1)
FORGOTTEN_AT_ONCE = 1_000
MOST_FORGOTTEN = 100_000  # by one pass; the next one goes on


@command("webhook.test")
def send_test(*, actor: Actor, webhook_id: UUID) -> WebhookDelivery:
    """Queue a message that says nothing, to see whether the endpoint takes it; by a CFO.

    Raises ``NotFound``, ``RoleRequired``.
    """
    endpoint = locks.lock_webhook(webhook_id)
    may_change_webhook(actor, endpoint)
    test_id = uuid4()
    body = {
        "id": str(test_id),
        "type": TEST_KIND,
        "timestamp": written_instant(database_now()),
        "company": str(endpoint.company_id),
        "subject": endpoint.subject,
        "sequence": 0,
        "data": {},
    }
    delivery = WebhookDelivery(
        endpoint=endpoint,
        message_id=str(test_id),
        kind=TEST_KIND,
        body=body_bytes(body),
        next_try_at=DatabaseClock(),
    )
    delivery.save(force_insert=True)
    _record(actor, "webhook.test", delivery)
    after_commit(wake_due)
    return WebhookDelivery.objects.get(pk=delivery.pk)


@command("webhook.replay")
def replay(*, actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    """Send a message once more, the same bytes under the same id, with all its tries; by a CFO.

    One that still waits is sent at once. Raises ``NotFound``, ``RoleRequired``.
    """
    delivery = locks.lock_delivery(delivery_id)
    may_change_webhook(actor, delivery.endpoint)
    delivery.status = DeliveryStatus.PENDING
    delivery.tries = 0
    delivery.replays += 1
    delivery.next_try_at = database_now()
    delivery.finished_at = delivery.alerted_at = None
    delivery.save(
        update_fields=["status", "tries", "replays", "next_try_at", "finished_at", "alerted_at"]
    )
    _record(actor, "webhook.replay", delivery)
    after_commit(wake_due)
    return delivery


def _record(actor: Actor, action: str, delivery: WebhookDelivery) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=delivery.endpoint.subject,
        company_id=delivery.endpoint.company_id,
        after={"delivery": str(delivery.pk), "kind": delivery.kind, "replays": delivery.replays},
    )


def alert_about_dead(*, actor: Actor) -> int:
    """Mail the company's CFOs about messages that were given up; returns about how many endpoints.

    A mail that cannot be handed over is tried again with the next pass; one may come twice, none is lost.
    """
    dead = WebhookDelivery.objects.filter(status=DeliveryStatus.DEAD)
    since = DatabaseClock() - Value(ALERT_EVERY, output_field=DurationField())
    told = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), alerted_at__gt=since)
    endpoints = WebhookEndpoint.objects.filter(
        Exists(dead.filter(endpoint=OuterRef("pk"), alerted_at=None)), ~Exists(told)
    )
    found = list(endpoints)
    for endpoint in found:
        _alert(endpoint, actor)
    return len(found)


def _alert(endpoint: WebhookEndpoint, actor: Actor) -> None:
    new = WebhookDelivery.objects.filter(
        endpoint=endpoint, status=DeliveryStatus.DEAD, alerted_at=None
    )
    found = list(new.order_by("created_at").values_list("pk", "kind", "last_answer"))
    lines = [f"{kind}: {answer}" for _, kind, answer in found[:10]]
    more = f"and {len(found) - 10} more" if len(found) > 10 else ""
    state = f"It is disabled: {endpoint.disabled_reason}" if endpoint.disabled_at else ""
    send_mail(
        "Bursar: a webhook does not answer",
        f"Messages to {endpoint.url} that were given up: {len(found)}.\n{state}\n\n"
        + "\n".join([*lines, more])
        + "\n\nThey can be sent again from the webhook's page.\n",
        None,
        _recipients(endpoint),
    )
    _mark_alerted(actor=actor, webhook_id=endpoint.pk, delivery_ids=[pk for pk, _, _ in found])


def _recipients(endpoint: WebhookEndpoint) -> list[str]:
    found = Membership.objects.filter(
        company=endpoint.company_id, region=None, role=Role.CFO, user__is_active=True
    )
    addresses = set(found.exclude(user__email="").values_list("user__email", flat=True))
    return sorted(addresses)


@command("webhook.alert")
def _mark_alerted(*, actor: Actor, webhook_id: UUID, delivery_ids: list[UUID]) -> None:
    WebhookDelivery.objects.filter(pk__in=delivery_ids, status=DeliveryStatus.DEAD).update(
        alerted_at=DatabaseClock()
    )


@command("webhook.forget_secrets")
def forget_old_secrets(*, actor: Actor) -> int:
    """Delete secrets that were replaced and no longer sign; returns how many."""
    return WebhookEndpoint.objects.filter(previous_until__lte=DatabaseClock()).update(
        previous_secret=None, previous_until=None
    )


def forget_old_messages(*, actor: Actor) -> int:
    """Delete messages that were delivered or given up longer ago than the setting says; returns how many.

    With the record of their tries, in many short transactions. May run twice at once.
    """
    total = 0
    while total < MOST_FORGOTTEN and (gone := _forget_some(actor=actor)):
        total += gone
    return total


@command("webhook.forget")
def _forget_some(*, actor: Actor) -> int:
    kept: timedelta = settings.BURSAR_WEBHOOK_MESSAGES_KEPT
    before = database_now() - kept
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_forget_messages(%s, %s)", [before, FORGOTTEN_AT_ONCE])
        row = cursor.fetchone()
    many: int = row[0] if row else 0
    if many:
        audit.record(
            actor=actor,
            action="webhook.forget",
            subject="ledger.webhooks",
            after={"messages": many, "kept_days": kept.days},
        )
    return many
