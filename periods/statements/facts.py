"""What stands on an owner's statement: text alone, so that it can be kept and printed again as it was."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.money import Money, quantized
from periods.models import (
    AllocatedExpense,
    AllocationBasis,
    Contribution,
    Expense,
    Owner,
    Ownership,
    ServiceCharge,
    ServicePeriod,
)
from periods.sheets import OwnerLine, PeriodSheet
from periods.states import PeriodStatus, RemainderRule

DAY = "%d %b %Y"
MARKS = {PeriodStatus.OPEN: "Preview", PeriodStatus.STALE: "Provisional"}
RULES = {
    RemainderRule.LARGEST_REMAINDER: (
        "Each cost is shared by weight and rounded down to the smallest unit of money; what is left over goes"
        " one unit each to the largest remainders, of equal ones to the larger weight, then in the order of"
        " the owners' list."
    ),
    RemainderRule.LARGEST_HOLDER: (
        "Each cost is shared by weight and rounded down to the smallest unit of money; what is left over goes"
        " to the largest weight, of equal ones to the first in the owners' list."
    ),
}


@dataclass(slots=True)
class Material:
    """What statements of one period are made of, read once for all its owners."""

    period: ServicePeriod
    sheet: PeriodSheet
    contributions: dict[UUID, list[Contribution]] = field(default_factory=dict)
    expenses: dict[UUID, list[Expense]] = field(default_factory=dict)
    charges: dict[UUID, list[ServiceCharge]] = field(default_factory=dict)
    shared: list[AllocatedExpense] = field(default_factory=list)
    properties: dict[UUID, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, period: ServicePeriod, sheet: PeriodSheet) -> "Material":
        """Read all that the owners of a closed period are told, with a fixed number of queries."""
        live = {"period": period, "voided_at": None}
        material = cls(period, sheet)
        material.contributions = _by_owner(Contribution.objects.filter(**live), "owner_id")
        material.expenses = _by_owner(
            Expense.objects.filter(**live, paid_by__isnull=False), "paid_by_id"
        )
        material.charges = _by_owner(ServiceCharge.objects.filter(**live), "owner_id")
        rows = AllocatedExpense.objects.filter(run__period=period, run__reversed_at=None)
        order = ("expense__date", "expense__recorded_at", "expense")
        material.shared = list(rows.select_related("expense", "basis__item").order_by(*order))
        had = Ownership.objects.filter(
            association=period.association_id, from_on__lte=period.end_date
        ).exclude(until_on__lte=period.start_date)
        for row in had.select_related("property").order_by("property__number"):
            material.properties.setdefault(row.owner_id, []).append(_held(row, period))
        return material


def facts_of(
    material: Material, owner: Owner, *, number: str = "", previous: str = ""
) -> dict[str, Any]:
    """Return all that stands on one owner's statement, as text; ``number`` is empty for a preview."""
    period, sheet = material.period, material.sheet
    line = sheet.owner(owner.pk)
    currency = sheet.currency
    return {
        "association": period.association.name,
        "period": period.name,
        "dates": f"{period.start_date:{DAY}} to {period.end_date:{DAY}}",
        "owner": owner.name,
        "number": number or "none yet",
        "previous": previous or "none",
        "properties": ", ".join(material.properties.get(owner.pk, ())) or "none",
        "version": str(sheet.version or "none yet"),
        "mark": MARKS.get(PeriodStatus(sheet.status), ""),
        "verdict": verdict_of(line.closing),
        "closing": str(Money(abs(line.closing), currency)),
        "summary": _summary(line, currency),
        "summary_total": ["Closing balance", _figure(line.closing, currency)],
        "parts": [part for part in _parts(material, owner) if part["rows"]],
        "rule": RULES[RemainderRule(sheet.rule)],
    }


def _figure(amount: Decimal, currency: str) -> str:
    """An amount as people read it; the heading names the currency."""
    return f"{quantized(amount, currency):,f}"


def verdict_of(balance: Decimal) -> str:
    """Say in words what a balance means to the owner."""
    if balance > 0:
        return "The association owes you"
    return "You owe the association" if balance < 0 else "Nobody owes anybody anything"


def _summary(line: OwnerLine, currency: str) -> list[list[str]]:
    steps = (
        ("Opening balance", line.opening),
        ("plus contributions", line.contributions),
        ("plus expenses that you paid", line.expenses_paid),
        ("less your share of the costs", -line.allocated),
        ("less charges to you alone", -line.service_charges),
    )
    return [[name, _figure(amount, currency)] for name, amount in steps]


