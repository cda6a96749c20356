"""Row locks of the ledger, in one order.

The order for all of Bursar: idempotency key, company, fund(s) by id, requisition, payment, attempt, code,
variance and replenishment, accounts by id. The SQL functions lock accounts themselves, in that order.
Webhook endpoint and delivery come alone: nothing of the others is locked with them.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from ledger.models import Account, OutboxEvent, WebhookDelivery, WebhookEndpoint
from ledger.refusals import NotFound

# Any number that nobody else uses: who holds it hands the outbox on.
FAN_OUT = 7_201_993


def lock_accounts(ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Lock the accounts in the order of their ids and return them by id."""
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {account.pk: account for account in rows}


def lock_webhook(webhook_id: UUID) -> WebhookEndpoint:
    """Lock one webhook endpoint; raise ``NotFound``."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=webhook_id)
    endpoint = rows.first()
    if endpoint is None:
        raise NotFound("There is no such webhook.")
    return endpoint


def lock_delivery(delivery_id: UUID) -> WebhookDelivery:
    """Lock endpoint and delivery; raise ``NotFound``."""
    rows = WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id)
    delivery = rows.select_for_update(of=("endpoint", "self"), no_key=True).order_by().first()
    if delivery is None:
        raise NotFound("There is no such delivery.")
    return delivery


def lock_due_delivery(due: QuerySet[WebhookDelivery]) -> WebhookDelivery | None:
    """Lock one delivery of ``due`` that nobody else is working on; None when there is none left."""
    return due.select_for_update(of=("self",), no_key=True, skip_locked=True).first()


def lock_waiting_events(waiting: QuerySet[OutboxEvent]) -> list[OutboxEvent]:
    """Lock events that were not handed on yet; nothing while somebody else hands events on.

    One at a time, until the end of the transaction: else a later event could overtake an earlier one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FAN_OUT])
        alone = cursor.fetchone()[0]
    return list(waiting.select_for_update(no_key=True)) if alone else []
