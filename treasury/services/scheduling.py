"""Payments that go out on a day: setting the day, and executing what is due, from the rows alone.

Whoever scheduled a payment is its executor on record; every rule is asked at the moment of execution, as if
he pressed the button then. What needs a code is put before him instead.
"""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import DurationField, Exists, F, OuterRef, Q, QuerySet, Value

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command
from ledger.refusals import Refusal
from treasury import locks, schedule
from treasury.dates import Today
from treasury.messages import remind_of_due_payment
from treasury.models import BatchRow, Payment
from treasury.services.calendars import calendar_of
from treasury.services.execution import execute_payment
from treasury.services.facts import payment_facts
from treasury.services.noting import note, note_payment
from treasury.services.passes import for_each
from treasury.states import BatchRowStatus, PaymentStatus

AT_ONCE = 100
AGENT = "scheduled payment"
# After this many refusals people must look; it stays pending and is shown with what was said.
MOST_TRIES = 20


def execute_due(*, actor: Actor, today: Today) -> int:
    """Execute, or put before its executor, every scheduled payment whose time has come; returns how many.

    A pass may run twice at once or days late: each payment is claimed by one statement first, and leaves
    pending once.
    """
    due = _due().order_by("due_on", "created_at").values_list("pk", flat=True)[:AT_ONCE]
    return for_each(list(due), lambda pk: _go(pk, actor=actor, today=today))


def _due() -> QuerySet[Payment]:
    """Pending payments whose day may have come somewhere, and whose pause, if any, is over.

    What waits in a batch goes out with it. What its requester gave a day, in a file, he cannot execute: once it is
    in no batch any more it waits for people.
    """
    latest = database_now().date() + timedelta(days=1)
    waited = Q(next_try_at=None) | Q(next_try_at__lte=DatabaseClock())
    in_batch = BatchRow.objects.filter(payment=OuterRef("pk"), status=BatchRowStatus.WAITING)
    return Payment.objects.filter(
        waited, status=PaymentStatus.PENDING, due_on__lte=latest, tries__lt=MOST_TRIES
    ).exclude(Exists(in_batch) | Q(scheduled_by=F("requester")))


def _go(payment_id: UUID, *, actor: Actor, today: Today) -> bool:
    payment = Payment.objects.select_related("fund__company", "scheduled_by").get(pk=payment_id)
    company = payment.fund.company
    now = database_now().astimezone(ZoneInfo(company.time_zone))
    if payment.due_on is None or not calendar_of(company).goes_out(payment.due_on, now=now):
        return False
    user = payment.scheduled_by
    if user is None or not _claim(payment):
        return False
    if _needs_person(payment):
        _remind(actor=actor, payment_id=payment_id)
        return True
    try:
        person = Actor.of(user, user_agent=AGENT)
        # Whoever edits it now, or takes the day away, is not overruled by what was read before.
        execute_payment(actor=person, payment_id=payment_id, today=today, version=payment.version)
    except Refusal as refusal:
        _note_refusal(actor=actor, payment_id=payment_id, said=refusal.detail)
        return False
    return True


def _needs_person(payment: Payment) -> bool:
    """Whether a code or a second factor is needed, which no job can give."""
    return payment.otp_required or payment.step_up_required


def _claim(payment: Payment) -> bool:
    """Take the payment for this pass; the next look at it comes later, one day later for a reminder."""
    pause = timedelta(days=1) if _needs_person(payment) else schedule.backoff(payment.tries + 2)
    again = DatabaseClock() + Value(pause, output_field=DurationField())
    claimed = _due().filter(pk=payment.pk).update(next_try_at=again, tries=F("tries") + 1)
    return claimed == 1


@command("payment.remind")
def _remind(*, actor: Actor, payment_id: UUID) -> None:
    """Tell whoever scheduled the payment that it waits for him and a code."""
    payment = locks.lock_payment(payment_id)
    user = payment.scheduled_by
    if payment.status != PaymentStatus.PENDING or user is None:
        return
    note(actor, "payment.remind", payment, {"reminded": str(user.pk)})
    after_commit(lambda: remind_of_due_payment(payment, to=user))


@command("payment.put_off")
def _note_refusal(*, actor: Actor, payment_id: UUID, said: str) -> None:
    """Write on the payment why it did not go out; it is tried again."""
    payment = locks.lock_payment(payment_id)
    if payment.status != PaymentStatus.PENDING:
        return
    before = payment_facts(payment)
    payment.last_error = said
    payment.save(update_fields=["last_error"])
    note_payment(actor, "payment.put_off", payment, before=before)
