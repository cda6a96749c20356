"""The janitor: it looks after every attempt whose outcome is not known, and never guesses.

One pass may run beside another, or be cut off anywhere: each step is its own transaction, looks again under
the locks, and leaves what others work on alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DurationField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command
from payments.models import Provider
from treasury import locks, schedule
from treasury.dates import Today
from treasury.models import Enquiry, PaymentAttempt
from treasury.services import outcomes
from treasury.services.dispatching import accepted_for
from treasury.services.enquiries import apply_answers, ask_about_due
from treasury.services.passes import for_each
from treasury.states import AttemptState

AT_ONCE = 50
BY_FILE = Q(provider__kind=Provider.Kind.BANK)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did, in numbers of attempts (answers, for ``applied``)."""

    doubted: int
    applied: int
    reviewed: int
    asked: int


def run_janitor(*, actor: Actor, today: Today) -> Pass:
    """Look once after everything that is due: doubt, apply answers, put before people, ask."""
    doubted = for_each(_ids(_overdue()), lambda pk: _doubt_if_overdue(actor=actor, attempt_id=pk))
    applied = apply_answers(actor=actor, today=today)
    reviewed = for_each(_ids(_doubtful_for_long()), lambda pk: _review(actor=actor, attempt_id=pk))
    asked = ask_about_due(actor=actor, today=today, most=AT_ONCE)
    return Pass(doubted, applied, reviewed, asked)


def _ids(rows: QuerySet[PaymentAttempt]) -> list[UUID]:
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE])


def _overdue() -> QuerySet[PaymentAttempt]:
    """Calls whose worker is silent, and acceptances without a result."""
    silent = Q(state=AttemptState.SENDING, lease_until__lt=DatabaseClock())
    too_long = Q(~BY_FILE, state=AttemptState.ACCEPTED, accepted_at__lt=_ago(accepted_for()))
    unreported = Q(
        BY_FILE,
        state=AttemptState.ACCEPTED,
        accepted_at__lt=DatabaseClock() - F("provider__bank__acceptance_window"),
    )
    return PaymentAttempt.objects.filter(silent | too_long | unreported)


def _doubtful_for_long() -> QuerySet[PaymentAttempt]:
    """Doubt, or fruitless sending, that has lasted a day.

    After an outage of ours a question or a sending may be overdue that would end it: that comes first. A bank
    cannot be asked.
    """
    ago = _ago(schedule.LONGEST_DOUBT)
    asked_since = Enquiry.objects.filter(
        attempt=OuterRef("pk"),
        sent_at__gt=OuterRef("unknown_since") + _span(schedule.LONGEST_DOUBT),
    )
    waiting = Q(next_query_at__gt=DatabaseClock())
    doubtful = Q(
        waiting | Exists(asked_since) | BY_FILE, state=AttemptState.UNKNOWN, unknown_since__lt=ago
    )
    unsent = Q(waiting, state=AttemptState.SENDING, call_began_at=None, created_at__lt=ago)
    return PaymentAttempt.objects.filter(doubtful | unsent)


def _ago(age: timedelta) -> CombinedExpression:
    return DatabaseClock() - _span(age)


def _span(length: timedelta) -> Value:
    return Value(length, output_field=DurationField())


@command("attempt.doubt")
def _doubt_if_overdue(*, actor: Actor, attempt_id: UUID) -> bool:
    attempt = locks.lock_attempt(attempt_id)
    since, wait, said = _doubtful_from(attempt)
    if since is None or since + wait >= database_now():
        return False
    outcomes.doubt(attempt, said=said, actor=actor)
    return True


def _doubtful_from(attempt: PaymentAttempt) -> tuple[datetime | None, timedelta, str]:
    """Return from when, and after how long, the attempt is in doubt, and why; None where it is not."""
    if attempt.state == AttemptState.SENDING:
        return attempt.lease_until, timedelta(0), "The worker did not come back from the call."
    if attempt.state == AttemptState.ACCEPTED and attempt.provider.kind == Provider.Kind.BANK:
        window = attempt.provider.bank.acceptance_window
        return attempt.accepted_at, window, "The bank has reported nothing about it in time."
    if attempt.state == AttemptState.ACCEPTED:
        return attempt.accepted_at, accepted_for(), "Accepted, and no result came in time."
    return None, timedelta(0), ""


@command("attempt.review")
def _review(*, actor: Actor, attempt_id: UUID) -> bool:
    attempt = locks.lock_attempt(attempt_id)
    if attempt.state not in {AttemptState.UNKNOWN, AttemptState.SENDING}:
        return False
    if attempt.state == AttemptState.SENDING and attempt.call_began_at is not None:
        return False
    said = "What became of it could not be learnt within a day."
    outcomes.put_in_review(attempt, said=said, actor=actor)
    return True
