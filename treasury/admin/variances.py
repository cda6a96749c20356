"""Variances: the payee got another amount than the books say."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.books import journal_link
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.requests import user_of
from ledger.money import Money
from ledger.roles import Role
from treasury.admin import fund_steps, tones
from treasury.authority import delegated_roles
from treasury.exports import VARIANCES
from treasury.models import VarianceAdjustment


@admin.register(VarianceAdjustment)
class VarianceAdmin(SeenAdmin):
    scope = "payment__fund__"
    export = VARIANCES
    list_display = (
        "payee",
        "original_amount_figure",
        "adjusted_amount_figure",
        "variance_amount_figure",
        "status_badge",
        "recorded_by",
        "created_at_shown",
    )
    list_filter = (
        by("status"),
        seen("company"),
        seen("payment__fund"),
        between("created_at", "recorded"),
        between("approved_at"),
    )
    search_fields = (
        "payment__requisition__payee_name",
        "payment__fund__name",
        "reason",
        "recorded_by__username",
        "variance_id__istartswith",
        "payment__payment_id__istartswith",
    )
    amount_fields = ("original_amount", "adjusted_amount", "variance_amount")
    date_hierarchy = "created_at"
    steps = fund_steps.VARIANCE
    payee = column(
        lambda row: cells.Text(row.payment.requisition.payee_name),
        title="payee",
        order="payment__requisition__payee_name",
        name="payee",
    )
    original_amount_figure = amount_column("original_amount", title="original")
    adjusted_amount_figure = amount_column("adjusted_amount", title="adjusted")
    variance_amount_figure = amount_column("variance_amount", title="difference")
    status_badge = badge_column("status", tones.VARIANCE)
    created_at_shown = instant_column("created_at", title="recorded")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VarianceAdjustment]:
        rows: QuerySet[VarianceAdjustment] = super().get_queryset(request)
        return rows.select_related(
            "payment__requisition",
            "payment__fund",
            "company",
            "recorded_by",
            "approved_by",
            "rejected_by",
            "journal_entry",
        )

    def roles_at(self, request: HttpRequest, row: Any) -> frozenset[Role]:
        """The person's own roles, and those that colleagues delegated to him today."""
        own = super().roles_at(request, row)
        return own | delegated_roles(user_of(request), self.place_of(row))

    def in_short(self, row: VarianceAdjustment) -> str:
        payee = row.payment.requisition.payee_name
        return f"{payee}: {Money(row.variance_amount, row.currency)}. {row.reason}"

    def page_for(self, request: HttpRequest, row: VarianceAdjustment) -> Page:
        subjects = (f"treasury.variance:{row.pk}", f"treasury.payment:{row.payment_id}")
        return Page(
            f"{Money(row.variance_amount, row.currency)} for {row.payment.requisition.payee_name}",
            badges=(tones.status_badge(row, tones.VARIANCE),),
            panels=(Panel("Variance", _facts(row)), history(subjects, row.company)),
        )


def _facts(row: VarianceAdjustment) -> tuple[Fact, ...]:
    company = row.company
    effect = "takes money from the fund" if row.variance_amount > 0 else "returns money to the fund"
    facts = [
        Fact("Payment", cells.link(row.payment)),
        Fact("Fund", cells.link(row.payment.fund)),
        Fact("The books said", cells.amount(row.original_amount, row.currency)),
        Fact("The payee got", cells.amount(row.adjusted_amount, row.currency)),
        Fact("Difference", cells.amount(row.variance_amount, row.currency)),
        Fact("Effect when approved", cells.text(effect)),
        Fact("Recorded by", cells.text(row.recorded_by)),
        Fact("Recorded", cells.instant(row.created_at, company)),
        Fact("Approved by", cells.text(row.approved_by)),
        Fact("Approved", cells.instant(row.approved_at, company)),
        Fact("Journal entry", journal_link(row.journal_entry)),
        Fact("Reason", cells.text(row.reason), wide=True),
    ]
    if row.rejected_by:
        facts += [
            Fact("Rejected by", cells.text(row.rejected_by)),
            Fact("Why it was rejected", cells.text(row.rejection_reason), wide=True),
        ]
    return tuple(facts)
