"""Sharing: by what the expenses of a period are shared among the owners, and what each bears.

Properties share first, then the owners of each by the days they had it (reference 4f). Whatever keeps an
expense from being shared is collected as a refusal, so that a preview shows all of it and a close raises the
first. Amounts are whole minor units; owners and properties are known by their numbers, which decide ties.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Self
from uuid import UUID

from ledger.refusals import Conflict, Refusal, RuleBroken
from periods import ownership
from periods.allocation import Basis, NoWeight, OwnedBasis, Weight, split_mixed_units
from periods.consumption import Consumption, consumption_in
from periods.models import (
    AllocatedExpense,
    AllocationBasis,
    Association,
    BudgetItem,
    Expense,
    Owner,
    Ownership,
    Property,
    ServicePeriod,
)
from periods.states import Billing, ExpenseKind, Fallback, RemainderRule, Strategy
from periods.units import to_units

NAMED_AT_MOST = 5


class BudgetItemMissing(Conflict):
    """An expense says not by which budget item it is shared."""

    code = "budget_item_missing"
    title = "Budget item missing"


class ReadingMissing(Conflict):
    """A meter whose consumption decides was not read."""

    code = "reading_missing"
    title = "Reading missing"


class ItemWithoutWeight(RuleBroken):
    """An item has something to share, and nobody in it has a weight."""

    code = "no_weight"
    title = "No weight"


@dataclass(frozen=True, slots=True)
class ItemBasis:
    """By what the expenses of one budget item are shared; of each ``base_percent`` goes by ``base`` first."""

    item: BudgetItem
    weights: OwnedBasis[int, int]
    base: OwnedBasis[int, int] | None = None
    base_percent: Decimal = Decimal(0)

    @property
    def owners(self) -> tuple[int, ...]:
        """The numbers of all who share, in the order of the shares."""
        return self.weights.keys

    def split_units(self, total: int) -> list[int]:
        """Split an amount among the owners. Raises ``NoWeight``."""
        if self.base is None:
            return self.weights.split_units(total)
        shares = split_mixed_units(total, self.base_percent, self.base, self.weights)
        return [shares[owner] for owner in self.owners]


@dataclass(frozen=True, slots=True)
class SharedExpense:
    """What each owner of the basis bears of an expense; with no basis it stays with the association."""

    expense: Expense
    item: BudgetItem | None
    amount: int
    basis: ItemBasis | None = None
    shares: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Allocation:
    """What closing a period shares, under one rule; ``problems`` keep it from being closed."""

    rule: RemainderRule
    expenses: Sequence[SharedExpense]
    bases: Mapping[UUID, ItemBasis]
    problems: Sequence[Refusal]

    @property
    def unallocated(self) -> int:
        return sum(line.amount for line in self.expenses if line.basis is None)

    def by_owner(self) -> dict[int, int]:
        """Return what each owner bears of all expenses together."""
        borne: defaultdict[int, int] = defaultdict(int)
        of_basis: defaultdict[int, list[Sequence[int]]] = defaultdict(list)
        bases = {id(line.basis): line.basis for line in self.expenses}
        for line in self.expenses:
            of_basis[id(line.basis)].append(line.shares)
        for key, basis in bases.items():
            if basis is not None:
                for owner, shares in zip(
                    basis.owners, zip(*of_basis[key], strict=True), strict=True
                ):
                    borne[owner] += sum(shares)
        return dict(borne)


@dataclass
class Estate:
    """An association's owners and properties by number, and who had what in the period."""

    association: Association
    period: ServicePeriod
    owners: dict[UUID, int]
    properties: dict[UUID, Property]
    ownerships: dict[UUID, list[ownership.Ownership[int]]]
    _days: dict[UUID, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, period: ServicePeriod) -> Self:
        """Read the estate of a period's association."""
        association = period.association
        owners = dict(Owner.objects.filter(association=association).values_list("pk", "number"))
        units = {unit.pk: unit for unit in Property.objects.filter(association=association)}
        held: dict[UUID, list[ownership.Ownership[int]]] = {pk: [] for pk in units}
        rows = Ownership.objects.filter(association=association).order_by("from_on")
        for unit, owner, since, until in rows.values_list(
            "property_id", "owner_id", "from_on", "until_on"
        ):
            held[unit].append(ownership.Ownership(owners[owner], since, until))
        return cls(association, period, owners, units, held)

    @cached_property
    def sharing(self) -> list[Property]:
        """The active properties that somebody has by the end of the period."""
        return [
            unit
            for unit in self.properties.values()
            if unit.active and self.ownerships[unit.pk][0].from_on <= self.period.end_date
        ]

    def owned(self, units: Mapping[Property, Weight], rule: RemainderRule) -> OwnedBasis[int, int]:
        """Prepare these properties by weight, and their owners by days. Raises ``OwnershipGap``."""
        weights = Basis.of(((unit.number, weight) for unit, weight in units.items()), rule=rule)
        return OwnedBasis.of(weights, {unit.number: self.days(unit) for unit in units})

    def days(self, unit: Property) -> list[tuple[int, int]]:
        """Return for how many days of the period each owner had the property."""
        if unit.pk not in self._days:
            held, period = self.ownerships[unit.pk], self.period
            self._days[unit.pk] = ownership.days_owned(held, period.start_date, period.end_date)
        return self._days[unit.pk]


