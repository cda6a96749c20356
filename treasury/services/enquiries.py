"""Asking the gateway what became of an attempt, and acting on the answer.

The answer comes to a one-use address. It counts only with the conversation that the gateway gave when it
took the question, and with the attempt's own reference and amount; then, and only then, is a payment
settled or released.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command
from payments.gateways import daraja
from payments.gateways.daraja import Result, UnreadableResult
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.models import Provider
from payments.services.providers import mark_stopped
from treasury import locks, schedule
from treasury.addresses import address, new_token
from treasury.dates import Today
from treasury.models import Callback, Enquiry, Incident, PaymentAttempt
from treasury.queue import wake
from treasury.services import outcomes
from treasury.services.passes import for_each
from treasury.states import AttemptState
from treasury.texts import readable

CONFIG_HINT = "config "
FAILURE_HINT = f"{OutcomeClass.FAILED_FINAL.value} "
LONGEST_FINDING = 160
AT_ONCE = 50


def ask_about(*, actor: Actor, attempt_id: UUID, today: Today) -> bool:
    """Ask about one attempt if it is due, unless an answer that lies here ends the doubt; returns whether it was."""
    here = list(_to_be_applied().filter(attempt=attempt_id).values_list("pk", flat=True))
    # One that cannot be acted on does not keep the question back.
    for_each(here, lambda pk: apply_answer(actor=actor, enquiry_id=pk, today=today))
    return _ask_one(_due().filter(pk=attempt_id), actor, today)


def ask_about_due(*, actor: Actor, today: Today, most: int) -> int:
    """Ask about what is due, one after the other, leaving out what others ask about just now."""
    due = list(_due().order_by("next_query_at").values_list("pk", flat=True)[:most])
    return for_each(due, lambda pk: ask_about(actor=actor, attempt_id=pk, today=today))


def apply_answers(*, actor: Actor, today: Today) -> int:
    """Act on answers that came and were not acted on yet; returns how many were."""
    waiting = _to_be_applied().order_by("answered_at")
    enquiry_ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    return for_each(enquiry_ids, lambda pk: apply_answer(actor=actor, enquiry_id=pk, today=today))


def _to_be_applied() -> QuerySet[Enquiry]:
    """Questions that were taken and answered, and nobody acted on the answer yet."""
    answered = Enquiry.objects.filter(answered_at__isnull=False, applied_at=None)
    return answered.exclude(conversation="")


@command("enquiry.apply_answer")
def apply_answer(*, actor: Actor, enquiry_id: UUID, today: Today) -> bool:
    """Act on the answer to an enquiry, once, and return whether that was now.

    Nothing happens while it has no answer, or one that cannot be judged yet.
    """
    attempt_id = Enquiry.objects.values_list("attempt_id", flat=True).get(pk=enquiry_id)
    attempt = locks.lock_attempt(attempt_id)
    enquiry = Enquiry.objects.get(pk=enquiry_id)
    if enquiry.answered_at is None or enquiry.applied_at is not None or not enquiry.conversation:
        return False
    enquiry.finding = _judge(attempt, enquiry, actor, today)[:LONGEST_FINDING]
    enquiry.applied_at = database_now()
    enquiry.save(update_fields=["finding", "applied_at"])
    return True


def _due() -> QuerySet[PaymentAttempt]:
    """Attempts to ask about now; what a file holds nobody can be asked about."""
    due = PaymentAttempt.objects.filter(next_query_at__lte=DatabaseClock())
    return due.exclude(state=AttemptState.SENDING).exclude(provider__kind=Provider.Kind.BANK)


def _ask_one(due: QuerySet[PaymentAttempt], actor: Actor, today: Today) -> bool:
    begun = _begin_enquiry(due)
    if begun is None:
        return False
    attempt, enquiry, token = begun
    own = address(kind=attempt.provider.kind, attempt_id=attempt.pk, token=token)
    outcome = daraja.query_status(
        provider=attempt.provider,
        original_reference=str(attempt.reference),
        result_url=own,
        # At the attempt's own address its time-out would be a hint, and be asked about at once, for ever.
        timeout_url=own,
        subject=attempt.subject,
    )
    _record_asked(actor=actor, enquiry_id=enquiry.pk, outcome=outcome)
    apply_answer(actor=actor, enquiry_id=enquiry.pk, today=today)
    return True


def _begin_enquiry(
    due: QuerySet[PaymentAttempt],
) -> tuple[PaymentAttempt, Enquiry, str] | None:
    """Claim one due attempt and give it an address to be answered at; committed before the call."""
    with transaction.atomic(durable=True):
        attempt = locks.lock_due_attempt(due.select_related("provider"))
        if attempt is None:
            return None
        attempt.queries += 1
        finished = attempt.state in outcomes.FINISHED
        pause = schedule.backoff(attempt.queries)
        attempt.next_query_at = None if finished else database_now() + pause
        attempt.save(update_fields=["queries", "next_query_at"])
        token, token_hash = new_token()
        enquiry = Enquiry.objects.create(attempt=attempt, token_hash=token_hash)
    return attempt, enquiry, token


@command("enquiry.record_asked")
def _record_asked(*, actor: Actor, enquiry_id: UUID, outcome: Outcome) -> None:
    """Keep the conversation of a question that was taken; a refused one is asked again later."""
    attempt_id = Enquiry.objects.values_list("attempt_id", flat=True).get(pk=enquiry_id)
    attempt = locks.lock_attempt(attempt_id)
    said = outcomes.said_by(outcome)
    if outcome.outcome_class is OutcomeClass.ACCEPTED:
        Enquiry.objects.filter(pk=enquiry_id).update(conversation=_conversation(outcome))
        return
    Enquiry.objects.filter(pk=enquiry_id).update(
        applied_at=DatabaseClock(), finding=f"not asked: {said}"[:LONGEST_FINDING]
    )
    if outcome.outcome_class is OutcomeClass.CONFIG:
        mark_stopped(actor=actor, provider=attempt.provider, reason=said)
    if outcome.retry_after_s and attempt.next_query_at:
        earliest = database_now() + timedelta(seconds=outcome.retry_after_s)
        attempt.next_query_at = max(attempt.next_query_at, earliest)
        attempt.save(update_fields=["next_query_at"])


def _judge(attempt: PaymentAttempt, enquiry: Enquiry, actor: Actor, today: Today) -> str:
    """Act on the stored answer and return what was made of it."""
    result = _read(enquiry)
    if result is None:
        return "unreadable"
    outcome = daraja.classify_status_result(result)
    said = outcomes.said_by(outcome)
    if _conversation(outcome) != enquiry.conversation:
        detail = "an answer came in another conversation"
        outcomes.record_incident(attempt, Incident.Kind.MISMATCH, detail, actor)
        return detail
    found = outcome.outcome_class
    if found is OutcomeClass.CONFIG:
        mark_stopped(actor=actor, provider=attempt.provider, reason=said)
    if found in {OutcomeClass.SUCCEEDED, OutcomeClass.FAILED_FINAL}:
        return _conclude(attempt, outcome, said, actor, today)
    if outcome.code == "not_found":
        _send_again_if_it_may(attempt, said, actor)
    return said


def _conclude(
    attempt: PaymentAttempt, outcome: Outcome, said: str, actor: Actor, today: Today
) -> str:
    if not outcome.reference:
        return f"names no reference: {said}"
    if difference := _difference(attempt, outcome):
        outcomes.put_in_review(attempt, said=difference, kind=Incident.Kind.MISMATCH, actor=actor)
        return difference
    if outcome.outcome_class is OutcomeClass.SUCCEEDED:
        receipt = readable(outcome.provider_reference, longest=outcomes.LONGEST_ID)
        outcomes.conclude_success(attempt, receipt=receipt, said=said, today=today, actor=actor)
    else:
        provider_at_fault = _stop_if_hinted(attempt, actor)
        passes = None if provider_at_fault else _passes_after_s(attempt)
        outcomes.conclude_failure(
            attempt,
            said=_with_cause(attempt, said),
            burns_retry=not provider_at_fault,
            passes_after_s=passes,
            actor=actor,
        )
    return said


def _conversation(outcome: Outcome) -> str:
    return readable(outcome.conversation_id, longest=outcomes.LONGEST_ID)


def _difference(attempt: PaymentAttempt, outcome: Outcome) -> str:
    """Return how the answer differs from what was asked about, empty when it does not."""
    if outcome.reference != str(attempt.reference):
        return f"the gateway answers for {readable(outcome.reference, longest=60)}"
    if outcome.outcome_class is OutcomeClass.SUCCEEDED and outcome.amount != attempt.amount:
        return f"the gateway names {outcome.amount}, {attempt.amount} was sent"
    return ""


def _stop_if_hinted(attempt: PaymentAttempt, actor: Actor) -> bool:
    """A failure whose result named our own configuration stops the provider and burns no retry."""
    hint = (
        attempt.callbacks.filter(trusted=True, enquiry=None, says__startswith=CONFIG_HINT)
        .values_list("says", flat=True)
        .first()
    )
    if hint is None:
        return False
    provider: Provider = attempt.provider
    mark_stopped(actor=actor, provider=provider, reason=hint.removeprefix(CONFIG_HINT))
    return True


def _with_cause(attempt: PaymentAttempt, said: str) -> str:
    """Return why it failed, for people: the answer to a question says only that it did, the first hint why."""
    hints = attempt.callbacks.filter(trusted=True, enquiry=None, says__startswith=FAILURE_HINT)
    hint = hints.order_by("received_at", "pk").values_list("says", flat=True).first()
    if hint is None:
        return said
    cause = hint.removeprefix(FAILURE_HINT).strip()
    return readable(f"{cause} Asked, the gateway said: {said}", longest=outcomes.LONGEST_STATUS)


def _passes_after_s(attempt: PaymentAttempt) -> int | None:
    """Return when the cause of a failure may be over; only the hints name the code of it.

    None where none came, and where they differ and one of the causes never passes.
    """
    hints = attempt.callbacks.filter(trusted=True, enquiry=None, says__startswith=FAILURE_HINT)
    said = hints.values_list("says", flat=True)
    waits = {daraja.passes_after_s(says.split()[1]) for says in said if len(says.split()) > 1}
    return None if None in waits else max((w for w in waits if w is not None), default=None)


def _send_again_if_it_may(attempt: PaymentAttempt, said: str, actor: Actor) -> None:
    """Only what was never accepted goes out again: with its own reference, which the gateway knows by.

    "Not found" may merely be early: to a gateway that would pay one reference twice it never goes again.
    """
    never_accepted = attempt.accepted_at is None
    if attempt.state != AttemptState.UNKNOWN or not never_accepted:
        return
    if not attempt.provider.deduplicates:
        return
    if attempt.calls < schedule.MOST_CALLS:
        outcomes.send_again(attempt, said=said, actor=actor)
        attempt_id = str(attempt.pk)
        after_commit(lambda: wake("dispatch_attempt", attempt_id=attempt_id))


def _read(enquiry: Enquiry) -> Result | None:
    """Return the answer that was first at the enquiry's address, None when it cannot be read."""
    body = (
        Callback.objects.filter(enquiry=enquiry, body_hash=enquiry.answer_hash)
        .values_list("body", flat=True)
        .first()
    )
    try:
        return daraja.parse_result(bytes(body)) if body is not None else None
    except UnreadableResult:
        return None