def _parts(material: Material, owner: Owner) -> Iterable[dict[str, Any]]:
    """The lines behind each figure, with their sums."""
    currency, line = material.sheet.currency, material.sheet.owner(owner.pk)

    def amount(value: Decimal) -> str:
        return _figure(value, currency)

    def plain(title: str, rows: Sequence[Sequence[str]], total: Decimal) -> dict[str, Any]:
        return {
            "title": title,
            "note": "",
            "columns": ["date", "text", "amount"],
            "header": ["Date", "What for", currency],
            "rows": [list(row) for row in rows],
            "total": ["", "Together", amount(total)],
        }

    paid_in = material.contributions.get(owner.pk, [])
    yield plain(
        "Contributions",
        [
            [f"{row.date:{DAY}}", row.comment or "Contribution", amount(row.amount)]
            for row in paid_in
        ],
        line.contributions,
    )
    laid_out = material.expenses.get(owner.pk, [])
    yield plain(
        "Expenses that you paid",
        [[f"{row.date:{DAY}}", _what(row), amount(_signed(row))] for row in laid_out],
        line.expenses_paid,
    )
    yield _shares(material, owner, line)
    charged = material.charges.get(owner.pk, [])
    yield plain(
        "Charges to you alone",
        [[f"{row.date:{DAY}}", row.description, amount(row.amount)] for row in charged],
        line.service_charges,
    )


def _shares(material: Material, owner: Owner, line: OwnerLine) -> dict[str, Any]:
    """His share of each cost, with the weight and the whole it was shared by."""
    currency = material.sheet.currency
    places: dict[UUID, int | None] = {}
    rows = []
    for shared in material.shared:
        basis = shared.basis
        if basis is None:
            continue
        if basis.pk not in places:
            found = owner.pk in basis.owners
            places[basis.pk] = basis.owners.index(owner.pk) if found else None
        place = places[basis.pk]
        if place is None:
            continue
        rows.append(
            [
                f"{shared.expense.date:{DAY}}",
                _what(shared.expense),
                _figure(shared.amount, currency),
                _key(basis, owner.pk),
                _figure(shared.shares[place], currency),
            ]
        )
    return {
        "title": "Your share of the costs",
        "note": "",
        "columns": ["date", "text", "amount", "amount", "amount"],
        "header": ["Date", "Cost", currency, "Shared by", "Your share"],
        "rows": rows,
        "total": ["", "Together", "", "", _figure(line.allocated, currency)],
    }


def _key(basis: AllocationBasis, owner: UUID) -> str:
    """By which part of which whole an owner shares; where it is mixed, first of the base, then of the rest."""
    key = _part(basis, basis.weights, owner)
    if basis.base_percent is None or basis.base_weights is None:
        return key
    base = _part(basis, basis.base_weights, owner)
    return f"{basis.base_percent.normalize():f} % by {base}, rest by {key}"


def _part(basis: AllocationBasis, weights: Sequence[Decimal], owner: UUID) -> str:
    """His part of the sum of these weights; his days where he had a property for a part of them."""
    parts = []
    for place, held in _days_by_place(basis).items():
        mine = held.get(owner)
        if mine is None:
            continue
        whole = sum(held.values())
        part = f"{weights[place]:f}"
        parts.append(part if mine == whole else f"{part} for {mine} of {whole} days")
    return f"{' + '.join(parts)} of {sum(weights):f}"


def _days_by_place(basis: AllocationBasis) -> Mapping[int, dict[UUID, int]]:
    days: dict[int, dict[UUID, int]] = {}
    for place, owner, held in zip(basis.held_places, basis.held_by, basis.held_days, strict=True):
        days.setdefault(place, {})[owner] = held
    return days


def _what(expense: Expense) -> str:
    named = expense.description or expense.vendor
    return f"{expense.payment_type}: {named}" if named else expense.payment_type


def _signed(expense: Expense) -> Decimal:
    return -expense.amount if expense.kind == "refund" else expense.amount


def _held(row: Ownership, period: ServicePeriod) -> str:
    """A property as the owner had it in the period."""
    label = row.property.label
    if row.from_on > period.start_date:
        label += f" from {row.from_on:{DAY}}"
    if row.until_on and row.until_on <= period.end_date:
        label += f" until {row.until_on:{DAY}}"
    return label


def _by_owner(rows: Iterable[Any], name: str) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found
