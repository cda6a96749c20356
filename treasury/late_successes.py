"""Which successes after a failure still stand against the books."""

from django.db.models import Exists, OuterRef, QuerySet

from treasury.models import Incident, LateSuccess

CONFIRMED = LateSuccess.objects.filter(incident=OuterRef("pk"), confirmed_at__isnull=False)


def not_returned(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Return the late successes among the incidents whose money did not come back."""
    returned = CONFIRMED.filter(outcome=LateSuccess.Outcome.RETURNED)
    return incidents.filter(~Exists(returned), kind=Incident.Kind.LATE_SUCCESS)


def undecided(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Return the late successes among the incidents that two people have not ended yet, oldest first."""
    rows = incidents.filter(~Exists(CONFIRMED), kind=Incident.Kind.LATE_SUCCESS)
    return rows.select_related("attempt").order_by("at", "incident_id")
