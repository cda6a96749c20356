"""Reckoning: the balance sheet of a period from what is recorded, held against what the ledger says.

Amounts are whole minor units and owners their numbers, as the pure rules of ``periods.sheet`` have them.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Sum

from ledger.models import DailyTotal
from periods.models import (
    BalanceSheet,
    BudgetItem,
    CarriedDifference,
    Contribution,
    OpeningBalances,
    Owner,
    RecalculationRun,
    ServiceCharge,
    ServicePeriod,
    SheetLine,
)
from periods.sharing import Allocation, allocation_of
from periods.sheet import Books, ExpenseLine, Records, Sheet, balance_sheet
from periods.states import PeriodStatus
from periods.units import to_units

Balances = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Opening:
    """With what a period opens; ``previous`` is what the one before closed with, None for the first.

    ``pending`` is what earlier periods that are still open will have each owner bear once they close.
    """

    balances: Balances = field(default_factory=dict)
    equity: int = 0
    previous: Balances | None = None
    pending: Balances = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The sheet of a period with the allocation behind it."""

    allocation: Allocation
    sheet: Sheet[int]
    opening: Opening
    owners: Mapping[int, UUID]


def reckon(period: ServicePeriod) -> Reckoned:
    """Reckon what the sheet of an open period would be, were it closed now."""
    allocation = allocation_of(period)
    opening = opening_of(period)
    borne = allocation.by_owner()
    pending = _sum(opening.pending, borne)
    return reckon_with(period, allocation, opening, pending)


def reckon_with(
    period: ServicePeriod, allocation: Allocation, opening: Opening, pending: Balances
) -> Reckoned:
    """Reckon the sheet with this allocation; ``pending`` is what of it the ledger does not have yet."""
    owners = dict(Owner.objects.filter(association=period.association).values_list("number", "pk"))
    numbers = {pk: number for number, pk in owners.items()}
    records = _records(period, allocation, opening, numbers)
    books = _books(period, numbers, pending)
    sheet = balance_sheet(records, books, opening.previous)
    return Reckoned(allocation, sheet, opening, owners)


def opening_of(period: ServicePeriod) -> Opening:
    """Return with what the period opens: what the one before closed with, or what was brought along."""
    if period.previous_id is None:
        return _brought_along(period)
    # Read anew: its status may have changed since this period was read.
    previous = ServicePeriod.objects.get(pk=period.previous_id)
    previous.association = period.association
    if previous.status == PeriodStatus.OPEN:
        return _after(reckon(previous))
    sheet = BalanceSheet.objects.get(period=previous, version=previous.version)
    currency = period.association.currency
    lines = SheetLine.objects.filter(sheet=sheet).exclude(closing=0)
    closings = {
        number: to_units(closing, currency)
        for number, closing in lines.values_list("owner__number", "closing")
    }
    numbers = dict(
        Owner.objects.filter(association=previous.association).values_list("pk", "number")
    )
    handed_out = {
        numbers[UUID(row["owner_id"])]: to_units(Decimal(row["closing"]), currency)
        for row in json.loads(sheet.document)["owners"]
    }
    equity = to_units(sheet.equity_closing, currency)
    opening = _held_back(previous, closings, handed_out, equity)
    if previous.status == PeriodStatus.STALE:
        return replace(opening, pending=_pending_after(previous, sheet))
    return opening


def _pending_after(stale: ServicePeriod, sheet: BalanceSheet) -> Balances:
    """What the ledger does not say yet after a period that waits for an earlier one to be closed again.

    What that one will have the owners bear, and what it changed of the balances that the stale sheet opens
    with, which are in the ledger and not on the sheet.
    """
    currency = stale.association.currency
    start = opening_of(stale)
    lines = SheetLine.objects.filter(sheet=sheet).exclude(opening=0)
    opened_with = {
        number: -to_units(opening, currency)
        for number, opening in lines.values_list("owner__number", "opening")
    }
    return _sum(_sum(start.pending, start.balances), opened_with)


def _brought_along(period: ServicePeriod) -> Opening:
    """The openings of the first period; an association that starts from nothing has none."""
    association = period.association
    brought = OpeningBalances.objects.filter(association=association).first()
    if brought is None:
        return Opening()
    currency = association.currency
    lines = brought.lines.values_list("owner__number", "amount")
    balances = {number: to_units(amount, currency) for number, amount in lines}
    return Opening(balances, to_units(brought.equity, currency))


def _after(previous: Reckoned) -> Opening:
    """With what a period opens while the one before it is still open."""
    closings = {row.owner: row.closing for row in previous.sheet.owners if row.closing}
    pending = _sum(previous.opening.pending, previous.allocation.by_owner())
    return Opening(closings, previous.sheet.totals.equity_closing, closings, pending)


