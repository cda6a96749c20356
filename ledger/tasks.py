"""The ledger's scheduled jobs; each is safe to run twice at once."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab

from ledger.services import anchoring, idempotency_keys


@shared_task(name="ledger.publish_heads")
def publish_heads() -> None:
    anchoring.publish_heads()


@shared_task(name="ledger.mail_heads")
def mail_heads() -> None:
    anchoring.mail_heads()


@shared_task(name="ledger.forget_old_keys")
def forget_old_keys() -> None:
    idempotency_keys.forget_old_keys()


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "publish-heads": {"task": "ledger.publish_heads", "schedule": timedelta(minutes=5)},
    "mail-heads": {"task": "ledger.mail_heads", "schedule": crontab(hour=4, minute=0)},
    "forget-old-keys": {
        "task": "ledger.forget_old_keys",
        "schedule": crontab(hour=3, minute=30),
    },
}
