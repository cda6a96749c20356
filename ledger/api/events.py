"""Events, to read: for clients who ask rather than be told."""

from rest_framework import serializers

from ledger.api.fields import InstantField
from ledger.api.filters import AnyOf, CharFilter, FilterSet, InstantFrom, InstantTo, UUIDFilter
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import Output
from ledger.event_kinds import known_kinds
from ledger.models import OutboxEvent
from ledger.selectors import events_seen_by


class EventSerializer(Output):
    """What happened; the very content of a webhook's message."""

    type = serializers.CharField(source="kind", read_only=True)
    timestamp = InstantField(source="occurred_at")
    data = serializers.JSONField(source="payload", read_only=True)  # type: ignore[assignment]

    class Meta:
        model = OutboxEvent
        fields = ("id", "type", "timestamp", "company", "subject", "sequence", "data")


class EventFilter(FilterSet):
    company = UUIDFilter("company_id")
    subject = CharFilter("subject")
    type = AnyOf("kind", [(kind, kind) for kind in known_kinds()])
    since = InstantFrom("occurred_at")
    until = InstantTo("occurred_at")


class EventList(Listing):
    """List events, newest first.

    Whoever polls asks `?ordering=timestamp&since=…` with the timestamp of the last event he has seen less one
    minute, and drops ids that he knows: an event is seen when its transaction has ended, a moment after its
    timestamp. `sequence` counts the events of one subject without a gap.
    """

    rows = staticmethod(events_seen_by)
    Output = EventSerializer
    filterset_class = EventFilter
    ordering = ("-occurred_at", "-id")
    ordering_fields = ("timestamp",)
    ordering_columns = {"timestamp": "occurred_at"}


class EventDetail(Showing):
    """Show one event."""

    rows, Output, key = staticmethod(events_seen_by), EventSerializer, "event_id"
