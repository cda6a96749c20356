"""Tables that stand on several pages: records of a period, and a balance sheet."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell
from ledger.admin.pages import Fact, Panel, Table
from periods.admin import tones
from periods.models import BudgetItem, Contribution, Expense, Ownership, Reading, ServiceCharge
from periods.services.properties import ALWAYS
from periods.sheet_document import COLUMNS
from periods.sheets import PeriodSheet
from periods.states import Strategy

SHOWN = 100
FIGURES = ("Opening", "Contributions", "Own payments", "Share", "Charges", "Closing")
TOTALS = (
    ("Expenses", "expenses"),
    ("Of these, paid by owners", "expenses_paid_by_owners"),
    ("Of these, paid by the association", "expenses_paid_by_association"),
    ("Shared", "allocated"),
    ("Stays with the association", "unallocated"),
    ("Cash at the start", "cash_opening"),
    ("Cash at the end", "cash_closing"),
    ("Own means at the start", "equity_opening"),
    ("Own means at the end", "equity_closing"),
)


def sheet_panels(sheet: PeriodSheet, *, title: str) -> tuple[Panel, ...]:
    """Owners with their totals, budget items, totals and tie-outs of a balance sheet."""
    return (
        Panel(
            title,
            table=_owners(sheet),
            empty="The association has no owners yet.",
            note="Opening + contributions + own payments − share − charges = closing. "  # noqa: RUF001
            "Above zero the association owes the owner; below, he owes it.",
        ),
        Panel("Budget and actual", table=_items(sheet), empty="There are no expenses yet."),
        Panel("Totals", _totals(sheet)),
        Panel("Tie-outs", table=_ties(sheet), note="All must hold before a period can close."),
    )


def _owners(sheet: PeriodSheet) -> Table:
    def figures(line: Any) -> list[Cell]:
        return [cells.amount(getattr(line, name), sheet.currency) for name in COLUMNS]

    rows: list[Sequence[Cell]] = [[cells.text(line.name), *figures(line)] for line in sheet.owners]
    sums = (
        "opening",
        "contributions",
        "expenses_paid_by_owners",
        "allocated",
        "service_charges",
        "closing",
    )
    if rows:
        totals = [cells.amount(sheet.totals[name], sheet.currency) for name in sums]
        rows.append([cells.text("Together"), *totals])
    return Table(("Owner", *FIGURES), rows, frozenset(FIGURES), summed=True)


def _items(sheet: PeriodSheet) -> Table:
    rows = [
        (
            cells.text(line.payment_type or "no budget item"),
            cells.text(_shared_how(line.allocation_strategy)),
            cells.amount(line.budget, sheet.currency),
            cells.amount(line.actual, sheet.currency),
            cells.amount(line.variance, sheet.currency),
        )
        for line in sheet.items
    ]
    heads = ("Item", "Shared", "Budget", "Actual", "Variance")
    return Table(heads, rows, frozenset(heads[2:]))


def _shared_how(strategy: str) -> str:
    """A strategy in words."""
    return str(Strategy(strategy).label) if strategy in Strategy else strategy


def _totals(sheet: PeriodSheet) -> tuple[Fact, ...]:
    return tuple(
        Fact(title, cells.amount(sheet.totals[name], sheet.currency)) for title, name in TOTALS
    )


def _ties(sheet: PeriodSheet) -> Table:
    rows = [
        (
            Badge("Holds", "good") if tie.holds else Badge("Differs", "bad"),
            cells.text(tie.name),
            cells.text(tie.title, tie.about),
            cells.amount(tie.left, sheet.currency),
            cells.amount(tie.right, sheet.currency),
        )
        for tie in sheet.ties
    ]
    return Table(("State", "Tie", "What", "Left", "Right"), rows, frozenset({"Left", "Right"}))


def _cut(
    title: str,
    rows: QuerySet[Any],
    heads: Sequence[str],
    show: Callable[[Any], Sequence[Cell]],
    *,
    empty: str,
    figures: Sequence[str] = ("Amount",),
) -> Panel:
    """A panel of the first rows, saying so where there are more."""
    found = list(rows[: SHOWN + 1])
    more = f"The first {SHOWN}; the list has all." if len(found) > SHOWN else ""
    table = Table(heads, [show(row) for row in found[:SHOWN]], frozenset(figures))
    return Panel(title, table=table, note=more, empty=empty)


def contributions_panel(rows: QuerySet[Contribution], currency: str) -> Panel:
    """Contributions, oldest first."""

    def show(row: Contribution) -> Sequence[Cell]:
        return (
            cells.day(row.date),
            cells.link(row, str(row.owner)),
            cells.amount(row.amount, currency),
            cells.text(row.comment),
            tones.record_badge(row),
        )

    heads = ("Date", "Owner", "Amount", "Comment", "State")
    rows = rows.select_related("owner")
    return _cut("Contributions", rows, heads, show, empty="Nobody has paid anything in yet.")


def expenses_panel(rows: QuerySet[Expense], currency: str) -> Panel:
    """Expenses and refunds, oldest first."""

    def show(row: Expense) -> Sequence[Cell]:
        return (
            cells.day(row.date),
            cells.link(row, row.payment_type),
            cells.amount(row.amount, currency),
            cells.text(row.paid_by or "association"),
            cells.text(row.vendor or row.description),
            cells.text(row.budget_item) if row.budget_item else Badge("Needs an item", "careful"),
            Badge("Refund", "quiet")
            if row.kind == "refund" and not row.is_void
            else tones.record_badge(row),
        )

    heads = ("Date", "Expense", "Amount", "Paid by", "For", "Budget item", "State")
    rows = rows.select_related("paid_by", "budget_item")
    return _cut("Expenses", rows, heads, show, empty="No expenses are recorded yet.")


def charges_panel(rows: QuerySet[ServiceCharge], currency: str) -> Panel:
    """Service charges, oldest first."""

    def show(row: ServiceCharge) -> Sequence[Cell]:
        return (
            cells.day(row.date),
            cells.link(row, str(row.owner)),
            cells.amount(row.amount, currency),
            cells.text(row.get_kind_display()),
            cells.text(row.description),
            tones.record_badge(row),
        )

    heads = ("Date", "Owner", "Amount", "Kind", "For", "State")
    rows = rows.select_related("owner")
    return _cut("Charges", rows, heads, show, empty="Nobody is charged anything alone.")


def readings_panel(rows: QuerySet[Reading], currency: str) -> Panel:
    """Readings, oldest first."""

    def show(row: Reading) -> Sequence[Cell]:
        return (
            cells.link(row, str(row.meter)),
            cells.day(row.from_on),
            cells.day(row.to_on),
            cells.text(row.get_kind_display()),
            cells.text(_plain(row.meter_start_reading)),
            cells.text(_plain(row.meter_end_reading)),
            cells.text(_plain(row.consumption)),
            cells.amount(row.total_cost, currency),
            Badge("Void", "quiet") if row.voided_at else Badge("Recorded", "good"),
        )

    heads = ("Meter", "From", "To", "Kind", "Start", "End", "Consumption", "Cost", "State")
    figures = ("Start", "End", "Consumption", "Cost")
    rows = rows.select_related("meter__property")
    return _cut("Readings", rows, heads, show, empty="No meter was read yet.", figures=figures)


def held_from(held: Ownership) -> Cell:
    """The first day on which a property is somebody's; there was always somebody before the books."""
    return cells.text("the beginning") if held.from_on == ALWAYS else cells.day(held.from_on)


def held_until(held: Ownership) -> Cell:
    """The last day on which it is his."""
    return cells.day(held.until_on - timedelta(days=1)) if held.until_on else cells.text("today")


def items_panel(rows: QuerySet[BudgetItem], currency: str) -> Panel:
    """Budget items and how each is shared."""

    def show(row: BudgetItem) -> Sequence[Cell]:
        scope = ", ".join(unit.label for unit in row.scope.all()) or "all active properties"
        return (
            cells.link(row, row.payment_type),
            cells.amount(row.budgeted_cost, currency),
            cells.text(row.get_allocation_strategy_display()),
            cells.text(scope),
        )

    heads = ("Item", "Budget", "Shared", "Among")
    rows = rows.prefetch_related("scope")
    empty = "Nothing is planned yet: say how each kind of cost is shared."
    return _cut("Budget items", rows, heads, show, empty=empty, figures=("Budget",))


def _plain(value: Any) -> str | None:
    return None if value is None else f"{value.normalize():f}"
