"""What is recorded in periods: contributions, expenses, charges, budget items."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.money import Money
from periods.admin import record_steps, tables, tones
from periods.exports import CHARGES, CONTRIBUTIONS, EXPENSES
from periods.models import BudgetItem, Contribution, Expense, ServiceCharge


def _currency(row: Any) -> str:
    return str(row.association.currency)


def _company(row: Any) -> Any:
    return row.association.company


class RecordAdmin(SeenAdmin):
    """Records of a period, with where they stand in the books."""

    scope = "association__"
    related: ClassVar[Sequence[str]] = ()
    amount_fields = ("amount",)
    ordering = ("-date", "-recorded_at")
    amount_figure = amount_column("amount", currency=_currency)
    state = column(tones.record_badge, title="state", order="voided_at", name="state")
    recorded_at_shown = instant_column("recorded_at", title="recorded", company=_company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(
            "period", "association__company", "recorded_by", "journal_entry", *self.related
        )

    def in_short(self, row: Any) -> str:
        return (
            f"{self.opts.verbose_name} of {Money(row.amount, _currency(row))}, {row}".capitalize()
        )

    def facts(self, row: Any) -> tuple[Fact, ...]:
        """What a record says, beside what every record does."""
        raise NotImplementedError

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        shared = (
            Fact("Period", cells.link(row.period)),
            Fact("Date", cells.day(row.date)),
            Fact("Amount", cells.amount(row.amount, _currency(row))),
            *self.facts(row),
            Fact("Recorded by", cells.text(row.recorded_by)),
            Fact("Recorded", cells.instant(row.recorded_at, _company(row))),
            Fact("Version", cells.text(row.version)),
            Fact("In the books", cells.link(row.journal_entry)),
        )
        void = (Fact("Why it is void", cells.text(row.void_reason), wide=True),)
        return Page(
            self.in_short(row),
            badges=(tones.record_badge(row),),
            panels=(
                Panel(
                    str(self.opts.verbose_name).capitalize(), shared + (void if row.is_void else ())
                ),
                history([row.reference], _company(row)),
            ),
        )


@admin.register(Contribution)
class ContributionAdmin(RecordAdmin):
    list_display = ("date", "owner", "amount_figure", "period", "comment", "state")
    list_filter = (seen("association"), seen("period"), between("date"), between("recorded_at"))
    list_select_related = ("owner", "period", "association")
    related = ("owner",)
    search_fields = ("owner__name", "comment", "period__name")
    steps, export = record_steps.CONTRIBUTION, CONTRIBUTIONS

    def facts(self, row: Contribution) -> tuple[Fact, ...]:
        return (
            Fact("Owner", cells.link(row.owner)),
            Fact("Comment", cells.text(row.comment), wide=True),
        )


@admin.register(Expense)
class ExpenseAdmin(RecordAdmin):
    list_display = (
        "date",
        "payment_type",
        "kind",
        "amount_figure",
        "paid_by",
        "vendor",
        "budget_item",
        "period",
        "state",
    )
    list_filter = (
        by("kind"),
        seen("association"),
        seen("period"),
        between("date"),
        between("recorded_at"),
    )
    list_select_related = ("paid_by", "budget_item", "period", "association")
    related = ("paid_by", "budget_item", "requisition", "refund_of")
    search_fields = ("payment_type", "vendor", "description", "paid_by__name")
    steps, export = record_steps.EXPENSE, EXPENSES

    def facts(self, row: Expense) -> tuple[Fact, ...]:
        requisition = row.requisition
        return (
            Fact("Kind", cells.text(row.get_kind_display())),
            Fact("Payment type", cells.text(row.payment_type)),
            Fact("Paid by", cells.link(row.paid_by) if row.paid_by else cells.text("association")),
            Fact("Vendor", cells.text(row.vendor)),
            Fact("Budget item", cells.link(row.budget_item)),
            Fact("Refunds", cells.link(row.refund_of)),
            Fact("Requisition", cells.link(requisition)),
            Fact(
                "Paid through treasury",
                cells.yes_no(requisition.status == "paid") if requisition else cells.NOTHING,
            ),
            Fact("Description", cells.text(row.description), wide=True),
        )


@admin.register(ServiceCharge)
class ChargeAdmin(RecordAdmin):
    list_display = ("date", "owner", "kind", "amount_figure", "description", "period", "state")
    list_filter = (
        by("kind"),
        seen("association"),
        seen("period"),
        between("date"),
        between("recorded_at"),
    )
    list_select_related = ("owner", "period", "association")
    related = ("owner", "reading", "instalment")
    search_fields = ("owner__name", "description", "period__name")
    steps, export = record_steps.CHARGE, CHARGES

    def facts(self, row: ServiceCharge) -> tuple[Fact, ...]:
        return (
            Fact("Owner", cells.link(row.owner)),
            Fact("Kind", cells.text(row.get_kind_display())),
            Fact("Reading", cells.link(row.reading)),
            Fact("For", cells.text(row.description), wide=True),
        )


@admin.register(BudgetItem)
class BudgetItemAdmin(SeenAdmin):
    scope = "association__"
    list_display = ("payment_type", "period", "budgeted_cost_figure", "strategy_badge", "billing")
    list_filter = (
        by("allocation_strategy"),
        seen("association"),
        seen("period"),
        between("recorded_at"),
    )
    list_select_related = ("period", "association")
    search_fields = ("payment_type", "period__name")
    amount_fields = ("budgeted_cost",)
    steps = record_steps.ITEM
    budgeted_cost_figure = amount_column("budgeted_cost", title="budget", currency=_currency)
    strategy_badge = badge_column("allocation_strategy", {}, title="shared")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetItem]:
        rows: QuerySet[BudgetItem] = super().get_queryset(request)
        return rows.select_related("period", "association__company", "recorded_by")

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        scope = ", ".join(unit.label for unit in row.scope.all()) or "all active properties"
        percent = row.base_percent
        facts = (
            Fact("Period", cells.link(row.period)),
            Fact("Budget", cells.amount(row.budgeted_cost, _currency(row))),
            Fact("Shared", cells.text(row.get_allocation_strategy_display())),
            Fact("By share first", cells.text(f"{percent.normalize():f} %" if percent else None)),
            Fact("Where nothing was consumed", cells.text(row.get_fallback_display())),
            Fact("Readings are", cells.text(row.get_billing_display())),
            Fact("Among", cells.text(scope), wide=True),
        )
        expenses = tables.expenses_panel(row.expenses.all(), _currency(row))
        return Page(
            f"{row.payment_type}, {row.period}",
            panels=(Panel("Budget item", facts), expenses, history([row.reference], _company(row))),
        )
