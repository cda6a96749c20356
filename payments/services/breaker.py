"""The circuit breaker of a provider: after several calls in a row without an answer it rests for a while.

Its state stands in the provider's row, so that all workers share it. What waits keeps waiting and loses
nothing; when the rest is over one call at a time is let through, the probe, and an answer closes the breaker
by itself. A provider that refuses us is another matter: it is stopped until a person resumes it.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import DateTimeField, DurationField, F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from ledger.alerts import mail_alert
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
        until = database_now() + rest_after(many)
        # Never earlier than a probe on its way may take.
        row.update(rests_until=Greatest("rests_until", Value(until, DateTimeField())))
    if many == OPENS_AFTER:
        name = str(provider)
        after_commit(lambda: _alert(name))


def open_providers() -> QuerySet[Provider]:
    """Return the providers whose breaker is open: they are called by probes alone."""
    return Provider.objects.filter(unanswered__gte=OPENS_AFTER)


def take_probe(provider_id: UUID, *, lease: timedelta) -> bool:
    """Take the one probe of an open provider whose rest is over, within the caller's transaction.

    One conditional statement: of several workers one gets it, and until it has noted its call or ``lease``
    is over the others find a provider that rests.
    """
    require_transaction()
    over = Q(rests_until=None) | Q(rests_until__lte=DatabaseClock())
    until = DatabaseClock() + Value(lease, DurationField())
    return open_providers().filter(over, pk=provider_id).update(rests_until=until) == 1


def rest_after(unanswered: int) -> timedelta:
    """Return how long the provider rests after so many calls in a row without an answer."""
    doublings = min(max(unanswered - OPENS_AFTER, 0), 10)
    rest: timedelta = FIRST_REST * (1 << doublings)
    return min(rest, LONGEST_REST)


def resting() -> QuerySet[Provider]:
    """Return the providers that are not called just now."""
    return Provider.objects.filter(rests_until__gt=DatabaseClock())


def halted(*, company_id: UUID, currency: str) -> QuerySet[Provider]:
    """Return the company's active providers for a currency that are stopped, or are not called just now."""
    return Provider.objects.filter(
        ~Q(stopped_at=None) | Q(rests_until__gt=DatabaseClock()),
        company=company_id,
        currency__in=("", currency),
        active=True,
    )


def _alert(name: str) -> None:
    """Mail that a breaker has opened; a mail that is lost takes nothing with it, ``/health/`` says it too."""
    alerts.error("%s does not answer and rests", name)
    mail_alert(
        "a provider does not answer",
        f"{OPENS_AFTER} calls in a row to {name} had no answer. It is called by one probe at a time now, with"
        f" pauses of up to {LONGEST_REST // timedelta(minutes=1)} minutes, until it answers.\n"
        "Payments that wait for it keep waiting; nothing is lost and nothing is sent twice.\n",
    )
