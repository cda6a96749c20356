"""The inbox: whatever is posted to an attempt's address is kept as it came, and moves no money itself."""

import hashlib
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import DatabaseClock
from ledger.commands import after_commit, command
from ledger.refusals import InvalidInput, NotFound
from payments.gateways import daraja
from payments.gateways.daraja import UnreadableResult
from payments.gateways.outcome import OutcomeClass
from treasury import locks
from treasury.addresses import is_attempt_token, token_hash
from treasury.models import Callback, Enquiry, Incident, PaymentAttempt
from treasury.queue import wake
from treasury.services import outcomes
from treasury.states import AttemptState
from treasury.texts import readable

LARGEST_BODY = 65_536
MOST_UNTRUSTED = 20
LONGEST_SAYS = 160
# What an attempt that has ended says of the money, in the words of an outcome.
MEANS: dict[str, str] = {
    AttemptState.SUCCEEDED: OutcomeClass.SUCCEEDED.value,
    AttemptState.FAILED: OutcomeClass.FAILED_FINAL.value,
}


def record_callback(*, actor: Actor, attempt_id: UUID, token: str, body: bytes) -> bool:
    """Keep what was posted to ``/api/callbacks/<short>/<attempt>/<token>/``; answer 2xx after it.

    At the attempt's own address it is a hint: the gateway is then asked. At the one-use address of an
    enquiry it is the answer, the first time. At any other it is kept as untrusted and nothing follows.
    Returns whether the address was right. Raises ``NotFound`` for an unknown attempt, ``InvalidInput`` on
    ``body`` beyond 64 KiB.
    """
    if not PaymentAttempt.objects.filter(pk=attempt_id).exists():
        raise NotFound("There is no such address.")
    if len(body) > LARGEST_BODY:
        raise InvalidInput.on("body", "This is larger than any callback.")
    return _keep(actor=actor, attempt_id=attempt_id, token=token, body=body)


@command("callback.keep")
def _keep(*, actor: Actor, attempt_id: UUID, token: str, body: bytes) -> bool:
    body_hash = hashlib.sha256(body).hexdigest()
    if is_attempt_token(attempt_id, token):
        if _insert(actor, attempt_id, None, body, body_hash, trusted=True):
            _take_hint(attempt_id, body)
            _flag_contradiction(attempt_id, actor)
        return True
    enquiry = Enquiry.objects.filter(attempt=attempt_id, token_hash=token_hash(token)).first()
    if enquiry is not None:
        if _insert(actor, attempt_id, enquiry, body, body_hash, trusted=True):
            is_answer = _take_answer(enquiry, body_hash)
            _flag_contradiction(attempt_id, actor, is_judged=is_answer)
        return True
    if Callback.objects.filter(attempt=attempt_id, trusted=False).count() < MOST_UNTRUSTED:
        _insert(actor, attempt_id, None, body, body_hash, trusted=False)
    return False


def _insert(
    actor: Actor,
    attempt_id: UUID,
    enquiry: Enquiry | None,
    body: bytes,
    body_hash: str,
    *,
    trusted: bool,
) -> bool:
    """Keep the body once; return whether it is new."""
    _, is_new = Callback.objects.get_or_create(
        attempt_id=attempt_id,
        enquiry=enquiry,
        trusted=trusted,
        body_hash=body_hash,
        defaults={
            "body": body,
            "says": _reads_as(body, is_answer=enquiry is not None),
            "ip_address": actor.ip_address,
        },
    )
    return is_new


def _take_hint(attempt_id: UUID, body: bytes) -> None:
    """Have the gateway asked soon. While a call is still out, its reply decides when."""
    attempts = PaymentAttempt.objects.filter(pk=attempt_id)
    if _is_about_another(attempts.get(), body):
        return
    attempts.update(hinted_at=DatabaseClock())
    _have_it_asked_about(attempt_id)


def _have_it_asked_about(attempt_id: UUID) -> None:
    attempts = PaymentAttempt.objects.filter(pk=attempt_id)
    attempts.exclude(state=AttemptState.SENDING).update(next_query_at=DatabaseClock())
    after_commit(lambda: wake("ask_about_attempt", attempt_id=str(attempt_id)))


def _flag_contradiction(attempt_id: UUID, actor: Actor, *, is_judged: bool = False) -> None:
    """Put it before people when what was said of an attempt is both yes and no; nothing else changes.

    An answer that ``is_judged`` against what an attempt ended as, becomes an incident of its own there.
    """
    trusted = Callback.objects.filter(attempt=attempt_id, trusted=True)
    said = {says.partition(" ")[0] for says in trusted.values_list("says", flat=True)}
    state = PaymentAttempt.objects.values_list("state", flat=True).get(pk=attempt_id)
    if is_judged and state in MEANS:
        return
    said.add(MEANS.get(state, ""))
    if said >= {OutcomeClass.SUCCEEDED.value, OutcomeClass.FAILED_FINAL.value}:
        attempt = locks.lock_attempt(attempt_id)
        detail = "the gateway says both that it paid and that it did not"
        outcomes.record_incident(attempt, Incident.Kind.CONTRADICTION, detail, actor)


def _is_about_another(attempt: PaymentAttempt, body: bytes) -> bool:
    """Whether the body names another request, such as a question of ours that timed out.

    The next question comes by the schedule then: hurried by its own time-out it would never rest.
    """
    try:
        result = daraja.parse_result(body)
    except UnreadableResult:
        return False
    known = {str(attempt.reference), attempt.conversation} - {""}
    named = {result.reference, result.conversation_id} - {""}
    return bool(named) and known.isdisjoint(named)


def _take_answer(enquiry: Enquiry, body_hash: str) -> bool:
    """The first body at this address is the answer; another one later is reason to ask again.

    Returns whether this was the first.
    """
    enquiry_id = str(enquiry.pk)
    first = Enquiry.objects.filter(pk=enquiry.pk, answered_at=None).update(
        answered_at=DatabaseClock(), answer_hash=body_hash
    )
    if first:
        after_commit(lambda: wake("apply_answer", enquiry_id=enquiry_id))
    else:
        _have_it_asked_about(enquiry.attempt_id)
    return bool(first)


def _reads_as(body: bytes, *, is_answer: bool) -> str:
    """Return what the body says, for people: its class, code and message."""
    try:
        result = daraja.parse_result(body)
    except UnreadableResult:
        return "unreadable"
    classify = daraja.classify_status_result if is_answer else daraja.classify_b2c_result
    outcome = classify(result)
    says = f"{outcome.outcome_class.value} {outcome.code} {outcome.message}"
    return readable(says, longest=LONGEST_SAYS)
