"""What a decision does to the books: the lines it would post, and the fund before and after. Changes nothing.

The preview is of this moment: other payments of the fund may come first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from treasury.models import Batch, Requisition, TreasuryFund
from treasury.selectors import paid_amount
from treasury.states import BatchRowStatus
from treasury.worklist.items import Item

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that would be posted: the account, and the amount on one of the sides."""

    named: Callable[[], str]
    debit: Decimal | None = None
    credit: Decimal | None = None

    @property
    def account(self) -> str:
        """The name of its account; asked for where lines are shown, not in lists."""
        return self.named()


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


Named = Callable[[], str]


def _out(
    fund: TreasuryFund, amount: Decimal, other: Named, when: str, held: Decimal = ZERO
) -> Effect:
    lines = (Line(other, debit=amount), Line(lambda: fund.name, credit=amount))
    return Effect(fund, lines, -amount, -held, when)


def _in(fund: TreasuryFund, amount: Decimal, other: Named, when: str) -> Effect:
    lines = (Line(lambda: fund.name, debit=amount), Line(other, credit=amount))
    return Effect(fund, lines, amount, ZERO, when)


def _spent(fund: TreasuryFund, requisition: Requisition, what: str = "spent") -> Named:
    """The account that paying this debits: what the requisition names, or the fund's own."""

    def named() -> str:
        account = requisition.debit_account
        return account.name if account else f"{fund.name}: {what}"

    return named


def _requisition(row: Any) -> Effect:
    return _out(row.fund, row.amount, _spent(row.fund, row), "when it is paid")


def _variance(row: Any) -> Effect:
    fund, amount = row.payment.fund, row.variance_amount
    other = _spent(fund, row.payment.requisition, "variances")
    if amount > 0:
        return _out(fund, amount, other, "as soon as you approve")
    return _in(fund, -amount, other, "as soon as you approve")


def _replenishment(row: Any) -> Effect:
    other = f"{row.fund.name}: provided by the organisation"
    return _in(row.fund, row.requested_amount, lambda: other, "when a treasurer funds it")


def _review(row: Any) -> Effect:
    other = _spent(row.fund, row.requisition)
    return _out(row.fund, row.amount, other, "if it was paid; if not, its hold ends", row.amount)


def _late(row: Any) -> Effect:
    other = _spent(row.fund, row.requisition)
    return _out(
        row.fund, row.amount, other, "if it is recognised; if the provider returns it, nothing"
    )


def _return(row: Any) -> Effect:
    return _in(
        row.fund, paid_amount(row), _spent(row.fund, row.requisition), "once a CFO confirms it"
    )


def _spent_by(batch: Batch) -> Named:
    """The accounts that paying the rows of a batch debits."""

    def named() -> str:
        rows = batch.rows.filter(status=BatchRowStatus.WAITING)
        others = rows.filter(requisition__debit_account__isnull=False)
        names = others.values_list("requisition__debit_account__name", flat=True).distinct()
        own = [f"{batch.fund.name}: spent"] if others.count() < rows.count() else []
        return " and ".join([*own, *names.order_by("requisition__debit_account__name")])

    return named


def _batch(row: Any) -> Effect:
    return _out(row.fund, row.total, _spent_by(row), "row by row, when it is carried out")


EFFECTS = {
    "requisition": _requisition,
    "variance": _variance,
    "replenishment": _replenishment,
    "review": _review,
    "batch": _batch,
    "late": _late,
    "return": _return,
}
