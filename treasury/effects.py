"""What a decision does to the books: the lines it would post, and the fund before and after. Changes nothing.

The preview is of this moment: other payments of the fund may come first.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from treasury.models import TreasuryFund
from treasury.selectors import paid_amount
from treasury.worklist import Item

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that would be posted: the account, and the amount on one of the sides."""

    account: str
    debit: Decimal | None = None
    credit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """The lines, and what the fund holds and may spend before and after them."""

    fund: TreasuryFund
    lines: tuple[Line, ...]
    balance_change: Decimal
    held_change: Decimal
    when: str

    @property
    def figures(self) -> list[tuple[str, Decimal, Decimal]]:
        """What changes: its name, before and after."""
        balance, held = self.fund.current_balance, self.fund.held
        after, kept = balance + self.balance_change, held + self.held_change
        return [
            ("Balance", balance, after),
            ("Held", held, kept),
            ("Available", balance - held, after - kept),
        ]

    @property
    def available_after(self) -> Decimal:
        return self.figures[-1][2]

    @property
    def is_short(self) -> bool:
        """Whether the fund has not enough for it as things are now."""
        return self.available_after < 0 and self.available_after < self.figures[-1][1]

    @property
    def is_low_after(self) -> bool:
        """Whether the fund would be below its reorder level because of it."""
        falls = self.available_after < self.figures[-1][1]
        return falls and self.available_after < self.fund.reorder_level


def effect_of(item: Item) -> Effect:
    """Return what approving the item leads to."""
    return EFFECTS[item.kind](item.row)


def _out(
    fund: TreasuryFund, amount: Decimal, other: str, when: str, held: Decimal = ZERO
) -> Effect:
    lines = (Line(other, debit=amount), Line(fund.name, credit=amount))
    return Effect(fund, lines, -amount, -held, when)


def _in(fund: TreasuryFund, amount: Decimal, other: str, when: str) -> Effect:
    lines = (Line(fund.name, debit=amount), Line(other, credit=amount))
    return Effect(fund, lines, amount, ZERO, when)


def _requisition(row: Any) -> Effect:
    return _out(row.fund, row.amount, f"{row.fund.name}: spent", "when it is paid")


def _variance(row: Any) -> Effect:
    fund, amount = row.payment.fund, row.variance_amount
    other = f"{fund.name}: variances"
    if amount > 0:
        return _out(fund, amount, other, "as soon as you approve")
    return _in(fund, -amount, other, "as soon as you approve")


def _replenishment(row: Any) -> Effect:
    other = f"{row.fund.name}: provided by the organisation"
    return _in(row.fund, row.requested_amount, other, "when a treasurer funds it")


def _review(row: Any) -> Effect:
    other = f"{row.fund.name}: spent"
    return _out(row.fund, row.amount, other, "if it was paid; if not, its hold ends", row.amount)


def _late(row: Any) -> Effect:
    other = f"{row.fund.name}: spent"
    return _out(
        row.fund, row.amount, other, "if it is recognised; if the provider returns it, nothing"
    )


def _return(row: Any) -> Effect:
    return _in(row.fund, paid_amount(row), f"{row.fund.name}: spent", "once a CFO confirms it")


def _batch(row: Any) -> Effect:
    return _out(
        row.fund, row.total, f"{row.fund.name}: spent", "row by row, when it is carried out"
    )


EFFECTS = {
    "requisition": _requisition,
    "variance": _variance,
    "replenishment": _replenishment,
    "review": _review,
    "batch": _batch,
    "late": _late,
    "return": _return,
}
