"""Periods' jobs: each picks up what stands in the database, and may run twice at once."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab

from ledger.actor import Actor
from ledger.clock import today
from periods.services import late_fees, mailing


@shared_task(name="periods.mail_owners")
def mail_owners() -> None:
    mailing.mail_owners()


@shared_task(name="periods.charge_late_fees")
def charge_late_fees() -> None:
    late_fees.charge_late_fees_of_today(actor=Actor.system("late fees"), today=today)


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "mail-owners": {"task": "periods.mail_owners", "schedule": timedelta(minutes=1)},
    # Hourly, since it is early morning somewhere at any hour; charging a day twice charges once.
    "charge-late-fees": {"task": "periods.charge_late_fees", "schedule": crontab(minute=20)},
}
