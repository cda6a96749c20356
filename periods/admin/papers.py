"""Statements, and what owners are asked to pay."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.columns import amount_column, instant_column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from periods.admin import record_steps
from periods.models import InstalmentPlan, Statement
from periods.pages.owner import pdf_answer

SHOWN = 200


def _currency(row: Any) -> str:
    return str(row.association.currency)


def _company(row: Any) -> Any:
    return row.association.company


@admin.register(Statement)
class StatementAdmin(SeenAdmin):
    scope = "association__"
    list_display = ("number", "owner", "period", "closing_figure", "email", "sent_at_shown")
    list_filter = (seen("association"), seen("period"), between("issued_at"), between("sent_at"))
    list_select_related = ("owner", "period", "association__company")
    search_fields = ("owner__name", "period__name", "email")
    ordering = ("-number",)
    amount_fields = ("closing",)
    closing_figure = amount_column("closing", currency=_currency)
    sent_at_shown = instant_column("sent_at", title="sent", company=_company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        rows: QuerySet[Statement] = super().get_queryset(request)
        related = ("owner", "period__association", "association__company", "sheet", "issued_by")
        return rows.select_related(*related).defer("facts", "sheet__document")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.pdf)
        return [path("<uuid:pk>/pdf/", view, name="periods_statement_pdf"), *super().get_urls()]

    def pdf(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Download the statement, as it was issued."""
        row = self.row_or_404(request, str(pk))
        return pdf_answer(row.period, row.owner)

    def page_for(self, request: HttpRequest, row: Statement) -> Page:
        pdf = reverse("admin:periods_statement_pdf", args=[row.pk])
        facts = (
            Fact("Owner", cells.link(row.owner)),
            Fact("Period", cells.link(row.period)),
            Fact("Balance sheet", cells.link(row.sheet, f"Version {row.sheet.version}")),
            Fact("Closing", cells.amount(row.closing, _currency(row))),
            Fact("Issued by", cells.text(row.issued_by)),
            Fact("Issued", cells.instant(row.issued_at, _company(row))),
            Fact("To", cells.text(row.email or "no address")),
            Fact("Sent", cells.instant(row.sent_at, _company(row))),
            Fact("As a file", cells.Link("Download the PDF", pdf)),
        )
        return Page(f"Statement {row}", panels=(Panel("Statement", facts),))


@admin.register(InstalmentPlan)
class InstalmentPlanAdmin(SeenAdmin):
    scope = "association__"
    list_display = (
        "description",
        "period",
        "amount_figure",
        "instalments",
        "recorded_at_shown",
        "withdrawn_at_shown",
    )
    list_filter = (seen("association"), seen("period"), between("recorded_at"))
    list_select_related = ("period", "association__company")
    search_fields = ("description", "period__name")
    amount_fields = ("amount",)
    steps = record_steps.PLAN
    amount_figure = amount_column("amount", currency=_currency)
    recorded_at_shown = instant_column("recorded_at", title="asked", company=_company)
    withdrawn_at_shown = instant_column("withdrawn_at", title="withdrawn", company=_company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstalmentPlan]:
        rows: QuerySet[InstalmentPlan] = super().get_queryset(request)
        return rows.select_related("period", "association__company", "recorded_by", "budget_item")

    def page_for(self, request: HttpRequest, row: Any) -> Page:
        parts = row.parts.select_related("owner").order_by("due_on", "owner__number")
        rows = [
            (
                cells.day(part.due_on),
                cells.link(part.owner),
                cells.text(part.number),
                cells.amount(part.amount, _currency(row)),
            )
            for part in parts[:SHOWN]
        ]
        facts = (
            Fact("Period", cells.link(row.period)),
            Fact("Amount", cells.amount(row.amount, _currency(row))),
            Fact("Instalments", cells.text(row.instalments)),
            Fact("Shared as", cells.link(row.budget_item)),
            Fact("Asked by", cells.text(row.recorded_by)),
            Fact("Withdrawn", cells.instant(row.withdrawn_at, _company(row))),
        )
        table = Table(("Due", "Owner", "No.", "Amount"), rows, frozenset({"Amount"}))
        return Page(
            row.description,
            panels=(
                Panel("Instalments", facts),
                Panel("Due", table=table),
                history([row.reference], _company(row)),
            ),
        )
