"""Treasury's jobs: each picks up what stands in the database, and may run twice at once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.schedules import crontab

from ledger.actor import Actor
from ledger.clock import today
from treasury.schedule import PASS_EVERY
from treasury.services import (
    bank_reports,
    batch_execution,
    cleaning,
    dispatching,
    enquiries,
    janitor,
    questions,
    replenishment,
    retries,
    scheduling,
)


@shared_task(name="treasury.dispatch_attempt")
def dispatch_attempt(*, attempt_id: str) -> None:
    dispatching.dispatch_attempt(
        actor=Actor.system("dispatcher"), attempt_id=UUID(attempt_id), today=today
    )


@shared_task(name="treasury.ask_about_attempt")
def ask_about_attempt(*, attempt_id: str) -> None:
    enquiries.ask_about(actor=Actor.system("janitor"), attempt_id=UUID(attempt_id), today=today)


@shared_task(name="treasury.apply_answer")
def apply_answer(*, enquiry_id: str) -> None:
    enquiries.apply_answer(actor=Actor.system("janitor"), enquiry_id=UUID(enquiry_id), today=today)


@shared_task(name="treasury.run_janitor")
def run_janitor() -> None:
    janitor.run_janitor(actor=Actor.system("janitor"), today=today)


@shared_task(name="treasury.apply_bank_report")
def apply_bank_report(*, report_id: str) -> None:
    bank_reports.apply_bank_report(
        actor=Actor.system("bank reports"), report_id=UUID(report_id), today=today
    )


@shared_task(name="treasury.apply_bank_rows")
def apply_bank_rows() -> None:
    bank_reports.apply_waiting_rows(actor=Actor.system("bank reports"), today=today)


@shared_task(name="treasury.dispatch_waiting")
def dispatch_waiting() -> None:
    dispatching.dispatch_waiting(actor=Actor.system("dispatcher"), today=today)


@shared_task(name="treasury.run_batch")
def run_batch(*, batch_id: str) -> None:
    batch_execution.run_batch(
        actor=Actor.system("batch worker"), batch_id=UUID(batch_id), today=today
    )


@shared_task(name="treasury.continue_batches")
def continue_batches() -> None:
    batch_execution.continue_batches(actor=Actor.system("batch worker"), today=today)


@shared_task(name="treasury.execute_due")
def execute_due() -> None:
    scheduling.execute_due(actor=Actor.system("scheduler"), today=today)


@shared_task(name="treasury.retry_due")
def retry_due() -> None:
    retries.retry_due(actor=Actor.system("automatic retry"), today=today)


@shared_task(name="treasury.check_reorder_levels")
def check_reorder_levels() -> None:
    replenishment.check_reorder_levels(actor=Actor.system("reorder check"))


@shared_task(name="treasury.mail_questions")
def mail_questions() -> None:
    questions.mail_questions()


@shared_task(name="treasury.clean_up")
def clean_up() -> None:
    cleaning.clean_up(actor=Actor.system("clean-up"))


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "run-janitor": {"task": "treasury.run_janitor", "schedule": PASS_EVERY},
    "apply-bank-rows": {"task": "treasury.apply_bank_rows", "schedule": PASS_EVERY},
    "dispatch-waiting": {"task": "treasury.dispatch_waiting", "schedule": PASS_EVERY},
    "continue-batches": {"task": "treasury.continue_batches", "schedule": PASS_EVERY},
    "execute-due": {"task": "treasury.execute_due", "schedule": timedelta(minutes=1)},
    "retry-due": {"task": "treasury.retry_due", "schedule": timedelta(minutes=1)},
    "check-reorder-levels": {
        "task": "treasury.check_reorder_levels",
        "schedule": timedelta(minutes=5),
    },
    "mail-questions": {"task": "treasury.mail_questions", "schedule": timedelta(minutes=1)},
    "clean-up-treasury": {
        "task": "treasury.clean_up",
        "schedule": crontab(hour=3, minute=10),
    },
}
