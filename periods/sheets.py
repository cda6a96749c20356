"""Balance sheets as people and clients see them: the stored version, or a preview of an open period's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from ledger.money import format_amount
from ledger.refusals import NotFound, Refusal
from periods.models import BalanceSheet, BudgetItem, Expense, Owner, ServicePeriod
from periods.reckoning import reckon
from periods.sheet import TITLES
from periods.sheet_document import COLUMNS, document_of
from periods.states import PeriodStatus
from periods.units import from_units

ITEM_COLUMNS = (
    "budget_item",
    "payment_type",
    "allocation_strategy",
    "budget",
    "actual",
    "variance",
    "weights",
)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One owner's line; a balance above zero the association owes him."""

    owner_id: UUID
    name: str
    opening: Decimal = ZERO
    contributions: Decimal = ZERO
    expenses_paid: Decimal = ZERO
    allocated: Decimal = ZERO
    service_charges: Decimal = ZERO
    closing: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A budget item: planned and spent, ``variance`` above zero is overspent; ``weights`` is their sum."""

    budget_item: UUID | None
    payment_type: str
    allocation_strategy: str
    budget: Decimal
    actual: Decimal
    variance: Decimal
    weights: str


@dataclass(frozen=True, slots=True)
class TieLine:
    """A tie-out: two amounts that must be the same; ``about`` names the first of which they are not."""

    name: str
    holds: bool
    left: Decimal
    right: Decimal
    about: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.name]


@dataclass(frozen=True, slots=True)
class PeriodSheet:
    """A period's balance sheet; without version and hash a preview of an open period's.

    ``provisional`` says that it may still change: the period, or one before it, is open.
    """

    period: UUID
    currency: str
    rule: str
    status: str
    provisional: bool
    version: int | None
    hash: str | None
    generated_at: datetime | None
    owners: Sequence[OwnerLine]
    items: Sequence[ItemLine]
    totals: Mapping[str, Decimal]
    ties: Sequence[TieLine]

    @classmethod
    def of(
        cls, period: ServicePeriod, document: Mapping[str, Any], sheet: BalanceSheet | None
    ) -> Self:
        """Read a document; every owner of the association has a line, whoever has nothing one of zeros."""
        return cls(
            period=period.pk,
            currency=document["currency"],
            rule=document["rule"],
            status=period.status,
            provisional=period.status != PeriodStatus.CLOSED,
            version=sheet.version if sheet else None,
            hash=sheet.hash if sheet else None,
            generated_at=sheet.generated_at if sheet else None,
            owners=_owner_lines(period, document["owners"]),
            items=[_item_line(row) for row in document["items"]],
            totals={name: Decimal(amount) for name, amount in document["totals"].items()},
            ties=[_tie_line(row) for row in document["ties"]],
        )

    def owner(self, owner_id: UUID) -> OwnerLine:
        """Return one owner's line. Raises ``NotFound``."""
        for line in self.owners:
            if line.owner_id == owner_id:
                return line
        raise NotFound("There is no such owner.")

    def as_json(self) -> dict[str, Any]:
        """Return the sheet in the contract's shape, amounts with exactly the currency's decimals."""

        def written(value: Any) -> Any:
            if isinstance(value, Decimal):
                return format_amount(value, self.currency)
            return str(value) if isinstance(value, UUID) else value

        def rows(lines: Sequence[Any], names: Sequence[str]) -> list[dict[str, Any]]:
            return [{name: written(getattr(line, name)) for name in names} for line in lines]

        return {
            "period": str(self.period),
            "status": self.status,
            "provisional": self.provisional,
            "version": self.version,
            "hash": self.hash,
            "owners": rows(self.owners, ("owner_id", *COLUMNS)),
            "items": rows(self.items, ITEM_COLUMNS),
            "totals": {name: written(amount) for name, amount in self.totals.items()},
            "ties": rows(self.ties, ("name", "holds", "left", "right")),
        }


