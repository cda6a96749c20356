"""What an outcome does to an attempt and its payment. Plain functions inside a command, on locked rows.

What is final never changes: a success after a failure, or the reverse, becomes an incident. What is not
certain keeps its hold. Nothing here calls a gateway.
"""

import logging
from datetime import datetime, timedelta

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.models import Side
from ledger.services import posting
from ledger.services.posting import Line, Posting
from payments.gateways.outcome import Outcome
from payments.models import Provider
from treasury import schedule
from treasury.dates import Today
from treasury.models import Incident, PaymentAttempt
from treasury.services.facts import attempt_facts, payment_facts
from treasury.services.noting import note_payment
from treasury.services.retries import cancel_retry, plan_retry
from treasury.services.settlement import Proof, release, settle
from treasury.services.telling import tell_payment
from treasury.states import (
    ATTEMPT,
    PAYMENT,
    AttemptState,
    PaymentStatus,
    require_transition,
)
from treasury.texts import readable

alerts = logging.getLogger("treasury.alerts")
LONGEST_STATUS = 160
LONGEST_ID = 80
FINISHED = frozenset({AttemptState.SUCCEEDED, AttemptState.FAILED})


def said_by(outcome: Outcome) -> str:
    """Return what the gateway said, fit to be stored and shown."""
    return readable(f"{outcome.code} {outcome.message}".strip(), longest=LONGEST_STATUS)


def conclude_success(
    attempt: PaymentAttempt, *, receipt: str, said: str, today: Today, actor: Actor
) -> None:
    """The gateway, asked, says that the money moved; ``receipt`` and ``said`` fit their columns."""
    payment = attempt.payment
    if attempt.state == AttemptState.SUCCEEDED:
        return
    on = today(payment.fund.company)
    if attempt.state == AttemptState.FAILED:
        _record_late_success(attempt, receipt=receipt, today=today, actor=actor)
        return
    proof = Proof(
        executor_id=attempt.executor_id,
        ip_address=attempt.ip_address,
        user_agent=attempt.user_agent,
        code=attempt.code,
        batch_code=attempt.batch_code,
        gateway_reference=receipt,
        gateway_status=said,
        releases=attempt.hold_reference,
    )
    _finish(attempt, AttemptState.SUCCEEDED, said)
    attempt.gateway_reference = receipt
    attempt.save()
    settle(payment, proof=proof, on=on, actor=actor)


def conclude_failure(
    attempt: PaymentAttempt,
    *,
    said: str,
    actor: Actor,
    burns_retry: bool = True,
    passes_after_s: int | None = None,
) -> None:
    """The gateway says definitely that the money did not move and will not.

    ``passes_after_s`` is when the cause may be over; then it is tried again by itself.
    """
    if attempt.state == AttemptState.FAILED:
        return
    if attempt.state == AttemptState.SUCCEEDED:
        record_incident(
            attempt, Incident.Kind.CONTRADICTION, f"failed after success: {said}", actor
        )
        return
    _finish(attempt, AttemptState.FAILED, said)
    attempt.last_error = said
    attempt.save()
    release(attempt.payment, attempt, error=said, burns_retry=burns_retry, actor=actor)
    if passes_after_s is not None:
        passes_after = timedelta(seconds=passes_after_s)
        plan_retry(attempt.payment, attempt, passes_after=passes_after, actor=actor)


def accept(attempt: PaymentAttempt, outcome: Outcome, *, wait: timedelta, actor: Actor) -> None:
    """The gateway took it; unless a callback was there first, it is asked about after ``wait``."""
    now = database_now()
    _move(attempt, AttemptState.ACCEPTED)
    attempt.accepted_at = now
    attempt.conversation = readable(outcome.conversation_id, longest=LONGEST_ID)
    attempt.gateway_status = said_by(outcome)
    attempt.lease_until = None
    attempt.next_query_at = now if attempt.hinted_at else now + wait
    attempt.save()
    _record(attempt, "attempt.accept", actor)


def accept_in_file(
    attempt: PaymentAttempt, *, message_id: str, now: datetime, actor: Actor
) -> None:
    """It is in a file for the bank; nobody can be asked about it, the bank reports or does not."""
    _move(attempt, AttemptState.ACCEPTED)
    attempt.accepted_at = now
    attempt.conversation = message_id
    attempt.gateway_status = f"in file {message_id}"
    attempt.save()
    _record(attempt, "attempt.accept", actor)


def accept_again(attempt: PaymentAttempt, *, said: str, actor: Actor) -> None:
    """The bank says that it has it: the time it has begins anew."""
    attempt.accepted_at = database_now()
    attempt.gateway_status = said
    attempt.save(update_fields=["accepted_at", "gateway_status"])
    _record(attempt, "attempt.accept", actor)


