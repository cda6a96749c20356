"""Telling the company's webhooks what happened: fanned out from the outbox, sent, and sent again.

At least once, and the same bytes under the same id every time: the message is written before it is first
sent, claimed with a lease that is committed before the wire is touched, and whoever dies in between leaves a
lease that runs out. The events of one subject go out in its order: a later one waits for an earlier one.
"""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Least

from ledger import locks
from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now, written_instant
from ledger.commands import command
from ledger.delivery_schedule import LONGEST_FAILURE, MOST_TRIES, pause_after, rest_after
from ledger.models import OutboxEvent, WebhookDelivery, WebhookEndpoint, WebhookTry
from ledger.outbound import Reply, post
from ledger.queue import wake
from ledger.services.webhooks import set_disabled
from ledger.signatures import signed_headers
from ledger.states import DeliveryStatus

AT_ONCE = 500
# Longer than one sending may take.
LEASE = timedelta(seconds=45)
# A worker goes on to other work after this long.
LONGEST_RUN_S = 20.0
MOST_WORKERS = 2
GONE = 410


# --- From the outbox to deliveries --------------------------------------------------------------------


def fan_out(*, actor: Actor) -> int:
    """Make a delivery of every waiting event for each endpoint that wants it; returns how many events.

    May run twice at once: one of the two then does nothing.
    """
    total = 0
    while handed := _fan_out_some(actor=actor):
        total += handed
        if handed < AT_ONCE:
            break
    wake_due()
    return total


@command("webhook.fan_out")
def _fan_out_some(*, actor: Actor) -> int:
    waiting = OutboxEvent.objects.filter(fanned_out_at=None).order_by("occurred_at", "sequence")
    events = locks.lock_waiting_events(waiting[:AT_ONCE])
    endpoints = list(
        WebhookEndpoint.objects.filter(
            disabled_at=None, company__in={event.company_id for event in events}
        )
    )
    WebhookDelivery.objects.bulk_create(
        [
            _delivery(endpoint, event)
            for event in events
            for endpoint in endpoints
            if wants(endpoint, event)
        ],
        ignore_conflicts=True,
    )
    OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        fanned_out_at=DatabaseClock()
    )
    return len(events)


def wants(endpoint: WebhookEndpoint, event: OutboxEvent) -> bool:
    """Whether the endpoint is told this event: of its company, of a kind it asked for, since it exists."""
    return (
        endpoint.company_id == event.company_id
        and event.occurred_at >= endpoint.created_at
        and (not endpoint.kinds or event.kind in endpoint.kinds)
    )


def event_body(event: OutboxEvent) -> dict[str, Any]:
    """Return an event as clients read it, in a webhook and at ``/api/events/``."""
    return {
        "id": str(event.pk),
        "type": event.kind,
        "timestamp": written_instant(event.occurred_at),
        "company": str(event.company_id),
        "subject": event.subject,
        "sequence": event.sequence,
        "data": event.payload,
    }


def _delivery(endpoint: WebhookEndpoint, event: OutboxEvent) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint=endpoint,
        event=event,
        message_id=str(event.pk),
        kind=event.kind,
        subject=event.subject,
        sequence=event.sequence,
        body=body_bytes(event_body(event)),
        next_try_at=DatabaseClock(),
    )


def body_bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


# --- Sending ------------------------------------------------------------------------------------------


def wake_due() -> int:
    """Wake a worker for each endpoint that has something due; returns for how many."""
    due = WebhookEndpoint.objects.filter(
        _rested(), Exists(_due().filter(endpoint=OuterRef("pk"))), disabled_at=None
    )
    endpoints = list(due.order_by("rest_until", "pk").values_list("pk", flat=True))
    for endpoint_id in endpoints:
        wake("relay", endpoint_id=str(endpoint_id))
    return len(endpoints)


def relay(*, actor: Actor, endpoint_id: UUID) -> int:
    """Send what is due to one endpoint, for at most 20 seconds; returns how many messages were sent.

    Stops at the first failure: the endpoint is then left alone for a while. May run twice at once.
    """
    until = time.monotonic() + LONGEST_RUN_S
    sent = 0
    while time.monotonic() < until and (delivery := claim(endpoint_id)):
        reply = send(delivery)
        record_reply(actor=actor, delivery_id=delivery.pk, replay=delivery.replays, reply=reply)
        sent += 1
        if not reply.is_good:
            break
    return sent


def claim(endpoint_id: UUID) -> WebhookDelivery | None:
    """Take the next due message of an endpoint for this worker, and commit that it is taken."""
    with transaction.atomic(durable=True):
        mine = _due().filter(
            _rested("endpoint__"), endpoint=endpoint_id, endpoint__disabled_at=None
        )
        delivery = locks.lock_due_delivery(mine.order_by("next_try_at", "sequence", "pk"))
        if delivery is None or _has_enough_workers(endpoint_id):
            return None
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            lease_until=DatabaseClock() + Value(_lease(), output_field=DurationField()),
            # A worker that died in the last try leaves it to be made again.
            tries=Least(F("tries") + 1, MOST_TRIES),
        )
    return WebhookDelivery.objects.select_related("endpoint").get(pk=delivery.pk)


