"""The ledger's scheduled jobs; each is safe to run twice at once."""

import socket
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.schedules import crontab

from ledger.actor import Actor
from ledger.services import anchoring, deliveries, idempotency_keys, operation, relaying


@shared_task(name="ledger.publish_heads")
def publish_heads() -> None:
    anchoring.publish_heads()


@shared_task(name="ledger.mail_heads")
def mail_heads() -> None:
    anchoring.mail_heads()


@shared_task(name="ledger.forget_old_keys")
def forget_old_keys() -> None:
    idempotency_keys.forget_old_keys()


@shared_task(name="ledger.fan_out")
def fan_out() -> None:
    relaying.fan_out(actor=Actor.system("webhooks"))


@shared_task(name="ledger.relay")
def relay(*, endpoint_id: str) -> None:
    relaying.relay(actor=Actor.system("webhooks"), endpoint_id=UUID(endpoint_id))


@shared_task(name="ledger.look_after_webhooks")
def look_after_webhooks() -> None:
    deliveries.forget_old_secrets(actor=Actor.system("webhooks"))
    deliveries.alert_about_dead(actor=Actor.system("webhooks"))


@shared_task(name="ledger.forget_old_messages")
def forget_old_messages() -> None:
    deliveries.forget_old_messages(actor=Actor.system("webhooks"))


@shared_task(name="ledger.prove_books")
def prove_books() -> None:
    operation.prove_when_due(actor=Actor.system("proof"))


@shared_task(name="ledger.show_worker")
def show_worker() -> None:
    operation.note_done("worker", host=socket.gethostname())


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # One that nobody took in time says nothing any more.
    "show-worker": {
        "task": "ledger.show_worker",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 60},
    },
    "prove-books": {"task": "ledger.prove_books", "schedule": timedelta(minutes=10)},
    "publish-heads": {"task": "ledger.publish_heads", "schedule": timedelta(minutes=5)},
    "mail-heads": {"task": "ledger.mail_heads", "schedule": crontab(hour=4, minute=0)},
    "forget-old-keys": {
        "task": "ledger.forget_old_keys",
        "schedule": crontab(hour=3, minute=30),
    },
    "forget-old-messages": {
        "task": "ledger.forget_old_messages",
        "schedule": crontab(hour=3, minute=50),
    },
    "fan-out": {"task": "ledger.fan_out", "schedule": timedelta(seconds=5)},
    "look-after-webhooks": {
        "task": "ledger.look_after_webhooks",
        "schedule": timedelta(minutes=1),
    },
}
