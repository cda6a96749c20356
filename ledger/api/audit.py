"""The audit trail, to read."""

import django_filters

from ledger.api.filters import InstantFrom, InstantTo
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import AuditEventSerializer
from ledger.models import AuditEvent
from ledger.selectors import audit_events_seen_by


class AuditFilter(django_filters.FilterSet):
    company = django_filters.UUIDFilter("company_id")
    actor = django_filters.UUIDFilter("actor_id")
    subject = django_filters.CharFilter("subject")
    action = django_filters.CharFilter("action")
    outcome = django_filters.ChoiceFilter(choices=AuditEvent.Outcome.choices)
    code = django_filters.CharFilter("code")
    request_id = django_filters.CharFilter("request_id")
    at_from = InstantFrom("at")
    at_to = InstantTo("at")


class AuditList(Listing):
    """List what happened and what was refused, newest first."""

    rows = staticmethod(audit_events_seen_by)
    Output = AuditEventSerializer
    filterset_class = AuditFilter
    ordering = ("-at", "-id")
    ordering_fields = ("at",)


class AuditDetail(Showing):
    """Show one event of the audit trail."""

    rows, Output, key = staticmethod(audit_events_seen_by), AuditEventSerializer, "event_id"
