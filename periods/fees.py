"""Late fees: what a debt that is not paid in time costs on a day. Pure: no ORM.

What is owed is computed from the debt and the payments as they are known now, never added to what was charged
before. A job charges the difference to what it has charged, so that running it twice charges once, and a
payment dated back takes back what it shows to have been too much.

Amounts are whole minor units.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from periods.units import HUNDRED_PERCENT, half_up

DAY = timedelta(days=1)
DAYS_OF_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class LateFeeTerms:
    """What an association asks of those who pay late.

    Nothing until ``grace_days`` after the due date have gone by; then the ``fixed_fee``, once, and simple
    interest of ``yearly_percent`` on the principal for every further day that it is owed, never on interest.
    ``legal_yearly_percent`` is the most the law allows, and ``cap`` the most that one debt ever costs.
    """

    grace_days: int = 0
    fixed_fee: int = 0
    yearly_percent: Decimal = Decimal(0)
    legal_yearly_percent: Decimal | None = None
    cap: int | None = None

    def __post_init__(self) -> None:
        terms = (self.yearly_percent, self.legal_yearly_percent or 0)
        if min(*terms) < 0 or min(self.grace_days, self.fixed_fee, self.cap or 0) < 0:
            raise ValueError("The terms of a late fee are zero or more.")

    @property
    def effective_percent(self) -> Decimal:
        """The yearly percentage that is charged: the association's, at most what the law allows."""
        if self.legal_yearly_percent is None:
            return self.yearly_percent
        return min(self.yearly_percent, self.legal_yearly_percent)


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount paid on a day, as the payment is dated."""

    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Debt:
    """An instalment or a charge: its principal, and the day by which it was to be paid."""

    principal: int
    due_on: date

    def open_on(self, day: date, payments: Iterable[Payment]) -> int:
        """Return what was still owed at the end of a day; what was paid too much counts for nothing."""
        paid = sum(payment.amount for payment in payments if payment.on <= day)
        return max(0, self.principal - paid)


def fee_owed(debt: Debt, terms: LateFeeTerms, payments: Sequence[Payment] = (), *, on: date) -> int:
    """Return the whole late fee of a debt up to and including a day, given the payments of this debt.

    The last free day is ``due_on`` plus the grace days: what is paid by then costs nothing. Interest is for each day after it at whose end
    something is owed, days/365, rounded half up once over all of them.
    """
    last_free = debt.due_on + timedelta(days=terms.grace_days)
    if on <= last_free or not debt.open_on(last_free, payments):
        return 0
    owed_days = sum(
        amount * days for amount, days in _open_amounts(debt, payments, last_free + DAY, on)
    )
    interest = half_up(
        Fraction(terms.effective_percent) * Fraction(owed_days, HUNDRED_PERCENT * DAYS_OF_A_YEAR)
    )
    fee = terms.fixed_fee + interest
    return fee if terms.cap is None else min(fee, terms.cap)


def oldest_first(debts: Sequence[Debt], payments: Iterable[Payment]) -> list[list[Payment]]:
    """Say which debt each payment pays: the one that was due first, of equals the one listed first.

    Returns for each debt, in the order given, its payments or parts of them; what is too much pays none.
    """
    order = sorted(range(len(debts)), key=lambda index: debts[index].due_on)
    left = {index: debts[index].principal for index in order}
    paying: list[list[Payment]] = [[] for _ in debts]
    for payment in sorted(payments, key=lambda payment: payment.on):
        amount = payment.amount
        for index in order:
            part = min(amount, left[index])
            if part > 0:
                paying[index].append(Payment(payment.on, part))
                left[index] -= part
                amount -= part
    return paying


def _open_amounts(
    debt: Debt, payments: Iterable[Payment], first: date, last: date
) -> Iterator[tuple[int, int]]:
    """Yield what was owed and for how many days, from ``first`` to ``last``, both included."""
    known = list(payments)
    changes = sorted({payment.on for payment in known if first < payment.on <= last})
    ends = [*changes, last + DAY]
    for start, end in zip([first, *changes], ends, strict=True):
        yield debt.open_on(start, known), (end - start).days
