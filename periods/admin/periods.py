"""Periods: what is recorded, what closing would share, the balance sheet with its tie-outs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.money import Money
from periods.admin import period_steps, tables, tones
from periods.models import BalanceSheet, BudgetItem, ServicePeriod
from periods.selectors import waiting_reopening
from periods.sheets import AllocationPreview, allocation_preview, balance_sheet_of, sheet_version
from periods.states import PeriodStatus

SHOWN = 50


@admin.register(ServicePeriod)
class PeriodAdmin(SeenAdmin):
    scope = "association__"
    list_display = (
        "name",
        "association",
        "start_date",
        "end_date",
        "status_badge",
        "closed_at_shown",
        "version_shown",
    )
    ordering = ("association__name", "-start_date")
    list_filter = (by("status"), seen("association"), between("start_date"))
    list_select_related = ("association__company",)
    search_fields = ("name", "association__name")
    creation = period_steps.OPEN_PERIOD
    steps = period_steps.PERIOD
    status_badge = badge_column("status", tones.PERIOD)
    version_shown = column(
        lambda row: cells.text(row.version or "none yet"),
        title="version",
        order="version",
        name="version_shown",
    )
    closed_at_shown = instant_column(
        "closed_at", title="closed", company=lambda row: row.association.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServicePeriod]:
        rows: QuerySet[ServicePeriod] = super().get_queryset(request)
        return rows.select_related("association__company", "closed_by")

    def in_short(self, row: ServicePeriod) -> str:
        """A period in one line; of an open one, what closing it would share."""
        dates = f"{row.start_date:%d %b %Y} to {row.end_date:%d %b %Y}"
        if row.status != PeriodStatus.OPEN:
            return f"{row.name}, {dates}"
        preview = allocation_preview(row)
        shared = Money(preview.sheet.totals["allocated"], preview.sheet.currency)
        left = Money(preview.unallocated, preview.sheet.currency)
        return (
            f"{row.name}, {dates}: {shared} shared among {len(preview.owners)} owners, {left} stays"
            " with the association"
        )

    def page_for(self, request: HttpRequest, row: ServicePeriod) -> Page:
        currency = row.association.currency
        notices: list[str] = []
        if row.status == PeriodStatus.OPEN:
            preview = allocation_preview(row)
            notices = [problem.detail for problem in preview.problems]
            notices += [
                f"{tie.name} does not hold: {tie.title}."
                for tie in preview.sheet.ties
                if not tie.holds
            ]
            shown = (
                *tables.sheet_panels(preview.sheet, title="Balance sheet, as it would be"),
                _allocated(preview),
            )
        else:
            shown = tables.sheet_panels(balance_sheet_of(row), title="Balance sheet")
        if waiting := waiting_reopening(row):
            notices.append(
                f"{waiting.requested_by} wants it open again: “{waiting.reason}”. Another CFO confirms or rejects."
            )
        if row.status == PeriodStatus.STALE:
            notices.append("An earlier period was reopened: these figures are provisional.")
        return Page(
            f"{row.association.name}: {row.name}",
            badges=(tones.period_badge(row),),
            notices=notices,
            panels=(
                Panel("Period", _facts(row)),
                *shown,
                tables.items_panel(BudgetItem.objects.filter(period=row), currency),
                tables.contributions_panel(row.contributions.all(), currency),
                tables.expenses_panel(row.expenses.all(), currency),
                tables.charges_panel(row.servicecharges.all(), currency),
                tables.readings_panel(row.readings.all(), currency),
                _versions(row),
                history(
                    [row.reference, *(one.reference for one in row.reopen_requests.all())],
                    row.association.company,
                ),
            ),
        )


def _facts(row: ServicePeriod) -> tuple[Fact, ...]:
    company = row.association.company
    return (
        Fact("Association", cells.link(row.association)),
        Fact("From", cells.day(row.start_date)),
        Fact("To", cells.day(row.end_date)),
        Fact("Version", cells.text(row.version or "none yet")),
        Fact("Closed by", cells.text(row.closed_by)),
        Fact("Closed", cells.instant(row.closed_at, company)),
        Fact("Statements sent", cells.instant(row.statements_sent_at, company)),
    )


def _allocated(preview: AllocationPreview) -> Panel:
    """What closing would share of each expense."""
    currency = preview.sheet.currency
    rows = [
        (
            cells.day(line.expense.date),
            cells.link(line.expense, line.expense.payment_type),
            cells.text(line.item.get_allocation_strategy_display() if line.item else None),
            cells.amount(line.amount, currency),
            cells.text(f"{len(line.shares)} owners" if line.shares else "nobody"),
        )
        for line in preview.expenses[:SHOWN]
    ]
    heads = ("Date", "Expense", "Shared", "Amount", "Among")
    more = f"The first {SHOWN} of {len(preview.expenses)}." if len(preview.expenses) > SHOWN else ""
    return Panel(
        "What closing would share",
        table=Table(heads, rows, frozenset({"Amount"})),
        note=more,
        empty="There is nothing to share.",
    )


def _versions(row: ServicePeriod) -> Panel:
    company = row.association.company
    sheets = row.sheets.select_related("generated_by").defer("document").order_by("-version")
    rows = [
        (
            cells.link(sheet, f"Version {sheet.version}"),
            cells.instant(sheet.generated_at, company),
            cells.text(sheet.generated_by),
            cells.Code(sheet.hash[:16]),
        )
        for sheet in sheets[:SHOWN]
    ]
    table = Table(("Sheet", "Handed out", "By", "Hash"), rows)
    return Panel("Versions", table=table, empty="It was not closed yet.")


@admin.register(BalanceSheet)
class BalanceSheetAdmin(SeenAdmin):
    scope = "association__"
    list_display = (
        "period",
        "association",
        "version",
        "rule",
        "generated_by",
        "generated_at_shown",
    )
    list_filter = (seen("association"), by("rule"), between("generated_at"))
    list_select_related = ("period", "association__company", "generated_by")
    search_fields = ("period__name", "association__name", "hash__istartswith")
    ordering = ("-generated_at", "-period__start_date")
    generated_at_shown = instant_column(
        "generated_at", title="handed out", company=lambda row: row.association.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BalanceSheet]:
        rows: QuerySet[BalanceSheet] = super().get_queryset(request)
        return rows.select_related("period", "association__company").defer("document")

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        row.period.association = row.association
        sheet = sheet_version(row.period, row.version)
        facts = (
            Fact("Period", cells.link(row.period)),
            Fact("Version", cells.text(row.version)),
            Fact("Cents left over went to", cells.text(row.get_rule_display())),
            Fact("Handed out", cells.instant(row.generated_at, row.association.company)),
            Fact("By", cells.text(row.generated_by)),
            Fact("Hash", cells.Code(row.hash), wide=True),
        )
        return Page(
            f"{row.association.name}: {row.period.name}, version {row.version}",
            badges=(tones.period_badge(row.period),),
            panels=(Panel("Sheet", facts), *tables.sheet_panels(sheet, title="Balance sheet")),
        )
