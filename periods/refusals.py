"""What periods refuses, in words that services, API and admin share."""

from datetime import date

from ledger.refusals import Conflict, InvalidInput, RuleBroken
from periods.models import ServicePeriod
from periods.models.recorded import Recorded
from periods.states import PeriodStatus


class PeriodClosed(Conflict):
    """Nothing is written into a period that is not open."""

    code = "period_closed"
    title = "Period closed"


class PeriodOverlap(Conflict):
    """Two periods of an association never share a day."""

    code = "period_overlap"
    title = "Periods overlap"


class PeriodGap(Conflict):
    """A period starts the day after the one before it ends."""

    code = "period_gap"
    title = "Gap between periods"


class NameTaken(Conflict):
    """A name is used once: of a period per year, of an association per company."""

    code = "name_taken"
    title = "Name taken"


class AlreadyVoid(Conflict):
    """A record is voided once, and a voided one does not change."""

    code = "already_void"
    title = "Already void"


class ReadingTwice(Conflict):
    """A meter has one reading for a day."""

    code = "reading_exists"
    title = "Reading exists"


class NotPayable(Conflict):
    """Treasury pays what an association with a fund owes, and nothing that is paid already."""

    code = "not_payable"
    title = "Not to be paid"


class ExpenseInPayment(Conflict):
    """Treasury was asked to pay it: it is not asked twice, and what is being paid does not change."""

    code = "expense_in_payment"
    title = "Expense in payment"


class RefundTooLarge(RuleBroken):
    """The refunds of an expense never come to more than the expense."""

    code = "refund_too_large"
    title = "Refund too large"


def require_open(period: ServicePeriod) -> None:
    """Raise ``PeriodClosed`` unless the period is open."""
    if period.status != PeriodStatus.OPEN:
        raise PeriodClosed(f"{period.name} is {period.get_status_display().lower()}.")


def require_live(record: Recorded) -> None:
    """Raise ``AlreadyVoid`` for a voided record."""
    if record.is_void:
        raise AlreadyVoid(f"This {record.noun} is void.")


def require_within(period: ServicePeriod, day: date, *, field: str = "date") -> None:
    """Raise ``InvalidInput`` (``date_outside_period``) unless the day lies in the period."""
    if not period.holds(day):
        message = f"This lies outside {period.name}: {period.start_date} to {period.end_date}."
        raise InvalidInput.on(field, message, code="date_outside_period")
