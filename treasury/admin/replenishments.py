"""Replenishments: a fund runs low and asks to be filled."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.books import journal_link
from ledger.admin.cells import Badge
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.requests import user_of
from ledger.money import Money
from ledger.roles import Role
from treasury.admin import fund_steps, tones
from treasury.authority import delegated_roles
from treasury.exports import REPLENISHMENTS
from treasury.models import ReplenishmentRequest


def asked_by(row: ReplenishmentRequest) -> cells.Cell:
    return Badge("The fund itself", "busy") if row.auto_triggered else cells.text(row.requested_by)


@admin.register(ReplenishmentRequest)
class ReplenishmentAdmin(SeenAdmin):
    scope = "fund__"
    own_company = True
    export = REPLENISHMENTS
    list_display = (
        "fund",
        "requested_amount_figure",
        "status_badge",
        "asked_by",
        "reason",
        "created_at_shown",
    )
    list_filter = (
        by("status"),
        "auto_triggered",
        seen("fund"),
        seen("company"),
        between("created_at", "asked"),
        between("funded_at"),
    )
    search_fields = ("fund__name", "reason", "requested_by__username", "request_id__istartswith")
    amount_fields = ("requested_amount",)
    date_hierarchy = "created_at"
    steps = fund_steps.REPLENISHMENT
    asked_by = column(asked_by, title="asked by", order="requested_by__username", name="asked_by")
    requested_amount_figure = amount_column("requested_amount", title="amount")
    status_badge = badge_column("status", tones.REPLENISHMENT)
    created_at_shown = instant_column("created_at", title="asked")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplenishmentRequest]:
        rows: QuerySet[ReplenishmentRequest] = super().get_queryset(request)
        return rows.select_related(
            "fund__company", "company", "requested_by", "approved_by", "rejected_by", "funded_by"
        )

    def roles_at(self, request: HttpRequest, row: Any) -> frozenset[Role]:
        """The person's own roles, and those that colleagues delegated to him today."""
        own = super().roles_at(request, row)
        return own | delegated_roles(user_of(request), self.place_of(row))

    def in_short(self, row: ReplenishmentRequest) -> str:
        return f"{Money(row.requested_amount, row.currency)} for {row.fund.name}: {row.reason}"

    def page_for(self, request: HttpRequest, row: ReplenishmentRequest) -> Page:
        return Page(
            f"{Money(row.requested_amount, row.currency)} for {row.fund.name}",
            badges=(tones.status_badge(row, tones.REPLENISHMENT),),
            panels=(
                Panel("Replenishment", _facts(row)),
                history([f"treasury.replenishment:{row.pk}"], row.company),
            ),
        )


def _facts(row: ReplenishmentRequest) -> tuple[Fact, ...]:
    company = row.company
    facts = [
        Fact("Fund", cells.link(row.fund)),
        Fact("Amount", cells.amount(row.requested_amount, row.currency)),
        Fact("The fund held then", cells.amount(row.current_balance, row.currency)),
        Fact("Asked by", asked_by(row)),
        Fact("Asked", cells.instant(row.created_at, company)),
        Fact("Approved by", cells.text(row.approved_by)),
        Fact("Approved", cells.instant(row.approved_at, company)),
        Fact("Funded by", cells.text(row.funded_by)),
        Fact("Funded", cells.instant(row.funded_at, company)),
        Fact("Journal entry", journal_link(row.journal_entry)),
        Fact("Reason", cells.text(row.reason), wide=True),
    ]
    if row.rejected_by:
        facts += [
            Fact("Rejected by", cells.text(row.rejected_by)),
            Fact("Why it was rejected", cells.text(row.rejection_reason), wide=True),
        ]
    return tuple(facts)
