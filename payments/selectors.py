"""What payments can be asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from ledger.access import visible
from ledger.models import User
from payments.models import GatewayRequest, GatewayResponse, Provider


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a gateway as one thing: what was sent, and what was answered if anything was.

    Both bodies are redacted text. Without an answer ``http_status`` and ``answered_at`` are None and
    ``error`` is empty: the call is on its way, or the process died in it.
    """

    request_id: UUID
    subject: str
    operation: str
    method: str
    url: str
    request_body: str
    requested_at: datetime
    http_status: int | None
    response_body: str
    error: str
    duration_ms: int | None
    answered_at: datetime | None


def exchanges_of(*subjects: str) -> list[Exchange]:
    """Return every call made for the subjects (``treasury.attempt:<uuid>``), oldest first."""
    requests = GatewayRequest.objects.filter(subject__in=subjects).select_related("response")
    return [_exchange(request) for request in requests.order_by("at", "id")]


def _exchange(request: GatewayRequest) -> Exchange:
    response: GatewayResponse | None = getattr(request, "response", None)
    return Exchange(
        request_id=request.pk,
        subject=request.subject,
        operation=request.operation,
        method=request.method,
        url=request.url,
        request_body=request.body,
        requested_at=request.at,
        http_status=response.http_status if response else None,
        response_body=response.body if response else "",
        error=response.error if response else "",
        duration_ms=response.duration_ms if response else None,
        answered_at=response.at if response else None,
    )


def provider_for(company_id: UUID, kind: Provider.Kind) -> Provider | None:
    """Return the company's active provider of this kind, stopped or not, or None."""
    return Provider.objects.filter(company_id=company_id, kind=kind, active=True).first()


def providers_seen_by(user: User) -> QuerySet[Provider]:
    """Providers of the companies that the user works for, with their banks; no credential is read."""
    rows = Provider.objects.select_related("bank").defer("credentials", "token", "certificate")
    return visible(rows, user, by_company_only=True)
