"""The balance sheet of a period: what each owner brought, bore and is owed, and whether it all ties. Pure.

Amounts are whole minor units. A balance above zero is owed to the owner, one below zero he owes. The sheet is
reckoned from records and compared with what the ledger says; a period closes only when every tie-out holds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from periods.allocation import Key

TITLES = {
    "T1": "The shares of each expense add up to its amount",
    "T2": "Expenses are allocated or stay with the association",
    "T3": "Closing balances are opening balances and what happened since",
    "T4": "The cash is what came in and went out, and what the ledger says",
    "T5": "The cash is what is owed to owners and suppliers, and what belongs to all",
    "T6": "Each owner opens with what he closed with before",
    "T7": "Each owner's account in the ledger is his row",
    "T8": "What the items cost is what was spent",
}


@dataclass(frozen=True, slots=True)
class ExpenseLine(Generic[Key]):
    """An expense of the period, or with a negative amount a refund.

    ``paid_by`` is the owner who paid it (None: the association), ``shares`` what each owner bears of it
    (None: nobody, it stays with the association), ``item`` its budget item and ``reference`` its name.
    """

    amount: int
    paid_by: Key | None = None
    shares: Mapping[Key, int] | None = None
    item: str | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Records(Generic[Key]):
    """What a period opened with and what was recorded in it; pairs are an owner and an amount.

    ``owners`` have a row each, also former ones and those of whom there is nothing to say.
    ``adjustments`` are what corrections of frozen periods owe an owner; what such a correction did to the
    cash and the equity stands beside them. ``payables`` are what expenses that the association pays are
    not paid yet, less what it is to receive. ``budget`` is the planned cost of each item.
    """

    owners: Collection[Key]
    openings: Mapping[Key, int] = field(default_factory=dict)
    contributions: Collection[tuple[Key, int]] = ()
    expenses: Sequence[ExpenseLine[Key]] = ()
    charges: Collection[tuple[Key, int]] = ()
    adjustments: Collection[tuple[Key, int]] = ()
    payouts: Collection[tuple[Key, int]] = ()
    budget: Mapping[str, int] = field(default_factory=dict)
    equity_opening: int = 0
    payables_opening: int = 0
    payables_closing: int = 0
    other_income: int = 0
    cash_adjustment: int = 0
    equity_adjustment: int = 0


@dataclass(frozen=True, slots=True)
class Books(Generic[Key]):
    """What the ledger says at the end of the period: the cash, and each owner's control account."""

    cash: int
    owners: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class OwnerRow(Generic[Key]):
    """One owner's line of the sheet."""

    owner: Key
    opening: int = 0
    contributions: int = 0
    expenses_paid: int = 0
    allocated: int = 0
    service_charges: int = 0
    adjustments: int = 0
    payouts: int = 0

    @property
    def closing(self) -> int:
        brought = self.opening + self.contributions + self.expenses_paid + self.adjustments
        return brought - self.allocated - self.service_charges - self.payouts


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One budget item: what was planned and spent; ``variance`` above zero is overspent."""

    item: str | None
    budget: int
    actual: int

    @property
    def variance(self) -> int:
        return self.actual - self.budget


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of the sheet, and the association's own side of it."""

    opening: int
    contributions: int
    expenses_paid_by_owners: int
    expenses_paid_by_association: int
    expenses: int
    allocated: int
    unallocated: int
    service_charges: int
    adjustments: int
    payouts: int
    other_income: int
    closing: int
    cash_opening: int
    cash_closing: int
    equity_opening: int
    equity_closing: int
    payables_opening: int
    payables_closing: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Two amounts that must be the same; ``about`` names the first owner or expense of which they are not."""

    name: str
    left: int
    right: int
    holds: bool
    about: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.name]


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Key]):
    """The balance sheet: owners in the order of their keys, items with what belongs to none last."""

    owners: tuple[OwnerRow[Key], ...]
    items: tuple[ItemRow, ...]
    totals: Totals
    ties: tuple[Tie, ...]


def balance_sheet(
    records: Records[Key], books: Books[Key], previous: Mapping[Key, int] | None = None
) -> Sheet[Key]:
    """Reckon the sheet of a period and tie it to the ledger.

    ``previous`` are the closing balances of the period before (None: this is the first one).
    """
    rows = _rows(records)
    items = _items(records)
    totals = _totals(records, rows)
    ties = (
        _each_expense_shared(records.expenses),
        _tie("T2", totals.expenses, totals.allocated + totals.unallocated),
        _tie("T3", sum(row.closing for row in rows), totals.closing),
        _tie("T4", totals.cash_closing, books.cash),
        _tie("T5", books.cash, totals.closing + totals.equity_closing + totals.payables_closing),
        _each_owner("T6", records.openings, records.openings if previous is None else previous),
        _each_owner("T7", {row.owner: row.closing for row in rows}, books.owners),
        _tie("T8", sum(item.actual for item in items), totals.expenses),
    )
    return Sheet(rows, items, totals, ties)


def _rows(records: Records[Key]) -> tuple[OwnerRow[Key], ...]:
    paid = [(line.paid_by, line.amount) for line in records.expenses if line.paid_by is not None]
    columns = {
        "contributions": _by_owner(records.contributions),
        "expenses_paid": _by_owner(paid),
        "allocated": _allocated(records.expenses),
        "service_charges": _by_owner(records.charges),
        "adjustments": _by_owner(records.adjustments),
        "payouts": _by_owner(records.payouts),
        "opening": records.openings,
    }
    owners = sorted({*records.owners, *(key for column in columns.values() for key in column)})
    return tuple(
        OwnerRow(owner, **{name: column.get(owner, 0) for name, column in columns.items()})
        for owner in owners
    )


def _by_owner(pairs: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    column: defaultdict[Key, int] = defaultdict(int)
    for owner, amount in pairs:
        column[owner] += amount
    return dict(column)


def _allocated(expenses: Iterable[ExpenseLine[Key]]) -> dict[Key, int]:
    column: defaultdict[Key, int] = defaultdict(int)
    for line in expenses:
        for owner, share in (line.shares or {}).items():
            column[owner] += share
    return dict(column)


def _items(records: Records[Key]) -> tuple[ItemRow, ...]:
    actual: defaultdict[str | None, int] = defaultdict(int)
    for line in records.expenses:
        actual[line.item] += line.amount
    named = sorted({*records.budget, *(item for item in actual if item is not None)})
    rows = [ItemRow(item, records.budget.get(item, 0), actual[item]) for item in named]
    if None in actual:
        rows.append(ItemRow(None, 0, actual[None]))
    return tuple(rows)


def _totals(records: Records[Key], rows: Iterable[OwnerRow[Key]]) -> Totals:
    """Sum the records themselves, so that the rows can be tied to them."""
    by_association = sum(line.amount for line in records.expenses if line.paid_by is None)
    by_owners = sum(line.amount for line in records.expenses if line.paid_by is not None)
    unallocated = sum(line.amount for line in records.expenses if line.shares is None)
    sums = {
        "opening": sum(records.openings.values()),
        "contributions": _sum(records.contributions),
        "allocated": sum(row.allocated for row in rows),
        "service_charges": _sum(records.charges),
        "adjustments": _sum(records.adjustments),
        "payouts": _sum(records.payouts),
    }
    cash_opening = sums["opening"] + records.equity_opening + records.payables_opening
    return Totals(
        **sums,
        expenses_paid_by_owners=by_owners,
        expenses_paid_by_association=by_association,
        expenses=by_owners + by_association,
        unallocated=unallocated,
        other_income=records.other_income,
        closing=_closing(sums, by_owners),
        cash_opening=cash_opening,
        cash_closing=cash_opening + _cash_moved(records, by_association),
        equity_opening=records.equity_opening,
        equity_closing=records.equity_opening + _equity_moved(records, unallocated),
        payables_opening=records.payables_opening,
        payables_closing=records.payables_closing,
    )


def _closing(sums: Mapping[str, int], expenses_paid: int) -> int:
    brought = sums["opening"] + sums["contributions"] + expenses_paid + sums["adjustments"]
    return brought - sums["allocated"] - sums["service_charges"] - sums["payouts"]


def _cash_moved(records: Records[Key], by_association: int) -> int:
    """What came in less what went out: expenses that are not paid yet have not."""
    paid = by_association - (records.payables_closing - records.payables_opening)
    received = _sum(records.contributions) + records.other_income + records.cash_adjustment
    return received - paid - _sum(records.payouts)


def _equity_moved(records: Records[Key], unallocated: int) -> int:
    """What all owners together earned, less the costs that nobody bears."""
    earned = _sum(records.charges) + records.other_income + records.equity_adjustment
    return earned - unallocated


def _sum(pairs: Iterable[tuple[Key, int]]) -> int:
    return sum(amount for _, amount in pairs)


def _tie(name: str, left: int, right: int) -> Tie:
    return Tie(name, left, right, holds=left == right)


def _each_expense_shared(expenses: Iterable[ExpenseLine[Key]]) -> Tie:
    """T1: every expense by itself; when one does not hold, its two amounts."""
    amounts = shared = 0
    for line in expenses:
        if line.shares is None:
            continue
        share = sum(line.shares.values())
        if share != line.amount:
            return Tie("T1", share, line.amount, holds=False, about=line.reference)
        amounts += line.amount
        shared += share
    return Tie("T1", shared, amounts, holds=True)


def _each_owner(name: str, left: Mapping[Key, int], right: Mapping[Key, int]) -> Tie:
    """A tie of every owner by himself; when one does not hold, his two amounts."""
    for owner in sorted({*left, *right}):
        mine, other = left.get(owner, 0), right.get(owner, 0)
        if mine != other:
            return Tie(name, mine, other, holds=False, about=str(owner))
    return Tie(name, sum(left.values()), sum(right.values()), holds=True)
