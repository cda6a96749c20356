"""What limits of a day and cooling-off say about payments.

The database counts and refuses (``sql/spending.sql``), under the locks of the counters, as a payment leaves
pending; ``limits_refuse`` puts its refusal into words. ``barriers`` says beforehand what it would refuse.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection

from ledger.money import Money
from ledger.refusals import Conflict, Refusal
from treasury.methods import Method
from treasury.models import DailySpending, LimitScope, Payment, PaymentRules, SpendingLimit

VELOCITY_LIMIT = "treasury_velocity_limit"
COOLING_OFF = "treasury_cooling_off"
# Company, currency, scope and key of a counter; and how many payments of how much it has counted.
Place = tuple[str, str, str]
Spent = tuple[int, Decimal]


class VelocityLimit(Conflict):
    """More than may go to one payee or destination, or out of one fund, in a day."""

    code = "velocity_limit"
    title = "Limit of a day"


class CoolingOff(Conflict):
    """The payee's destination is new, and the company waits before it pays there."""

    code = "cooling_off"
    title = "New destination"


@contextmanager
def limits_refuse(payment: Payment) -> Iterator[None]:
    """Turn the database's refusal to let the payment leave into ``VelocityLimit`` or ``CoolingOff``."""
    try:
        yield
    except IntegrityError as error:
        refusal = refusal_of(error, currency=payment.currency)
        if refusal is None:
            raise
        raise refusal from error


def refusal_of(error: IntegrityError, *, currency: str) -> Refusal | None:
    """Return the refusal behind a database error; None where it is none of the limits'."""
    found: Any = getattr(error.__cause__, "diag", None)
    law = getattr(found, "constraint_name", None)
    if law == VELOCITY_LIMIT:
        said = json.loads(found.message_detail)
        most_amount = said["most_amount"]
        return _beyond(
            LimitScope(said["scope"]),
            currency,
            most_payments=said["most_payments"],
            most_amount=None if most_amount is None else Decimal(most_amount),
            spent=(said["payments"], Decimal(said["amount"])),
        )
    if law == COOLING_OFF:
        return _too_new(datetime.fromisoformat(json.loads(found.message_detail)["ends"]))
    return None


def barriers(payments: Sequence[Payment], *, on: date) -> dict[UUID, Refusal]:
    """Return, by payment, what would refuse it if all left on the civil date ``on`` in the order given.

    Payments of one company, requisitions loaded. Nothing is locked: the last word is the database's, as
    each leaves. For dry runs and for telling people beforehand.
    """
    found: dict[UUID, Refusal] = {}
    tally = Tally(on)
    limits = _limits_by_currency(payments)
    waits = _waits_for_destinations(payments)
    for payment in payments:
        counted = _counted(payment, limits.get(payment.currency, ()))
        refusal = _cooling_off_of(payment) if waits else None
        refusal = refusal or tally.add(payment, counted)
        if refusal is not None:
            found[payment.pk] = refusal
    return found


class Tally:
    """What the counters would say on one civil day, one payment after the other."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._spent: dict[Place, Spent] = {}

    def add(self, payment: Payment, counted: Sequence[tuple[SpendingLimit, str]]) -> Refusal | None:
        """Count the payment and return None, or return what refuses it and count nothing."""
        after: dict[Place, Spent] = {}
        for limit, key in counted:
            place = (payment.currency, limit.scope, key)
            number, amount = spent = self._spent.get(place) or _spent(payment, place, self._on)
            after[place] = number + 1, amount + payment.amount
            if _is_beyond(limit, after[place]):
                return _beyond(
                    LimitScope(limit.scope),
                    payment.currency,
                    most_payments=limit.most_payments,
                    most_amount=limit.most_amount,
                    spent=spent,
                )
        self._spent |= after
        return None


def _is_beyond(limit: SpendingLimit, spent: Spent) -> bool:
    number, amount = spent
    return (limit.most_payments is not None and number > limit.most_payments) or (
        limit.most_amount is not None and amount > limit.most_amount
    )


def _waits_for_destinations(payments: Sequence[Payment]) -> bool:
    """Whether the payments' company has a cooling-off at all."""
    if not payments:
        return False
    rules = PaymentRules.objects.filter(company=payments[0].company_id, cooling_off_hours__gt=0)
    return rules.exists()


def _limits_by_currency(payments: Sequence[Payment]) -> dict[str, list[SpendingLimit]]:
    found: dict[str, list[SpendingLimit]] = {}
    if payments:
        for limit in SpendingLimit.objects.filter(company=payments[0].company_id):
            found.setdefault(limit.currency, []).append(limit)
    return found


def _counted(payment: Payment, limits: Sequence[SpendingLimit]) -> list[tuple[SpendingLimit, str]]:
    """The limits that count the payment, with the key under which each does."""
    keys = {
        LimitScope.DESTINATION: payment.destination_index,
        LimitScope.FUND: str(payment.fund_id),
        LimitScope.PAYEE: payment.requisition.payee_index,
    }
    own = any(limit.fund_id == payment.fund_id for limit in limits)
    return [
        (limit, keys[LimitScope(limit.scope)])
        for limit in limits
        if limit.is_on
        and keys[LimitScope(limit.scope)]
        and limit.fund_id in (None, payment.fund_id)
        and not (own and limit.scope == LimitScope.FUND and limit.fund_id is None)
    ]


def _spent(payment: Payment, place: Place, on: date) -> Spent:
    currency, scope, key = place
    row = DailySpending.objects.filter(
        company=payment.company_id, currency=currency, scope=scope, key=key, on=on
    ).first()
    return (row.payments, row.amount) if row else (0, Decimal(0))


def _cooling_off_of(payment: Payment) -> Refusal | None:
    if payment.method == Method.CASH:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ends FROM treasury_cooled_off_at(%s, %s, %s) ends WHERE ends > ledger_clock()",
            [payment.company_id, payment.requisition.payee_index, payment.destination_index],
        )
        row = cursor.fetchone()
    return _too_new(row[0]) if row else None


def _beyond(
    scope: LimitScope,
    currency: str,
    *,
    most_payments: int | None,
    most_amount: Decimal | None,
    spent: Spent,
) -> VelocityLimit:
    place = {
        LimitScope.DESTINATION: "to one destination",
        LimitScope.FUND: "out of this fund",
        LimitScope.PAYEE: "to one payee",
    }[scope]
    number, amount = spent
    if most_payments is not None and number >= most_payments:
        said = f"At most {most_payments} payments go {place} in a day; {number} went today."
        return VelocityLimit(said)
    most = Money(most_amount or Decimal(0), currency)
    said = f"At most {most} go {place} in a day; {Money(amount, currency)} went today."
    return VelocityLimit(said)


def _too_new(ends: datetime) -> CoolingOff:
    instant = ends.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return CoolingOff(f"This payee's destination is new; it is paid to from {instant} on.")
