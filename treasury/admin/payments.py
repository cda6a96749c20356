"""Payments: each on one page, from what was asked for to what was reconciled."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.books import journal_link
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.live import LiveAdmin, live_status_column, watched
from ledger.admin.pages import Fact, Page, Panel
from ledger.encryption import mask
from ledger.money import Money
from treasury.admin import payment_steps, tones
from treasury.admin.finding import by_destination
from treasury.admin.payment_page import payment_panels
from treasury.exports import EXECUTIONS, PAYMENTS
from treasury.methods import Method
from treasury.models import Payment, PaymentExecution, Reconciliation


@admin.register(Payment)
class PaymentAdmin(LiveAdmin):
    live_tones = tones.PAYMENT
    scope = "fund__"
    own_company = True
    export = PAYMENTS
    list_display = (
        "payee",
        "amount_figure",
        "status_badge",
        "method_badge",
        "destination_masked",
        "fund",
        "executor",
        "created_at_shown",
    )
    list_filter = (
        by("status"),
        by("method"),
        seen("fund"),
        seen("company"),
        between("created_at", "made"),
        between("execution__created_at", "executed"),
        between("due_on", "goes out"),
    )
    search_fields = (
        "requisition__payee_name",
        "requisition__purpose",
        "fund__name",
        "execution__gateway_reference",
        "executor__username",
        "payment_id__istartswith",
    )
    amount_fields = ("amount",)
    steps = payment_steps.STEPS
    payee = column(
        lambda row: cells.Text(row.requisition.payee_name),
        title="payee",
        order="requisition__payee_name",
        name="payee",
    )
    destination_masked = column(
        # Where cash is handed over is no number that could be misused.
        lambda row: cells.text(
            row.destination if row.method == Method.CASH else mask(row.destination)
        ),
        title="destination",
        name="destination_masked",
    )
    amount_figure = amount_column("amount")
    status_badge = live_status_column(tones.PAYMENT)
    method_badge = badge_column("method", tones.METHOD)
    created_at_shown = instant_column("created_at", title="made")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        rows: QuerySet[Payment] = super().get_queryset(request)
        return rows.select_related(
            "requisition__fund__company",
            "requisition__company",
            "requisition__requested_by",
            "fund__account",
            "fund__company",
            "company",
            "executor",
            "created_by",
            "scheduled_by",
        )

    def also_found(self, asked: str) -> Q:
        return super().also_found(asked) | by_destination(asked)

    def in_short(self, row: Payment) -> str:
        amount, payee = Money(row.amount, row.currency), row.requisition.payee_name
        return f"{amount} by {row.get_method_display()} to {payee}, {row.destination}"

    def page_for(self, request: HttpRequest, row: Payment) -> Page:
        incidents = tuple(
            f"{found.get_kind_display()}: {found.detail}" for found in row.incidents.all()
        )
        return Page(
            f"{Money(row.amount, row.currency)} to {row.requisition.payee_name}",
            badges=(watched(row, tones.PAYMENT), tones.method_badge(row)),
            notices=incidents,
            panels=payment_panels(row),
        )


class OfPayment(SeenAdmin):
    """A row that belongs to a payment; the payment's page shows it in full."""

    scope = "payment__fund__"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentExecution]:
        rows: QuerySet[PaymentExecution] = super().get_queryset(request)
        return rows.select_related("payment__requisition", "payment__company")


def _amount(row: PaymentExecution | Reconciliation) -> cells.Cell:
    return cells.amount(row.payment.amount, row.payment.currency)


def _payee(row: PaymentExecution | Reconciliation) -> cells.Cell:
    return cells.Text(row.payment.requisition.payee_name)


@admin.register(PaymentExecution)
class ExecutionAdmin(OfPayment):
    export = EXECUTIONS
    list_display = (
        "payee",
        "amount_figure",
        "executor",
        "gateway_reference",
        "gateway_status",
        "ip_address",
        "created_at_shown",
    )
    list_filter = (by("payment__method"), seen("payment__fund"), between("created_at", "executed"))
    list_select_related = ("payment__requisition", "payment__company", "executor")
    search_fields = (
        "payment__requisition__payee_name",
        "payment__fund__name",
        "gateway_reference",
        "executor__username",
        "payment__payment_id__istartswith",
    )
    amount_fields = ("payment__amount",)
    payee = column(_payee, title="payee", order="payment__requisition__payee_name", name="payee")
    amount_figure = column(_amount, title="amount", order="payment__amount", name="amount_figure")
    created_at_shown = instant_column(
        "created_at", title="executed", company=lambda row: row.payment.company
    )

    def page_for(self, request: HttpRequest, row: PaymentExecution) -> Page:
        return Page(
            f"Execution of {Money(row.payment.amount, row.payment.currency)}",
            panels=(Panel("Execution", execution_facts(row)),),
        )


def execution_facts(row: PaymentExecution) -> tuple[Fact, ...]:
    company = row.payment.company
    return (
        Fact("Payment", cells.link(row.payment)),
        Fact("Executed by", cells.text(row.executor)),
        Fact("Executed", cells.instant(row.created_at, company)),
        Fact("Gateway's reference", cells.text(row.gateway_reference)),
        Fact("Gateway's status", cells.text(row.gateway_status)),
        Fact("Code verified by", cells.text(row.otp_verified_by)),
        Fact("Code verified", cells.instant(row.otp_verified_at, company)),
        Fact("Address", cells.text(row.ip_address)),
        Fact("Journal entry", journal_link(row.journal_entry)),
        Fact("Browser or program", cells.text(row.user_agent), wide=True),
    )


@admin.register(Reconciliation)
class ReconciliationAdmin(OfPayment):
    list_display = ("payee", "amount_figure", "reconciled_by", "note", "reconciled_at_shown")
    list_filter = (seen("payment__fund"), between("reconciled_at"))
    list_select_related = ("payment__requisition", "payment__company", "reconciled_by")
    search_fields = (
        "payment__requisition__payee_name",
        "payment__fund__name",
        "note",
        "reconciled_by__username",
    )
    amount_fields = ("payment__amount",)
    payee = column(_payee, title="payee", order="payment__requisition__payee_name", name="payee")
    amount_figure = column(_amount, title="amount", order="payment__amount", name="amount_figure")
    reconciled_at_shown = instant_column(
        "reconciled_at", title="reconciled", company=lambda row: row.payment.company
    )

    def page_for(self, request: HttpRequest, row: Reconciliation) -> Page:
        company = row.payment.company
        facts = (
            Fact("Payment", cells.link(row.payment)),
            Fact("Reconciled by", cells.text(row.reconciled_by)),
            Fact("Reconciled", cells.instant(row.reconciled_at, company)),
            Fact("Note", cells.text(row.note), wide=True),
        )
        title = f"Reconciliation of {Money(row.payment.amount, row.payment.currency)}"
        return Page(title, panels=(Panel("Reconciliation", facts),))