def allocation_of(period: ServicePeriod) -> Allocation:
    """Work out what closing the period now would share, and whatever keeps it from being closed."""
    return _Sharing(Estate.of(period)).allocation()


class _Sharing:
    """Shares the expenses of one period."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.period = estate.period
        self.rule = RemainderRule(estate.association.remainder_rule)
        self.problems: list[Refusal] = []
        self.bases: dict[UUID, ItemBasis] = {}
        self.refunded: dict[UUID, ItemBasis | None] = {}
        self.consumed: dict[str, Consumption] | None = None

    def allocation(self) -> Allocation:
        rows = Expense.objects.filter(period=self.period, voided_at=None)
        expenses = list(rows.select_related("refund_of"))
        items = {
            item.pk: item
            for item in BudgetItem.objects.filter(period=self.period).prefetch_related("scope")
        }
        unfiled = [one for one in expenses if _item_of(one, self.period) not in items]
        if unfiled:
            self.problems.append(_missing_items(unfiled))
        self._prepare(items, expenses)
        shared = [self._share(one, items) for one in expenses]
        return Allocation(self.rule, shared, self.bases, self.problems)

    def _prepare(self, items: Mapping[UUID, BudgetItem], expenses: Sequence[Expense]) -> None:
        """Make the basis of every item that has something to share, and of refunds of earlier periods."""
        used = {_item_of(one, self.period) for one in expenses}
        used |= {one.refund_of.budget_item_id for one in expenses if one.refund_of}
        for item in items.values():
            try:
                if item.billing == Billing.UNIT_PRICE:
                    # Charged at its own price, so that sharing its expenses would charge it twice.
                    self._consumed(item, self._units(item))
                elif item.pk in used and item.allocation_strategy != Strategy.NONE:
                    self.bases[item.pk] = self._basis(item)
            except Refusal as refusal:
                self.problems.append(refusal)
        self.refunded = stored_bases(
            self.estate, {one.refund_of_id for one in expenses if _refunds_earlier(one)}
        )

    def _share(self, expense: Expense, items: Mapping[UUID, BudgetItem]) -> SharedExpense:
        currency = self.estate.association.currency
        amount = to_units(expense.amount, currency)
        if expense.kind == ExpenseKind.REFUND:
            amount = -amount
        item = items.get(_item_of(expense, self.period) or expense.pk)
        basis = self._basis_of(expense, item)
        if basis is None:
            return SharedExpense(expense, item, amount)
        try:
            return SharedExpense(expense, item, amount, basis, basis.split_units(amount))
        except NoWeight:
            self._no_weight(basis.item)
            return SharedExpense(expense, item, amount)

    def _basis_of(self, expense: Expense, item: BudgetItem | None) -> ItemBasis | None:
        """Return the basis of an expense; a refund takes that of what it refunds."""
        refunded = expense.refund_of
        if refunded is not None and refunded.pk in self.refunded:
            return self.refunded[refunded.pk]
        if refunded is not None and refunded.budget_item_id and not _refunds_earlier(expense):
            return self.bases.get(refunded.budget_item_id)
        return self.bases.get(item.pk) if item else None

    def _basis(self, item: BudgetItem) -> ItemBasis:
        """Prepare an item's basis. Raises ``ReadingMissing``, ``NegativeWeight``, ``OwnershipGap``."""
        units = self._units(item)
        shares = self.estate.owned({unit: unit.share_weight for unit in units}, self.rule)
        equal = self.estate.owned(dict.fromkeys(units, 1), self.rule)
        if item.allocation_strategy == Strategy.PROPORTIONAL:
            return ItemBasis(item, shares)
        if item.allocation_strategy == Strategy.FIXED_FEE:
            return ItemBasis(item, equal)
        usage = self._usage(item, units)
        if not usage.units.total and item.fallback:
            usage = shares if item.fallback == Fallback.BY_SHARE else equal
        if item.base_percent is None:
            return ItemBasis(item, usage)
        return ItemBasis(item, usage, shares, item.base_percent)

    def _units(self, item: BudgetItem) -> list[Property]:
        scope = {unit.pk for unit in item.scope.all()}
        return [unit for unit in self.estate.sharing if not scope or unit.pk in scope]

    def _usage(self, item: BudgetItem, units: Sequence[Property]) -> OwnedBasis[int, int]:
        consumed = self._consumed(item, units)
        weights = consumed.weights({unit.pk: Fraction(unit.share_weight) for unit in units})
        return self.estate.owned({unit: weights[unit.pk] for unit in units}, self.rule)

    def _consumed(self, item: BudgetItem, units: Sequence[Property]) -> Consumption:
        """Return what these properties consumed. Raises ``ReadingMissing`` naming meters without reading."""
        if self.consumed is None:
            self.consumed = consumption_in(self.period)
        consumed = self.consumed.get(item.payment_type.casefold(), Consumption())
        concerned = {None, *(unit.pk for unit in units)}
        missing = [meter for meter in consumed.missing if meter.property_id in concerned]
        if missing:
            message = f"{item.payment_type}: no reading of {_named(map(str, missing))}."
            named = [str(meter.pk) for meter in missing]
            raise ReadingMissing(message, errors={"meters": named})
        return consumed

    def _no_weight(self, item: BudgetItem) -> None:
        message = f"{item.payment_type}: nobody has a weight to share this by."
        if all(problem.detail != message for problem in self.problems):
            self.problems.append(ItemWithoutWeight(message))


