"""What was sent to gateways and what they answered, redacted before it was stored."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Cell
from ledger.admin.columns import column, instant_column
from ledger.admin.filters import between, seen
from ledger.admin.pages import Fact, Page, Panel
from payments.models import GatewayRequest, GatewayResponse


def answered(row: GatewayRequest) -> Badge:
    """How a call ended, as far as is known."""
    response = getattr(row, "response", None)
    if response is None:
        return Badge("No answer known", "careful")
    return response_badge(response)


def response_badge(row: GatewayResponse) -> Badge:
    fine = row.http_status is not None and row.http_status < 400 and not row.error
    return Badge(row.error or f"HTTP {row.http_status}", "good" if fine else "bad")


def _took(row: GatewayResponse | None) -> Cell:
    return cells.text(f"{row.duration_ms:,} ms" if row else "")


@admin.register(GatewayRequest)
class GatewayRequestAdmin(SeenAdmin):
    scope = "provider__"
    whole_company = True
    list_display = ("operation", "provider", "answered", "subject", "at_shown")
    list_filter = ("operation", seen("provider"), between("at", "sent"))
    search_fields = ("subject", "operation", "url", "body", "request_id")
    date_hierarchy = "at"
    answered = column(answered, title="answered", order="response__http_status", name="answered")
    at_shown = instant_column("at", title="sent", company=lambda row: row.provider.company)

    def get_queryset(self, request: HttpRequest) -> QuerySet[GatewayRequest]:
        rows: QuerySet[GatewayRequest] = super().get_queryset(request)
        return rows.select_related("provider__company", "response")

    def page_for(self, request: HttpRequest, row: GatewayRequest) -> Page:
        response = getattr(row, "response", None)
        company = row.provider.company
        sent = (
            Fact("Provider", cells.link(row.provider)),
            Fact("Sent", cells.instant(row.at, company)),
            Fact("Answered", answered(row)),
            Fact("After", _took(response)),
            Fact("To", cells.text(f"{row.method} {row.url}"), wide=True),
            Fact("For", cells.text(row.subject), wide=True),
            Fact("What was sent", cells.code(row.body), wide=True),
            Fact("What was answered", cells.code(response.body if response else ""), wide=True),
        )
        return Page(row.operation, badges=(answered(row),), panels=(Panel("Call", sent),))


@admin.register(GatewayResponse)
class GatewayResponseAdmin(SeenAdmin):
    scope = "request__provider__"
    whole_company = True
    list_display = ("operation", "said", "provider", "duration_ms", "at_shown")
    list_filter = ("http_status", "error", seen("request__provider"), between("at", "answered"))
    search_fields = ("request__subject", "request__operation", "error", "body")
    date_hierarchy = "at"
    said = column(response_badge, title="answer", order="http_status", name="said")
    operation = column(
        lambda row: cells.Text(row.request.operation),
        title="call",
        order="request__operation",
        name="operation",
    )
    provider = column(
        lambda row: cells.Text(str(row.request.provider)), title="provider", name="provider"
    )
    at_shown = instant_column(
        "at", title="answered", company=lambda row: row.request.provider.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[GatewayResponse]:
        rows: QuerySet[GatewayResponse] = super().get_queryset(request)
        return rows.select_related("request__provider__company")

    def page_for(self, request: HttpRequest, row: GatewayResponse) -> Page:
        facts = (
            Fact("Call", cells.link(row.request)),
            Fact("Answered", cells.instant(row.at, row.request.provider.company)),
            Fact("After", _took(row)),
            Fact("Body", cells.code(row.body), wide=True),
        )
        return Page("Answer", badges=(response_badge(row),), panels=(Panel("Answer", facts),))
