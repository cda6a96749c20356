"""The fund ledger: what entered and left each fund, why, and whether it was reconciled."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from ledger.access import visible
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.books import journal_link
from ledger.admin.cells import Badge, Cell
from ledger.admin.columns import amount_column, column, instant_column
from ledger.admin.filters import between
from ledger.admin.pages import Fact, Page, Panel
from ledger.admin.requests import user_of
from ledger.money import Money
from treasury.exports import FUND_LINES
from treasury.models import FundLine, Payment
from treasury.selectors import fund_lines, funds_seen_by

KINDS = {
    "debit": Badge("Debit: money out", "busy"),
    "credit": Badge("Credit: money in", "good"),
    "adjustment": Badge("Adjustment", "careful"),
}


class ByKind(DropdownFilter):
    title = "entry type"
    parameter_name = "entry_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(kind, badge.text) for kind, badge in KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(entry_type=self.value()) if self.value() in KINDS else queryset


class ByReconciled(DropdownFilter):
    title = "reconciled"
    parameter_name = "reconciled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("yes", "Reconciled"), ("no", "Not reconciled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(is_reconciled=self.value() == "yes")


class ByFund(DropdownFilter):
    title = "fund"
    parameter_name = "fund"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(str(fund.pk), str(fund)) for fund in funds_seen_by(user_of(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {key for key, _ in self.lookup_choices}
        if not self.value():
            return queryset
        return queryset.filter(fund_id=self.value()) if self.value() in known else queryset.none()


def kind(line: Any) -> Badge:
    return KINDS[line.entry_type]


def reconciled(line: Any) -> Cell:
    """Whether the payment that a line belongs to was reconciled; nothing else ever is."""
    if line.execution_id is None:
        return cells.NOTHING
    return Badge("Reconciled", "good") if line.is_reconciled else Badge("Not reconciled")


@admin.register(FundLine)
class FundLineAdmin(SeenAdmin):
    scope = "account__fund__"
    export = FUND_LINES
    list_display = (
        "fund",
        "kind",
        "description",
        "amount_figure",
        "balance_after_figure",
        "reconciled",
        "posted_at_shown",
    )
    list_filter = (ByKind, ByReconciled, ByFund, between("effective_on"), between("posted_at"))
    search_fields = (
        "account__fund__name",
        "journal_entry__description",
        "journal_entry__reference",
        "journal_entry__payment_execution__payment__requisition__payee_name",
    )
    amount_fields = ("amount",)
    date_hierarchy = "effective_on"
    fund = column(
        lambda line: cells.Text(line.account.fund.name),
        title="fund",
        order="account__fund__name",
        name="fund",
    )
    kind = column(kind, title="entry type", order="entry_type", name="kind")
    description = column(
        lambda line: cells.Text(line.journal_entry.description),
        title="description",
        order="journal_entry__description",
        name="description",
    )
    amount_figure = amount_column("amount")
    balance_after_figure = amount_column("balance_after", order=None)
    reconciled = column(reconciled, title="reconciled", order="is_reconciled", name="reconciled")
    posted_at_shown = instant_column("posted_at", title="posted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundLine]:
        rows = fund_lines(FundLine.objects.select_related("company", "account__fund"))
        rows = rows.select_related("company", "account__fund", "journal_entry")
        return visible(rows, user_of(request), prefix=self.scope)

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        payment = (
            Payment.objects.select_related("requisition")
            .filter(execution__pk=row.execution_id)
            .first()
        )
        facts = (
            Fact("Fund", cells.link(row.account.fund)),
            Fact("Entry type", kind(row)),
            Fact("Amount", cells.amount(row.amount, row.currency)),
            Fact("Balance after", cells.amount(row.balance_after, row.currency)),
            Fact("Payment", cells.link(payment)),
            Fact("Reconciled", reconciled(row)),
            Fact("Reconciled at", cells.instant(row.reconciled_at, row.company)),
            Fact("Effective", cells.day(row.effective_on)),
            Fact("Posted", cells.instant(row.posted_at, row.company)),
            Fact("Journal entry", journal_link(row.journal_entry)),
            Fact("Side in the books", cells.text(row.get_side_display())),
        )
        title = f"{Money(row.amount, row.currency)}: {row.journal_entry.description}"
        return Page(title, badges=(kind(row),), panels=(Panel("Fund ledger line", facts),))