def stored_bases(
    estate: Estate, expense_ids: Iterable[UUID | None]
) -> dict[UUID, ItemBasis | None]:
    """Return by what these expenses of earlier periods were shared last; None where nobody shared them."""
    rows = (
        AllocatedExpense.objects.filter(expense__in=[pk for pk in expense_ids if pk])
        .select_related("basis__item", "basis__run")
        .defer("shares")
        .order_by("run__number")
    )
    return {row.expense_id: stored_basis(estate, row.basis) if row.basis else None for row in rows}


def stored_basis(estate: Estate, row: AllocationBasis) -> ItemBasis:
    """Return a basis as it was when its run shared by it."""
    rule = RemainderRule(row.run.rule)
    numbers = [estate.properties[pk].number for pk in row.properties]
    held: dict[int, list[tuple[int, int]]] = {number: [] for number in numbers}
    for place, owner, days in zip(row.held_places, row.held_by, row.held_days, strict=True):
        held[numbers[place]].append((estate.owners[owner], days))

    def owned(weights: Iterable[Decimal]) -> OwnedBasis[int, int]:
        pairs = zip(numbers, map(int, weights), strict=True)
        return OwnedBasis.of(Basis.of(pairs, rule=rule), held)

    if row.base_weights is None or row.base_percent is None:
        return ItemBasis(row.item, owned(row.weights))
    return ItemBasis(row.item, owned(row.weights), owned(row.base_weights), row.base_percent)


def _item_of(expense: Expense, period: ServicePeriod) -> UUID | None:
    """Return the item under which an expense counts: a refund's own, or that of what it refunds."""
    refunded = expense.refund_of
    if expense.budget_item_id is None and refunded and refunded.period_id == period.pk:
        return refunded.budget_item_id
    return expense.budget_item_id


def _refunds_earlier(expense: Expense) -> bool:
    refunded = expense.refund_of
    return refunded is not None and refunded.period_id != expense.period_id


def _missing_items(expenses: Sequence[Expense]) -> BudgetItemMissing:
    message = f"Say by which budget item these are shared: {_named(map(str, expenses))}."
    return BudgetItemMissing(message, errors={"expenses": [str(one.pk) for one in expenses]})


def _named(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - NAMED_AT_MOST
    return ", ".join(known[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
