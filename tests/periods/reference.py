"""The rules of periods once more, from scratch: plain fractions, no preparation, no short cuts.

An oracle for the properties and what the benchmarks measure beside: slow, and plain enough to be read in one
go against the sentences of docs/periods.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction


def share_out(
    total: int, weights: Mapping[str, Fraction], *, to_the_largest: bool
) -> dict[str, int]:
    """Split minor units by exact weights: floors first, then the rest one by one, or all to the largest."""
    sign = -1 if total < 0 else 1
    whole = sum(weights.values(), Fraction(0))
    exact = {key: abs(total) * weight / whole for key, weight in weights.items()}
    shares = {key: int(part) for key, part in exact.items()}
    left = abs(total) - sum(shares.values())
    if to_the_largest:
        shares[min(weights, key=lambda key: (-weights[key], key))] += left
    else:
        order = sorted(weights, key=lambda key: (shares[key] - exact[key], -weights[key], key))
        for key in order[:left]:
            shares[key] += 1
    return {key: sign * share for key, share in shares.items()}


# Its amount, who paid it (None: the association), the weights it is shared by (None: not at all), and how much
# of it the association has not paid yet at the end of the period.
Expense = tuple[int, str | None, Mapping[str, Fraction] | None, int]


@dataclass
class Period:
    """What was recorded in one period, as plain tuples: amounts are minor units, owners are names."""

    contributions: list[tuple[str, int]] = field(default_factory=list)
    expenses: list[Expense] = field(default_factory=list)
    charges: list[tuple[str, int]] = field(default_factory=list)
    payouts: list[tuple[str, int]] = field(default_factory=list)
    other_income: int = 0
    paid_from_before: int = 0


class PlainBooks:
    """A ledger in a dictionary: every booking has two sides, every account is summed from all of them."""

    def __init__(self) -> None:
        self.bookings: list[tuple[str, str, int]] = []

    def book(self, debit: str, credit: str, amount: int) -> None:
        self.bookings.append((debit, credit, amount))

    def owed_on(self, account: str) -> int:
        """The balance of an account on the side of what is owed: credits less debits."""
        credits = sum(amount for _, credit, amount in self.bookings if credit == account)
        return credits - sum(amount for debit, _, amount in self.bookings if debit == account)

    def record(self, period: Period, *, to_the_largest: bool = False) -> None:
        """Book a whole period, its allocation included."""
        for owner, amount in period.contributions:
            self.book("cash", owner, amount)
        for amount, paid_by, weights, unpaid in period.expenses:
            self.book("costs", paid_by or "payables", amount)
            if paid_by is None:
                self.book("payables", "cash", amount - unpaid)
            if weights is None:
                self.book("equity", "costs", amount)
                continue
            for owner, share in share_out(amount, weights, to_the_largest=to_the_largest).items():
                self.book(owner, "costs", share)
        for owner, amount in period.charges:
            self.book(owner, "equity", amount)
        for owner, amount in period.payouts:
            self.book(owner, "cash", amount)
        self.book("cash", "equity", period.other_income)
        self.book("payables", "cash", period.paid_from_before)

    def cash(self) -> int:
        return -self.owed_on("cash")


def closings_from_scratch(
    periods: Sequence[Period], owners: Sequence[str], *, to_the_largest: bool = False
) -> list[dict[str, int]]:
    """Close every period in turn from the first record on; the balances after each."""
    books = PlainBooks()
    closings = []
    for period in periods:
        books.record(period, to_the_largest=to_the_largest)
        closings.append({owner: books.owed_on(owner) for owner in owners})
    return closings