def doubt(attempt: PaymentAttempt, *, said: str, actor: Actor) -> None:
    """It may have been accepted: the hold stays, and the gateway, if it can be, is asked at once."""
    now = database_now()
    before = payment_facts(attempt.payment)
    _move(attempt, AttemptState.UNKNOWN)
    attempt.unknown_since = attempt.unknown_since or now
    attempt.next_query_at = None if attempt.provider.kind == Provider.Kind.BANK else now
    attempt.lease_until = None
    attempt.last_error = said
    attempt.save()
    _move_payment(attempt, PaymentStatus.UNKNOWN)
    _record(attempt, "payment.doubt", actor, before=before)


def send_again(attempt: PaymentAttempt, *, said: str, actor: Actor) -> None:
    """The gateway, asked, knows nothing of it: the same reference goes out again."""
    before = payment_facts(attempt.payment)
    _move(attempt, AttemptState.SENDING)
    attempt.call_began_at = None
    attempt.lease_until = None
    attempt.next_query_at = None
    attempt.last_error = said
    attempt.save()
    _move_payment(attempt, PaymentStatus.EXECUTING)
    _record(attempt, "payment.send_again", actor, before=before)


def wait_to_send(attempt: PaymentAttempt, outcome: Outcome) -> None:
    """It certainly was not accepted: the same reference goes out again, a little later."""
    pause = timedelta(seconds=outcome.retry_after_s or 0)
    attempt.call_began_at = None
    attempt.lease_until = None
    attempt.next_query_at = database_now() + schedule.backoff(attempt.calls, at_least=pause)
    attempt.last_error = said_by(outcome)
    attempt.save()


def put_in_review(
    attempt: PaymentAttempt, *, said: str, actor: Actor, kind: Incident.Kind | None = None
) -> None:
    """Two people decide; until then the hold stays. ``kind`` also records an incident."""
    if kind is not None:
        record_incident(attempt, kind, said, actor)
    if attempt.state in FINISHED or attempt.state == AttemptState.REVIEW:
        return
    before = payment_facts(attempt.payment)
    _move(attempt, AttemptState.REVIEW)
    attempt.next_query_at = None
    attempt.lease_until = None
    attempt.last_error = said
    attempt.save()
    _move_payment(attempt, PaymentStatus.REVIEW)
    _record(attempt, "payment.review", actor, before=before)
    alerts.error("payment %s waits for two people: %s", attempt.payment_id, said)


def record_incident(
    attempt: PaymentAttempt, kind: Incident.Kind, detail: str, actor: Actor
) -> bool:
    """Write an incident once; return whether it is new."""
    _, is_new = Incident.objects.get_or_create(
        payment=attempt.payment, attempt=attempt, kind=kind, detail=detail
    )
    if is_new:
        alerts.error("%s on payment %s: %s", kind.value, attempt.payment_id, detail)
        _record(attempt, f"payment.incident.{kind.value}", actor)
    return is_new


def _record_late_success(
    attempt: PaymentAttempt, *, receipt: str, today: Today, actor: Actor
) -> None:
    """Money left although the books say it failed: it stands in suspense until people decide."""
    if attempt.incidents.filter(kind=Incident.Kind.LATE_SUCCESS).exists():
        return
    payment = attempt.payment
    cancel_retry(payment)
    fund = payment.fund
    posting.post(
        Posting(
            company_id=payment.company_id,
            reference=f"{attempt.hold_reference}:late_success",
            description=f"Success after failure, receipt {receipt}",
            effective_on=today(fund.company),
            lines=(
                Line(fund.suspense_account_id, Side.DEBIT, attempt.amount, attempt.currency),
                Line(fund.clearing_account_id, Side.CREDIT, attempt.amount, attempt.currency),
            ),
        )
    )
    record_incident(
        attempt, Incident.Kind.LATE_SUCCESS, f"success after failure, receipt {receipt}", actor
    )


def _finish(attempt: PaymentAttempt, state: AttemptState, said: str) -> None:
    """End the attempt, and with it what somebody proposed about it and nobody confirmed."""
    _move(attempt, state)
    attempt.resolutions.filter(confirmed_at=None, withdrawn_at=None).update(
        withdrawn_at=DatabaseClock()
    )
    attempt.gateway_status = said
    attempt.finished_at = database_now()
    attempt.next_query_at = None
    attempt.lease_until = None


def _move(attempt: PaymentAttempt, state: AttemptState) -> None:
    require_transition(ATTEMPT, attempt.state, state, noun="payment attempt")
    attempt.state = state


def _move_payment(attempt: PaymentAttempt, status: PaymentStatus) -> None:
    payment = attempt.payment
    require_transition(PAYMENT, payment.status, status, noun="payment")
    payment.status = status
    payment.save(update_fields=["status"])
    tell_payment(payment)


def _record(
    attempt: PaymentAttempt,
    action: str,
    actor: Actor,
    *,
    before: dict[str, object] | None = None,
) -> None:
    note_payment(actor, action, attempt.payment, before=before, more=attempt_facts(attempt))