def _held_back(
    previous: ServicePeriod, closings: Balances, handed_out: Balances, equity: int
) -> Opening:
    """Take out what corrections of the previous period brought that are charged later (FREEZE_DOWNSTREAM)."""
    currency = previous.association.currency
    runs = RecalculationRun.objects.filter(period=previous, adjusted_period__isnull=False)
    differences = CarriedDifference.objects.filter(run__in=runs).order_by()
    held = {
        number: to_units(total, currency)
        for number, total in differences.values_list("owner__number")
        .annotate(total=Sum("difference"))
        .values_list("owner__number", "total")
    }
    cash = _units(runs.aggregate(total=Sum("cash_difference"))["total"], currency)
    less = {number: -amount for number, amount in held.items()}
    equity += sum(held.values()) - cash
    return Opening(_sum(closings, less), equity, _sum(handed_out, less))


def _records(
    period: ServicePeriod, allocation: Allocation, opening: Opening, numbers: Mapping[UUID, int]
) -> Records[int]:
    currency = period.association.currency
    adjusting = RecalculationRun.objects.filter(adjusted_period=period)
    corrected = _units(adjusting.aggregate(total=Sum("cash_difference"))["total"], currency)
    budget = BudgetItem.objects.filter(period=period).values_list("pk", "budgeted_cost")
    return Records(
        owners=numbers.values(),
        openings=opening.balances,
        contributions=_per_owner(Contribution, period, numbers),
        expenses=_lines(allocation, numbers),
        charges=_per_owner(ServiceCharge, period, numbers),
        budget={str(pk): to_units(cost, currency) for pk, cost in budget},
        equity_opening=opening.equity,
        cash_adjustment=corrected,
        equity_adjustment=corrected,
    )


def _lines(allocation: Allocation, numbers: Mapping[UUID, int]) -> list[ExpenseLine[int]]:
    return [
        ExpenseLine(
            line.amount,
            numbers[line.expense.paid_by_id] if line.expense.paid_by_id else None,
            dict(zip(line.basis.owners, line.shares, strict=True)) if line.basis else None,
            str(line.item.pk) if line.item else None,
            line.expense.reference,
        )
        for line in allocation.expenses
    ]


def _per_owner(
    model: type[Contribution | ServiceCharge], period: ServicePeriod, numbers: Mapping[UUID, int]
) -> list[tuple[int, int]]:
    """Return what was recorded for each owner, together."""
    rows = model._default_manager.filter(period=period, voided_at=None).order_by()
    totals = rows.values_list("owner_id").annotate(total=Sum("amount"))
    currency = period.association.currency
    return [
        (numbers[owner], to_units(total, currency))
        for owner, total in totals.values_list("owner_id", "total")
    ]


def _books(period: ServicePeriod, numbers: Mapping[UUID, int], pending: Balances) -> Books[int]:
    """Read what the ledger says at the end of the period, less what is not posted yet."""
    association = period.association
    accounts = dict(Owner.objects.filter(association=association).values_list("account_id", "pk"))
    own = (association.equity_account_id, association.costs_account_id)
    cash = (association.cash_account_id, association.clearing_account_id)
    credits = _credits({*accounts, *own, *cash}, period, association.currency)
    owners = {numbers[pk]: credits.get(account, 0) for account, pk in accounts.items()}
    # A fund holds other money too: what is the association's stands against it.
    if association.fund_id:
        held = sum(owners.values()) + sum(credits.get(account, 0) for account in own)
    else:
        held = -sum(credits.get(account, 0) for account in cash)
    less = {number: -amount for number, amount in pending.items()}
    return Books(held - _not_yet_charged(period), _sum(owners, less))


def _credits(accounts: set[UUID], period: ServicePeriod, currency: str) -> dict[UUID, int]:
    """Return credits less debits of each account up to the period's last day."""
    rows = DailyTotal.objects.filter(account__in=accounts, on__lte=period.end_date).order_by()
    nets = rows.values_list("account_id").annotate(net=Sum(F("credit") - F("debit")))
    return {
        account: to_units(net, currency) for account, net in nets.values_list("account_id", "net")
    }


def _not_yet_charged(period: ServicePeriod) -> int:
    """The cash of corrections that are in the ledger by now and in the sheets only later."""
    runs = RecalculationRun.objects.filter(
        association=period.association,
        period__end_date__lt=period.end_date,
        adjusted_period__start_date__gt=period.end_date,
    )
    return _units(
        runs.aggregate(total=Sum("cash_difference"))["total"], period.association.currency
    )


def _units(amount: Decimal | None, currency: str) -> int:
    return to_units(amount, currency) if amount else 0


def _sum(left: Balances, right: Balances) -> dict[int, int]:
    total: defaultdict[int, int] = defaultdict(int, left)
    for owner, amount in right.items():
        total[owner] += amount
    return {owner: amount for owner, amount in total.items() if amount}
