"""The circuit breaker of a provider: after several calls in a row without an answer it rests for a while.

Its state stands in the provider's row, so that all workers share it. What waits keeps waiting and loses
nothing; when the rest is over the next call is the probe, and an answer closes the breaker by itself. A
provider that refuses us is another matter: it is stopped until a person resumes it.
"""

import logging
from datetime import timedelta

from django.db.models import F, QuerySet

from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, require_transaction
from payments.gateways.outcome import OutcomeClass
from payments.models import Provider

alerts = logging.getLogger("payments.alerts")
# So many calls in a row; then rest so long, twice as long each further time, at most so long.
OPENS_AFTER = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
# Nothing came back, or nobody was there to take it.
UNANSWERED = frozenset({OutcomeClass.RETRYABLE, OutcomeClass.UNKNOWN})


def note_call(provider: Provider, found: OutcomeClass) -> None:
    """Write down within the caller's transaction whether the provider answered a call."""
    require_transaction()
    row = Provider.objects.filter(pk=provider.pk)
    if found not in UNANSWERED:
        row.filter(unanswered__gt=0).update(unanswered=0, rests_until=None)
        return
    row.update(unanswered=F("unanswered") + 1)
    many = row.values_list("unanswered", flat=True).get()
    if many >= OPENS_AFTER:
        row.update(rests_until=database_now() + rest_after(many))
    if many == OPENS_AFTER:
        name = str(provider)
        after_commit(lambda: alerts.error("%s does not answer and rests", name))


def rest_after(unanswered: int) -> timedelta:
    """Return how long the provider rests after so many calls in a row without an answer."""
    doublings = min(max(unanswered - OPENS_AFTER, 0), 10)
    rest: timedelta = FIRST_REST * (1 << doublings)
    return min(rest, LONGEST_REST)


def resting() -> QuerySet[Provider]:
    """Return the providers that are not called just now."""
    return Provider.objects.filter(rests_until__gt=DatabaseClock())