def send(delivery: WebhookDelivery) -> Reply:
    """Send the message once, signed anew, with no transaction open."""
    endpoint, now = delivery.endpoint, database_now()
    signing = [endpoint.secret]
    old, until = endpoint.previous_secret, endpoint.previous_until
    if old is not None and until is not None and until > now:
        signing.append(old)
    body = bytes(delivery.body)
    headers = signed_headers(
        signing=signing,
        message_id=delivery.message_id,
        timestamp=int(now.timestamp()),
        body=body,
    )
    headers["Content-Type"] = "application/json"
    return post(url=endpoint.url, headers=headers, body=body)


@command("webhook.record_reply")
def record_reply(*, actor: Actor, delivery_id: UUID, replay: int, reply: Reply) -> None:
    """Write down what came of a try: delivered, to be tried again, or given up.

    A good answer counts whenever it comes; a bad one does not when the message was delivered or replayed
    meanwhile.
    """
    delivery = locks.lock_delivery(delivery_id)
    WebhookTry.objects.create(
        delivery=delivery,
        number=delivery.tries,
        replay=replay,
        answer_status=reply.status,
        error=reply.error,
        duration_ms=reply.duration_ms,
    )
    if delivery.status != DeliveryStatus.PENDING or (
        delivery.replays != replay and not reply.is_good
    ):
        return
    delivery.last_answer = reply.text
    delivery.lease_until = None
    if reply.is_good:
        _finish(delivery, DeliveryStatus.DELIVERED)
        _came_through(delivery.endpoint)
    else:
        _failed(delivery, reply, actor)


def _failed(delivery: WebhookDelivery, reply: Reply, actor: Actor) -> None:
    pause = pause_after(delivery.tries)
    if reply.status == GONE or pause is None:
        _finish(delivery, DeliveryStatus.DEAD)
    else:
        delivery.next_try_at = database_now() + pause
        delivery.save(update_fields=["next_try_at", "lease_until", "last_answer"])
    _did_not_come_through(delivery.endpoint, reply, actor)


def _finish(delivery: WebhookDelivery, status: DeliveryStatus) -> None:
    delivery.status = status
    delivery.finished_at = database_now()
    delivery.next_try_at = None
    delivery.save(
        update_fields=["status", "finished_at", "next_try_at", "lease_until", "last_answer"]
    )


def _came_through(endpoint: WebhookEndpoint) -> None:
    if endpoint.failures:
        endpoint.failures, endpoint.failing_since, endpoint.rest_until = 0, None, None
        endpoint.save(update_fields=["failures", "failing_since", "rest_until"])


def _did_not_come_through(endpoint: WebhookEndpoint, reply: Reply, actor: Actor) -> None:
    now = database_now()
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.rest_until = now + rest_after(endpoint.failures)
    endpoint.save(update_fields=["failures", "failing_since", "rest_until"])
    if endpoint.disabled_at is not None:
        return
    if reply.status == GONE:
        set_disabled(endpoint, reason="It answered 410 Gone.", actor=actor)
    elif now - endpoint.failing_since >= LONGEST_FAILURE:
        set_disabled(endpoint, reason="It has failed for five days.", actor=actor)


def _has_enough_workers(endpoint_id: UUID) -> bool:
    """Whether so many are sending to the endpoint already that one that is slow would hold up others."""
    leased = WebhookDelivery.objects.filter(endpoint=endpoint_id, status=DeliveryStatus.PENDING)
    busy = leased.filter(lease_until__gt=DatabaseClock()).count()
    failing = WebhookEndpoint.objects.filter(pk=endpoint_id, failures__gt=0).exists()
    return busy >= (1 if failing else MOST_WORKERS)


def _due() -> QuerySet[WebhookDelivery]:
    """Messages whose time has come, that nobody sends, and that no earlier one of their subject precedes."""
    earlier = WebhookDelivery.objects.filter(
        endpoint=OuterRef("endpoint"),
        subject=OuterRef("subject"),
        sequence__lt=OuterRef("sequence"),
        status=DeliveryStatus.PENDING,
    )
    free = Q(lease_until=None) | Q(lease_until__lte=DatabaseClock())
    return WebhookDelivery.objects.filter(
        free,
        ~Exists(earlier),
        status=DeliveryStatus.PENDING,
        next_try_at__lte=DatabaseClock(),
    )


def _rested(prefix: str = "") -> Q:
    until = f"{prefix}rest_until"
    return Q(**{until: None}) | Q(**{f"{until}__lte": DatabaseClock()})


def _lease() -> timedelta:
    lease: timedelta = getattr(settings, "BURSAR_WEBHOOK_LEASE", LEASE)
    return lease
