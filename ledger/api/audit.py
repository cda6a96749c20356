"""The audit trail, to read."""

from ledger.api.filters import (
    CharFilter,
    ChoiceFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import AuditEventSerializer
from ledger.exports import AUDIT
from ledger.models import AuditEvent
from ledger.selectors import audit_events_seen_by


class AuditFilter(FilterSet):
    company = UUIDFilter("company_id")
    actor = UUIDFilter("actor_id")
    subject = CharFilter("subject")
    action = CharFilter("action")
    outcome = ChoiceFilter(choices=AuditEvent.Outcome.choices)
    code = CharFilter("code")
    request_id = CharFilter("request_id")
    at_from = InstantFrom("at")
    at_to = InstantTo("at")


class AuditList(Listing):
    """List what happened and what was refused, newest first."""

    rows = staticmethod(audit_events_seen_by)
    Output = AuditEventSerializer
    filterset_class = AuditFilter
    ordering = ("-at", "-id")
    ordering_fields = ("at",)
    export = AUDIT


class AuditDetail(Showing):
    """Show one event of the audit trail."""

    rows, Output, key = staticmethod(audit_events_seen_by), AuditEventSerializer, "event_id"
