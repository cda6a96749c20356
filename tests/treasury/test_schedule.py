"""Payments that go out on a day: which day, who executes, and one effect however often it is tried."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import transaction

from ledger.actor import Actor
from ledger.clock import today
from ledger.models import AuditEvent, Company, Membership
from ledger.refusals import InvalidInput, SegregationOfDuties
from ledger.roles import Role
from tests.clock import Clock, clock
from tests.treasury import factories
from tests.treasury.desk import SYSTEM, Desk, make_desk, refused_by
from tests.treasury.factories import acting, set_code_limit
from treasury.awaiting import (
    payments_awaiting,
)
from treasury.calendar import Calendar, Roll
from treasury.locks import lock_attempt
from treasury.models import Holiday, Payment, PaymentExecution
from treasury.readiness import NotDue
from treasury.selectors import (
    payments_due_by,
)
from treasury.services import scheduling
from treasury.services.calendars import add_holiday, remove_holiday
from treasury.services.execution import can_execute_payment, execute_payment
from treasury.services.limits import set_payment_rules
from treasury.services.outcomes import conclude_failure
from treasury.services.payments import create_payment, edit_payment, retry_payment
from treasury.services.scheduling import execute_due

__all__ = ["clock"]

FRIDAY, SATURDAY, MONDAY = date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 2)


# --- The calendar, pure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roll", "day", "expected"),
    [
        (Roll.NEXT, FRIDAY, FRIDAY),
        (Roll.NEXT, SATURDAY, MONDAY),
        (Roll.PREVIOUS, SATURDAY, FRIDAY),
        (Roll.PREVIOUS, date(2026, 11, 1), FRIDAY),  # back over the end of a month
        (Roll.NEXT, date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_a_day_that_is_no_business_day_rolls(roll: Roll, day: date, expected: date) -> None:
    assert Calendar(roll=roll).due_on(day) == expected


def test_holidays_after_a_weekend_roll_further() -> None:
    calendar = Calendar(holidays={MONDAY, date(2026, 11, 3)})
    assert calendar.due_on(SATURDAY) == date(2026, 11, 4)


def test_a_calendar_without_business_days_says_the_day_itself() -> None:
    assert Calendar(weekend=frozenset(range(7))).due_on(MONDAY) == MONDAY


@pytest.mark.parametrize(
    ("now", "goes_out"),
    [
        (datetime(2026, 10, 30, 14, 59, tzinfo=UTC), True),
        (datetime(2026, 10, 30, 15, 0, tzinfo=UTC), False),  # after the cut-off
        (datetime(2026, 10, 31, 9, 0, tzinfo=UTC), False),  # missed, and now it is the weekend
        (datetime(2026, 11, 2, 9, 0, tzinfo=UTC), True),  # the next business day
        (datetime(2026, 10, 29, 9, 0, tzinfo=UTC), False),
    ],
)
def test_what_was_missed_goes_out_on_the_next_business_day(now: datetime, goes_out: bool) -> None:
    calendar = Calendar(cut_off=time(15))
    assert calendar.goes_out(FRIDAY, now=now) is goes_out


@pytest.mark.parametrize(
    ("zone", "instant", "goes_out"),
    [
        # 21:30 in London is already the next day in Nairobi.
        ("Africa/Nairobi", datetime(2026, 11, 1, 21, 30, tzinfo=UTC), True),
        ("Europe/London", datetime(2026, 11, 1, 21, 30, tzinfo=UTC), False),
        # The hour that comes twice, and the one that is left out.
        ("Europe/London", datetime(2026, 11, 2, 0, 0, tzinfo=UTC), True),
        ("Europe/London", datetime(2027, 3, 29, 13, 59, tzinfo=UTC), True),
        ("Europe/London", datetime(2027, 3, 29, 14, 0, tzinfo=UTC), False),
    ],
)
def test_the_day_and_the_cut_off_are_the_company_s(
    zone: str, instant: datetime, goes_out: bool
) -> None:
    calendar = Calendar(cut_off=time(15))
    assert calendar.goes_out(MONDAY, now=instant.astimezone(ZoneInfo(zone))) is goes_out


# --- Payments ---------------------------------------------------------------------------------------------


@pytest.fixture
def desk(db: None) -> Desk:
    """A company that pays on every day of the week."""
    return every_day(make_desk())


def every_day(desk: Desk) -> Desk:
    set_payment_rules(actor=SYSTEM, company_id=desk.company.pk, weekend=[])
    return desk


def scheduled(desk: Desk, in_days: int = 0, **details: Any) -> Payment:
    requisition = desk.approved(**details)
    day = today(desk.company) + timedelta(days=in_days)
    return create_payment(
        actor=acting(desk.treasurer), requisition_id=requisition.pk, scheduled_for=day
    )


def beat() -> int:
    return execute_due(actor=Actor.system("scheduler"), today=today)


def test_what_is_due_goes_out_once_by_who_scheduled_it(desk: Desk) -> None:
    payment = scheduled(desk, amount="100")
    later = scheduled(desk, in_days=3, amount="100")
    assert [beat(), beat()] == [1, 0]
    payment.refresh_from_db()
    later.refresh_from_db()
    assert (payment.status, later.status) == ("success", "pending")
    assert payment.executor == desk.treasurer
    assert PaymentExecution.objects.count() == 1


def test_before_its_day_it_is_not_executed_unless_it_is_unscheduled(desk: Desk) -> None:
    payment = scheduled(desk, in_days=2, amount="100")
    can, why = can_execute_payment(payment, desk.treasurer)
    assert (can, why) == (
        False,
        f"This payment goes out on {payment.due_on}; unschedule it to pay now.",
    )
    with pytest.raises(NotDue):
        execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)
    assert not payments_awaiting(desk.treasurer).filter(pk=payment.pk).exists()
    edit_payment(actor=acting(desk.treasurer), payment_id=payment.pk, scheduled_for=None)
    assert payments_awaiting(desk.treasurer).filter(pk=payment.pk).exists()
    execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)


def test_a_day_that_has_passed_is_no_day_to_schedule_for(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        scheduled(desk, in_days=-1)


def test_every_rule_is_asked_when_it_goes_out_and_a_refusal_is_shown_and_tried_again(
    desk: Desk,
) -> None:
    payment = scheduled(desk, amount="100")
    for _ in range(2):
        desk.paid(amount="50000")  # all that there is
    assert beat() == 0
    payment.refresh_from_db()
    assert payment.status == "pending"
    assert payment.last_error
    assert payment.next_try_at is not None
    assert AuditEvent.objects.filter(code="insufficient_funds", outcome="refused").exists()
    assert beat() == 0  # not before its pause is over
    factories.fill(desk.fund, Decimal(200_000))
    Payment.objects.update(next_try_at=None)
    assert beat() == 1


def test_whoever_may_not_execute_does_not_by_scheduling(desk: Desk) -> None:
    Membership.objects.create(user=desk.approver, company=desk.company, role="treasurer")
    requisition = desk.approved(amount="100")
    payment = create_payment(
        actor=acting(desk.approver),
        requisition_id=requisition.pk,
        scheduled_for=today(desk.company),
    )
    assert beat() == 0
    payment.refresh_from_db()
    assert (payment.status, payment.executor) == ("pending", None)
    assert AuditEvent.objects.filter(code=SegregationOfDuties.code).exists()


def test_an_edit_makes_the_editor_the_one_who_executes(desk: Desk) -> None:
    payment = scheduled(desk, amount="100")
    other = factories.person(desk.company, Role.TREASURER)
    edit_payment(actor=acting(other), payment_id=payment.pk, amount="90")
    assert beat() == 1
    payment.refresh_from_db()
    assert payment.executor == other


def test_what_is_edited_while_a_pass_has_it_in_hand_does_not_go_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = scheduled(desk, amount="100")
    other = factories.person(desk.company, Role.TREASURER)

    def held_back(row: Payment) -> bool:
        edit_payment(actor=acting(other), payment_id=row.pk, amount="90", scheduled_for=None)
        return True

    monkeypatch.setattr(scheduling, "_claim", held_back)
    assert beat() == 0
    payment.refresh_from_db()
    assert (payment.status, payment.executor, payment.scheduled_for) == ("pending", None, None)


def test_a_retry_takes_the_day_away_so_that_nobody_has_it_executed_in_anothers_name(
    desk: Desk,
) -> None:
    factories.make_provider(desk.company)
    payment = scheduled(desk, method="mpesa", destination=factories.PHONE, amount="100")
    assert beat() == 1
    attempt = payment.attempts.get()
    with transaction.atomic():
        conclude_failure(lock_attempt(attempt.pk), said="no", actor=SYSTEM)
    other = factories.person(desk.company, Role.TREASURER)
    retry_payment(actor=acting(other), payment_id=payment.pk)
    assert beat() == 0
    payment.refresh_from_db()
    assert (payment.status, payment.scheduled_by, payment.due_on) == ("pending", None, None)


def test_what_needs_a_code_is_put_before_its_executor_by_mail(
    desk: Desk, django_capture_on_commit_callbacks: Any
) -> None:
    set_code_limit(desk.company, Decimal(50))
    payment = scheduled(desk, amount="100")
    with django_capture_on_commit_callbacks(execute=True):
        beat()
        beat()
    payment.refresh_from_db()
    assert payment.status == "pending"
    assert [message.to for message in mail.outbox] == [[desk.treasurer.email]]
    assert "Amina Traders" in mail.outbox[0].body
    assert payments_awaiting(desk.treasurer).filter(pk=payment.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_pass_that_comes_days_late_and_twice_has_one_effect(clock: Clock) -> None:
    desk = every_day(make_desk())
    payment = scheduled(desk, in_days=1, amount="100")
    clock.advance(days=4)

    def then(company: Company) -> date:
        return today(company) + timedelta(days=4)

    passes = [execute_due(actor=Actor.system("scheduler"), today=then) for _ in range(2)]
    assert passes == [1, 0]
    payment.refresh_from_db()
    assert payment.status == "success"


def test_holidays_move_what_is_due_and_back(desk: Desk) -> None:
    payment = scheduled(desk, in_days=5, amount="100")
    day = today(desk.company) + timedelta(days=5)
    place: dict[str, Any] = {"actor": acting(desk.cfo), "company_id": desk.company.pk}
    holiday = add_holiday(**place, on=day, name="A day off")
    payment.refresh_from_db()
    assert payment.due_on == day + timedelta(days=1)
    with pytest.raises(InvalidInput):
        add_holiday(**place, on=day, name="Again")
    set_payment_rules(**place, roll="previous")
    payment.refresh_from_db()
    assert payment.due_on == day - timedelta(days=1)
    remove_holiday(actor=acting(desk.cfo), holiday_id=holiday.pk)
    payment.refresh_from_db()
    assert (payment.due_on, Holiday.objects.count()) == (day, 0)


def test_everything_due_by_a_day_is_found(desk: Desk) -> None:
    first, second = scheduled(desk, amount="10"), scheduled(desk, in_days=2, amount="10")
    desk.pending(amount="10")
    day = today(desk.company)
    assert list(payments_due_by(desk.treasurer, desk.company, day)) == [first]
    soon = day + timedelta(days=2)
    assert list(payments_due_by(desk.treasurer, desk.company, soon)) == [first, second]
    stranger = make_desk().treasurer
    assert not payments_due_by(stranger, desk.company, soon).exists()


def test_the_database_lets_nothing_leave_before_its_day(desk: Desk) -> None:
    payment = scheduled(desk, in_days=2, amount="100")
    refused_by(
        "treasury_payment_not_before_due",
        "UPDATE treasury_payment SET status = 'success', executor_id = %s WHERE payment_id = %s",
        desk.treasurer.pk,
        payment.pk,
    )
    gone = scheduled(desk, amount="100")
    beat()
    refused_by(
        "is refused",
        "UPDATE treasury_payment SET scheduled_for = '2001-01-01' WHERE payment_id = %s",
        gone.pk,
    )
