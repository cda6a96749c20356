"""Requisitions: who asks for what, who agreed, on what evidence, and what was paid of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Cell, Link
from ledger.admin.columns import amount_column, badge_column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.admin.requests import user_of
from ledger.money import Money
from ledger.roles import Role
from treasury.admin import requisition_steps, tones
from treasury.admin.attachments import file_url
from treasury.admin.finding import by_destination
from treasury.admin.tables import approvals_table, payments_table
from treasury.authority import delegated_roles
from treasury.exports import REQUISITIONS
from treasury.models import Requisition
from treasury.states import RequisitionStatus


@admin.register(Requisition)
class RequisitionAdmin(SeenAdmin):
    scope = "fund__"
    own_company = True
    export = REQUISITIONS
    list_display = (
        "payee_name",
        "purpose",
        "amount_figure",
        "method_badge",
        "status_badge",
        "fund",
        "requested_by",
        "requested_at_shown",
    )
    list_filter = (
        by("status"),
        by("method"),
        seen("fund"),
        seen("company"),
        between("requested_at"),
        between("approved_at"),
    )
    list_select_related = ("fund", "company", "requested_by")
    search_fields = (
        "payee_name",
        "purpose",
        "fund__name",
        "requested_by__username",
        "requisition_id__istartswith",
    )
    amount_fields = ("amount",)
    creation = requisition_steps.CREATE
    steps = requisition_steps.STEPS
    amount_figure = amount_column("amount")
    method_badge = badge_column("method", tones.METHOD)
    status_badge = badge_column("status", tones.REQUISITION)
    requested_at_shown = instant_column("requested_at", title="requested")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Requisition]:
        rows: QuerySet[Requisition] = super().get_queryset(request)
        return rows.select_related("fund", "company", "requested_by", "rejected_by")

    def also_found(self, asked: str) -> Q:
        return super().also_found(asked) | by_destination(asked)

    def roles_at(self, request: HttpRequest, row: Any) -> frozenset[Role]:
        """The person's own roles, and those that colleagues delegated to him today."""
        own = super().roles_at(request, row)
        return own | delegated_roles(user_of(request), self.place_of(row))

    def in_short(self, row: Requisition) -> str:
        amount = Money(row.amount, row.currency)
        return f"{amount} by {row.get_method_display()} to {row.payee_name}: {row.purpose}"

    def page_for(self, request: HttpRequest, row: Requisition) -> Page:
        return Page(
            f"{Money(row.amount, row.currency)} to {row.payee_name}",
            badges=(tones.status_badge(row, tones.REQUISITION), tones.method_badge(row)),
            notices=(row.payee_note,) if row.payee_note else (),
            panels=(
                Panel("Requisition", requisition_facts(row)),
                approvals_panel(row),
                _attachments(row),
                _payments(row),
                history([f"treasury.requisition:{row.pk}"], row.company),
            ),
        )


def _left(row: Requisition) -> Cell:
    """What may still be paid; nothing is said of what may not be paid yet or never will."""
    payable = row.status in {RequisitionStatus.APPROVED, RequisitionStatus.PAID}
    return cells.amount(row.amount_left, row.currency) if payable else cells.text("")


def requisition_facts(row: Requisition) -> tuple[Fact, ...]:
    facts = [
        Fact("Payee", cells.text(row.payee_name)),
        Fact("Destination", cells.text(row.destination)),
        Fact("Amount", cells.amount(row.amount, row.currency)),
        Fact("Left to pay", _left(row)),
        Fact("Fund", cells.link(row.fund)),
        Fact("Requested by", cells.text(row.requested_by)),
        Fact("Requested", cells.instant(row.requested_at, row.company)),
        Fact("Approved", cells.instant(row.approved_at, row.company)),
        Fact("Version", cells.text(row.version)),
        Fact("Purpose", cells.text(row.purpose), wide=True),
    ]
    if row.source:
        facts.append(Fact("Raised for", cells.text(row.source), wide=True))
    if row.debit_account:
        facts.append(Fact("Booked to", cells.link(row.debit_account)))
    if row.rejected_by:
        facts += [
            Fact("Rejected by", cells.text(row.rejected_by)),
            Fact("Rejected", cells.instant(row.rejected_at, row.company)),
            Fact("Why it was rejected", cells.text(row.rejection_reason), wide=True),
        ]
    if row.cancelled_at:
        facts.append(Fact("Cancelled", cells.instant(row.cancelled_at, row.company)))
    return tuple(facts)


def approvals_panel(row: Requisition) -> Panel:
    approvals = row.all_approvals.select_related("approver", "on_behalf_of")
    return Panel(
        "Approvals",
        table=approvals_table(approvals, row),
        empty="Nobody has approved this yet.",
    )


def _attachments(row: Requisition) -> Panel:
    attachments = row.attachments.select_related("uploaded_by")
    rows = [
        (
            Link(attachment.name, file_url(attachment)),
            cells.text(f"{attachment.size / 1024:,.0f} KB"),
            cells.text(attachment.uploaded_by),
            cells.instant(attachment.uploaded_at, row.company),
            cells.Code(attachment.sha256[:16]),
        )
        for attachment in attachments
    ]
    headings = ("File", "Size", "Brought by", "When", "SHA-256 begins")
    return Panel("Evidence", table=Table(headings, rows), empty="No file was attached.")


def _payments(row: Requisition) -> Panel:
    payments = row.payments.select_related("requisition", "company", "executor")
    return Panel(
        "Payments", table=payments_table(payments), empty="Nothing has been paid of this yet."
    )
