"""A company's business days, and the day on which a payment that is scheduled goes out."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from ledger.actor import Actor
from ledger.commands import command
from ledger.models import Company
from ledger.refusals import InvalidInput, NotFound, RoleRequired
from treasury import duties, locks
from treasury.calendar import Calendar, Roll
from treasury.dates import Today
from treasury.models import Holiday, Payment, PaymentRules, TreasuryFund
from treasury.services.noting import note_company
from treasury.states import PaymentStatus
from treasury.texts import require_text

LONGEST_NAME = 80
SCHEDULE_FIELDS = ("scheduled_for", "scheduled_by", "due_on", "next_try_at", "tries")


def calendar_of(company: Company) -> Calendar:
    """Return the company's calendar as it is now."""
    rules = PaymentRules.objects.filter(company=company).first() or PaymentRules(company=company)
    holidays = Holiday.objects.filter(company=company).values_list("on", flat=True)
    return Calendar(
        weekend=frozenset(rules.weekend),
        holidays=frozenset(holidays),
        roll=Roll(rules.roll),
        cut_off=rules.cut_off,
    )


def require_day_to_come(scheduled_for: date, *, on: date) -> None:
    """Raise ``InvalidInput`` on ``scheduled_for`` for a day before the civil date ``on``."""
    if scheduled_for < on:
        raise InvalidInput.on("scheduled_for", "This day has passed.", code="day_passed")


def write_schedule(
    payment: Payment, scheduled_for: date | None, *, actor: Actor, today: Today
) -> None:
    """Write on the object of a pending payment when it goes out, None: when somebody executes it.

    Raises ``InvalidInput`` on ``scheduled_for`` for a day that has passed.
    """
    company = payment.fund.company
    if scheduled_for is not None:
        require_day_to_come(scheduled_for, on=today(company))
        if actor.user is None:
            raise RoleRequired("A payment is scheduled by a person.")
    payment.scheduled_for = scheduled_for
    payment.scheduled_by = actor.user if scheduled_for else None
    payment.due_on = calendar_of(company).due_on(scheduled_for) if scheduled_for else None
    payment.next_try_at, payment.tries = None, 0


@command("holiday.add")
def add_holiday(*, actor: Actor, company_id: UUID, on: date, name: str) -> Holiday:
    """Let nothing go out on this civil date, and move what was due on it; by a CFO of the company.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on ``name`` and on a date that is there already.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    holiday = Holiday(
        company=company, on=on, name=require_text(name, field="name", longest=LONGEST_NAME)
    )
    try:
        with transaction.atomic():
            holiday.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidInput.on("on", "This is a holiday already.", code="holiday_exists") from error
    move_due_payments(company)
    note_company(actor, "holiday.add", company_id, after=_facts(holiday))
    return holiday


@command("holiday.remove")
def remove_holiday(*, actor: Actor, holiday_id: UUID) -> Holiday:
    """Make a holiday an ordinary day again, and return what it was; by a CFO of the company.

    Raises ``NotFound``, ``RoleRequired``.
    """
    holiday = Holiday.objects.filter(pk=holiday_id).first()
    if holiday is None:
        raise NotFound("There is no such holiday.")
    company = locks.lock_company(holiday.company_id)
    duties.may_keep_funds(actor, company)
    gone, _ = Holiday.objects.filter(pk=holiday.pk).delete()
    if not gone:  # by somebody who had the company's lock before
        raise NotFound("There is no such holiday.")
    note_company(actor, "holiday.remove", company.pk, before=_facts(holiday))
    move_due_payments(company)
    return holiday


def move_due_payments(company: Company) -> None:
    """Say anew on which business day each scheduled payment of a locked company goes out."""
    locks.lock_funds(
        list(TreasuryFund.objects.filter(company=company).values_list("pk", flat=True))
    )
    calendar = calendar_of(company)
    scheduled = Payment.objects.filter(
        company=company, status=PaymentStatus.PENDING, due_on__isnull=False
    )
    for payment in scheduled.order_by("pk"):
        due_on = calendar.due_on(payment.scheduled_for or date.max)
        if due_on != payment.due_on:
            payment.due_on = due_on
            payment.save(update_fields=["due_on"])


def _facts(holiday: Holiday) -> dict[str, Any]:
    return {"on": holiday.on.isoformat(), "name": holiday.name}
