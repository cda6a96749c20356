"""Service charges: what one owner alone is charged."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import parse_amount
from ledger.refusals import Conflict
from periods import duties, locks
from periods.models import ServiceCharge, ServicePeriod
from periods.refusals import require_within
from periods.services import recording
from periods.services.booking import book_charge
from periods.states import ChargeKind
from treasury.dates import Today
from treasury.texts import require_text

Amount = str | int | Decimal
LONGEST_DESCRIPTION = 500


class ChargeFollows(Conflict):
    """This charge follows from a reading, a due date or an earlier period, and changes with it alone."""

    code = "charge_follows"
    title = "Charge follows something else"


@command("charge.record")
def record_charge(
    *,
    actor: Actor,
    period_id: UUID,
    owner_id: UUID,
    amount: Amount,
    description: str,
    today: Today,
    date: date | None = None,
) -> ServiceCharge:
    """Charge one owner an amount in an open period and return the charge.

    Without a date it is of today, or of the period's first or last day when today lies before or after it.
    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``.
    """
    period = recording.begin(actor, period_id)
    association = period.association
    day = date or within(period, today(association.company))
    charge = ServiceCharge(
        association=association,
        period=period,
        owner=recording.owner_of(period, owner_id),
        amount=parse_amount(amount, association.currency),
        date=day,
        description=_description(description),
    )
    require_within(period, day)
    return recording.insert(charge, book_charge, actor)


@command("charge.edit")
def edit_charge(
    *,
    actor: Actor,
    charge_id: UUID,
    amount: Amount | None = None,
    description: str | None = None,
    date: date | None = None,
) -> ServiceCharge:
    """Change a charge of an open period; what is None stays. Its posting is reversed and made anew.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``, ``AlreadyVoid``,
    ``ChargeFollows``.
    """
    charge = locks.lock_record(ServiceCharge, charge_id)
    duties.may_record(actor, charge.association)
    _require_own(charge)
    content: dict[str, object] = {}
    if amount is not None:
        content["amount"] = parse_amount(amount, charge.association.currency)
    if description is not None:
        content["description"] = _description(description)
    if date is not None:
        require_within(charge.period, date)
        content["date"] = date
    return recording.change(charge, content, book_charge, actor)


@command("charge.void")
def void_charge(*, actor: Actor, charge_id: UUID, reason: str) -> ServiceCharge:
    """Take a charge of an open period out of the books, saying why.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``, ``PeriodClosed``, ``AlreadyVoid``,
    ``ChargeFollows``.
    """
    charge = locks.lock_record(ServiceCharge, charge_id)
    duties.may_record(actor, charge.association)
    _require_own(charge)
    return recording.void(charge, reason, actor)


def within(period: ServicePeriod, day: date) -> date:
    """Return the day of the period that is nearest to ``day``."""
    return min(max(day, period.start_date), period.end_date)


def _description(text: str) -> str:
    return require_text(text, field="description", longest=LONGEST_DESCRIPTION)


def _require_own(charge: ServiceCharge) -> None:
    if charge.kind != ChargeKind.CHARGE:
        raise ChargeFollows(f"This is a {charge.get_kind_display().lower()}.")