def balance_sheet_of(period: ServicePeriod) -> PeriodSheet:
    """Return a period's balance sheet: as it was closed, or for an open one what it would be now."""
    if period.status == PeriodStatus.OPEN:
        return PeriodSheet.of(period, document_of(period, reckon(period)), None)
    sheet = BalanceSheet.objects.get(period=period, version=period.version)
    return PeriodSheet.of(period, json.loads(sheet.document), sheet)


def sheet_version(period: ServicePeriod, version: int) -> PeriodSheet:
    """Return the sheet as it was handed out under a version. Raises ``NotFound``."""
    sheet = BalanceSheet.objects.filter(period=period, version=version).first()
    if sheet is None:
        raise NotFound("There is no such version.")
    return PeriodSheet.of(period, json.loads(sheet.document), sheet)


def balance_of(period: ServicePeriod, owner_id: UUID) -> OwnerLine:
    """Return one owner's line of the period's balance sheet. Raises ``NotFound``."""
    return balance_sheet_of(period).owner(owner_id)


@dataclass(frozen=True, slots=True)
class ExpenseShares:
    """What each owner would bear of one expense; nobody where it stays with the association."""

    expense: Expense
    item: BudgetItem | None
    amount: Decimal
    currency: str
    owners: Sequence[UUID]
    units: Sequence[int]

    @property
    def shares(self) -> dict[UUID, Decimal]:
        """The amount that each of ``owners`` bears; ``units`` are these in minor units."""
        pairs = zip(self.owners, self.units, strict=True)
        return {owner: from_units(share, self.currency) for owner, share in pairs}


@dataclass(frozen=True, slots=True)
class AllocationPreview:
    """What closing a period now would allocate; ``problems`` are why it would be refused."""

    period: ServicePeriod
    rule: str
    problems: Sequence[Refusal]
    expenses: Sequence[ExpenseShares]
    owners: Mapping[UUID, Decimal]
    unallocated: Decimal
    sheet: PeriodSheet

    @property
    def may_close(self) -> bool:
        """Whether nothing stands against closing: no problem, and everything ties."""
        return not self.problems and all(tie.holds for tie in self.sheet.ties)


def allocation_preview(period: ServicePeriod) -> AllocationPreview:
    """Return what closing an open period would allocate, with what stands against it listed, not raised."""
    reckoned = reckon(period)
    allocation, owners = reckoned.allocation, reckoned.owners
    currency = period.association.currency
    sharing = {
        id(line.basis): [owners[number] for number in line.basis.owners]
        for line in allocation.expenses
        if line.basis
    }
    expenses = [
        ExpenseShares(
            line.expense,
            line.item,
            from_units(line.amount, currency),
            currency,
            sharing.get(id(line.basis), []),
            line.shares,
        )
        for line in allocation.expenses
    ]
    borne = allocation.by_owner().items()
    return AllocationPreview(
        period=period,
        rule=allocation.rule,
        problems=allocation.problems,
        expenses=expenses,
        owners={owners[number]: from_units(amount, currency) for number, amount in borne},
        unallocated=from_units(allocation.unallocated, currency),
        sheet=PeriodSheet.of(period, document_of(period, reckoned), None),
    )


def _owner_lines(period: ServicePeriod, rows: Sequence[Mapping[str, str]]) -> list[OwnerLine]:
    known = {UUID(row["owner_id"]): row for row in rows}
    owners = Owner.objects.filter(association=period.association_id).order_by("number")
    return [
        OwnerLine(pk, name, **{key: Decimal(known[pk][key]) for key in COLUMNS})
        if pk in known
        else OwnerLine(pk, name)
        for pk, name in owners.values_list("pk", "name")
    ]


def _item_line(row: Mapping[str, Any]) -> ItemLine:
    item = row["budget_item"]
    amounts = {name: Decimal(row[name]) for name in ("budget", "actual", "variance")}
    return ItemLine(
        budget_item=UUID(item) if item else None,
        payment_type=row["payment_type"],
        allocation_strategy=row["allocation_strategy"],
        weights=row["weights"],
        **amounts,
    )


def _tie_line(row: Mapping[str, Any]) -> TieLine:
    left, right = Decimal(row["left"]), Decimal(row["right"])
    return TieLine(row["name"], row["holds"], left, right, row["about"])
