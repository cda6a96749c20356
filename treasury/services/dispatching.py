"""Sending an attempt: claim it, call the gateway with no transaction open, write down what it said.

The claim is committed before the wire is touched. Whoever dies after it leaves an attempt whose lease runs
out, and that is then asked about, never sent blindly once more.
"""

import os
import socket
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, F, Q, QuerySet, Value

from ledger.actor import Actor
from ledger.clock import DatabaseClock
from ledger.commands import command
from ledger.encryption import blind_index
from payments.gateways import daraja
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.services import breaker
from payments.services.providers import mark_stopped
from treasury import locks, schedule
from treasury.addresses import address, attempt_token
from treasury.dates import Today
from treasury.models import Incident, PaymentAttempt
from treasury.services import outcomes
from treasury.services.passes import for_each
from treasury.states import AttemptState
from treasury.texts import readable

# Longer than one call may take; a worker that is silent for so long has died.
LEASE_S = 45
WAITING_AT_ONCE = 20


def dispatch_attempt(*, actor: Actor, attempt_id: UUID, today: Today) -> bool:
    """Send an attempt that waits to be sent, and return whether it did.

    Nothing happens if another worker has it, or it was sent before.
    """
    if not _claim(attempt_id):
        return False
    attempt = PaymentAttempt.objects.select_related("payment", "provider").get(pk=attempt_id)
    if not _is_intact(attempt):
        _refuse_altered(actor=actor, attempt_id=attempt_id)
        return False
    outcome = _call(attempt)
    record_reply(actor=actor, attempt_id=attempt_id, outcome=outcome, today=today)
    return True


def dispatch_waiting(*, actor: Actor, today: Today) -> int:
    """Send what waits to be sent, because its message was lost or its pause is over; returns how many."""
    waiting = _waiting().order_by("created_at").values_list("pk", flat=True)[:WAITING_AT_ONCE]
    return for_each(
        list(waiting), lambda pk: dispatch_attempt(actor=actor, attempt_id=pk, today=today)
    )


@command("attempt.record_reply")
def record_reply(*, actor: Actor, attempt_id: UUID, outcome: Outcome, today: Today) -> None:
    """Write down the immediate answer to a call, unless something more certain was learnt meanwhile."""
    attempt = locks.lock_attempt(attempt_id)
    found = outcome.outcome_class
    breaker.note_call(attempt.provider, found)
    if attempt.state != AttemptState.SENDING or attempt.call_began_at is None:
        _keep_conversation(attempt, outcome)
        return
    said = outcomes.said_by(outcome)
    if found is OutcomeClass.CONFIG:
        mark_stopped(actor=actor, provider=attempt.provider, reason=said)
    if found is OutcomeClass.ACCEPTED:
        outcomes.accept(attempt, outcome, wait=accepted_for(), actor=actor)
    elif found is OutcomeClass.SUCCEEDED:
        receipt = readable(outcome.provider_reference, longest=outcomes.LONGEST_ID)
        outcomes.conclude_success(attempt, receipt=receipt, said=said, today=today, actor=actor)
    elif found is OutcomeClass.RETRYABLE:
        _try_later(attempt, outcome, actor)
    elif found is OutcomeClass.UNKNOWN or _was_sent_before(attempt):
        outcomes.doubt(attempt, said=said, actor=actor)
    else:
        burns = found is OutcomeClass.FAILED_FINAL
        passes = outcome.passes_after_s if burns else None
        outcomes.conclude_failure(
            attempt, said=said, burns_retry=burns, passes_after_s=passes, actor=actor
        )


def accepted_for() -> timedelta:
    """How long an accepted payment waits for its result before it is unknown."""
    wait: timedelta = settings.BURSAR_ACCEPTED_FOR
    return wait


def _claim(attempt_id: UUID) -> bool:
    """Take the attempt for this worker, committed before the call; as its probe where the breaker is open."""
    row = _waiting().filter(pk=attempt_id)
    return _take(row.exclude(provider__in=breaker.open_providers())) or _claim_probe(row)


def _claim_probe(row: QuerySet[PaymentAttempt]) -> bool:
    """Take the attempt and with it its open provider's one probe, or neither."""
    provider_id = row.values_list("provider", flat=True).first()
    if provider_id is None:
        return False
    with transaction.atomic():
        # First the attempt, then its provider: the order in which a reply is written down.
        claimed = _take(row) and breaker.take_probe(provider_id, lease=_lease())
        transaction.set_rollback(not claimed)
    return claimed


def _take(row: QuerySet[PaymentAttempt]) -> bool:
    """Write this worker's lease on the attempt if it still waits; one conditional statement."""
    claimed = row.update(
        call_began_at=DatabaseClock(),
        lease_until=DatabaseClock() + Value(_lease(), output_field=DurationField()),
        lease_owner=f"{socket.gethostname()}:{os.getpid()}"[:80],
        calls=F("calls") + 1,
    )
    return claimed == 1


def _lease() -> timedelta:
    return timedelta(seconds=getattr(settings, "BURSAR_LEASE_S", LEASE_S))


def _waiting() -> QuerySet[PaymentAttempt]:
    """Attempts that are not on the wire, whose pause, if any, is over, and whose provider does not rest."""
    due = Q(next_query_at=None) | Q(next_query_at__lte=DatabaseClock())
    rows = PaymentAttempt.objects.filter(due, state=AttemptState.SENDING, call_began_at=None)
    return rows.exclude(provider__in=breaker.resting())


def _is_intact(attempt: PaymentAttempt) -> bool:
    """Whether what would be sent is what was reserved; the row may have been tampered with."""
    payment = attempt.payment
    return (
        blind_index(payment.destination) == attempt.destination_index
        and payment.amount == attempt.amount
        and payment.currency == attempt.currency
    )


def _call(attempt: PaymentAttempt) -> Outcome:
    own = address(
        kind=attempt.provider.kind, attempt_id=attempt.pk, token=attempt_token(attempt.pk)
    )
    return daraja.send_b2c(
        provider=attempt.provider,
        reference=str(attempt.reference),
        amount=Decimal(attempt.amount),
        msisdn=attempt.payment.destination,
        remarks=f"Payment {str(attempt.payment_id)[:8]}",
        result_url=own,
        timeout_url=own,
        subject=attempt.subject,
    )


@command("attempt.refuse_altered")
def _refuse_altered(*, actor: Actor, attempt_id: UUID) -> None:
    attempt = locks.lock_attempt(attempt_id)
    said = "The payment differs from what was reserved; nothing was sent."
    outcomes.put_in_review(attempt, said=said, kind=Incident.Kind.MISMATCH, actor=actor)


def _try_later(attempt: PaymentAttempt, outcome: Outcome, actor: Actor) -> None:
    """Not accepted; a repetition whose first call is in doubt is asked about after many tries."""
    if attempt.calls >= schedule.MOST_CALLS:
        outcomes.put_in_review(
            attempt, said=f"not accepted: {outcomes.said_by(outcome)}", actor=actor
        )
    else:
        outcomes.wait_to_send(attempt, outcome)


def _was_sent_before(attempt: PaymentAttempt) -> bool:
    """An immediate refusal of a repetition says nothing about the first call."""
    return attempt.unknown_since is not None


def _keep_conversation(attempt: PaymentAttempt, outcome: Outcome) -> None:
    if outcome.conversation_id and not attempt.conversation:
        attempt.conversation = readable(outcome.conversation_id, longest=outcomes.LONGEST_ID)
        attempt.save(update_fields=["conversation"])
