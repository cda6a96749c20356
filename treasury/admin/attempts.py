"""What went to and fro with gateways for payments: attempts, callbacks, incidents."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge
from ledger.admin.columns import amount_column, badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from treasury.admin import tones
from treasury.admin.payment_page import attempt_panels
from treasury.models import Callback, Incident, PaymentAttempt


def _payee(row: PaymentAttempt | Incident) -> cells.Cell:
    return cells.Text(row.payment.requisition.payee_name)


@admin.register(PaymentAttempt)
class AttemptAdmin(SeenAdmin):
    scope = "payment__fund__"
    list_display = (
        "payee",
        "number",
        "amount_figure",
        "state_badge",
        "provider",
        "gateway_reference",
        "created_at_shown",
    )
    list_filter = (
        by("state"),
        seen("provider"),
        seen("payment__fund"),
        between("created_at", "reserved"),
        between("finished_at"),
    )
    search_fields = (
        "payment__requisition__payee_name",
        "payment__fund__name",
        "gateway_reference",
        "conversation",
        "reference__istartswith",
        "payment__payment_id__istartswith",
    )
    amount_fields = ("amount",)
    payee = column(_payee, title="payee", order="payment__requisition__payee_name", name="payee")
    amount_figure = amount_column("amount")
    state_badge = badge_column("state", tones.ATTEMPT)
    created_at_shown = instant_column(
        "created_at", title="reserved", company=lambda row: row.payment.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentAttempt]:
        rows: QuerySet[PaymentAttempt] = super().get_queryset(request)
        return rows.select_related(
            "payment__requisition", "payment__company", "provider", "executor"
        )

    def page_for(self, request: HttpRequest, row: PaymentAttempt) -> Page:
        payment = Panel("Payment", facts=(Fact("Payment", cells.link(row.payment)),))
        return Page(
            f"Attempt {row.number} for {row.payment.requisition.payee_name}",
            badges=(Badge(row.get_state_display(), tones.ATTEMPT.get(row.state, "quiet")),),
            panels=(
                payment,
                *attempt_panels(row.payment, [row]),
                history([row.subject], row.payment.company),
            ),
        )


def trusted_badge(row: Callback) -> Badge:
    return Badge("Right address", "good") if row.trusted else Badge("Wrong address", "bad")


@admin.register(Callback)
class CallbackAdmin(SeenAdmin):
    scope = "attempt__payment__fund__"
    list_display = ("says", "address", "attempt_number", "ip_address", "received_at_shown")
    list_filter = ("trusted", seen("attempt__provider"), between("received_at"))
    search_fields = ("says", "attempt__payment__payment_id__istartswith", "attempt__conversation")
    address = column(trusted_badge, title="address", order="trusted", name="address")
    attempt_number = column(
        lambda row: cells.Text(str(row.attempt)), title="attempt", name="attempt_number"
    )
    received_at_shown = instant_column(
        "received_at", title="received", company=lambda row: row.attempt.payment.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        rows: QuerySet[Callback] = super().get_queryset(request)
        return rows.select_related("attempt__payment__company")

    def page_for(self, request: HttpRequest, row: Callback) -> Page:
        payment = row.attempt.payment
        facts = (
            Fact("Attempt", cells.link(row.attempt)),
            Fact("Payment", cells.link(payment)),
            Fact("Address", trusted_badge(row)),
            Fact("From", cells.text(row.ip_address)),
            Fact("Received", cells.instant(row.received_at, payment.company)),
            Fact("Size", cells.text(f"{len(row.body):,} bytes")),
            Fact("Says", cells.text(row.says), wide=True),
            Fact("SHA-256", cells.Code(row.body_hash), wide=True),
        )
        return Page("Callback", badges=(trusted_badge(row),), panels=(Panel("Callback", facts),))


@admin.register(Incident)
class IncidentAdmin(SeenAdmin):
    scope = "payment__fund__"
    list_display = ("kind_badge", "payee", "detail", "at_shown")
    list_filter = (by("kind"), seen("payment__fund"), between("at", "when"))
    search_fields = ("detail", "payment__requisition__payee_name", "payment__fund__name")
    kind_badge = badge_column("kind", dict.fromkeys(Incident.Kind.values, "bad"))
    payee = column(_payee, title="payee", order="payment__requisition__payee_name", name="payee")
    at_shown = instant_column("at", title="when", company=lambda row: row.payment.company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        rows: QuerySet[Incident] = super().get_queryset(request)
        return rows.select_related("payment__requisition", "payment__company", "attempt")

    def page_for(self, request: HttpRequest, row: Incident) -> Page:
        facts = (
            Fact("Payment", cells.link(row.payment)),
            Fact("Attempt", cells.link(row.attempt)),
            Fact("When", cells.instant(row.at, row.payment.company)),
            Fact("What", cells.text(row.detail), wide=True),
        )
        return Page(row.get_kind_display(), panels=(Panel("Incident", facts),))
