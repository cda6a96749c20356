"""Daraja's immediate answers: read tolerantly, classified strictly. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn

from payments.gateways.daraja import codes
from payments.gateways.http import Answer
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.gateways.tokens import Fetched

LONGEST_RETRY_AFTER_S = 3600
DEFAULT_LIFETIME_S = 3599


@dataclass(frozen=True, slots=True)
class Reply:
    """The members of an immediate answer that matter, as text; empty where one is missing."""

    error_code: str
    error_message: str
    response_code: str
    response_description: str
    conversation_id: str
    reference: str
    raw: Mapping[str, Any]


def parse_reply(body: bytes) -> Reply | None:
    """Return the reply, or None when this is not a JSON object (HTML, half a body, nothing)."""
    raw = read_json(body)
    if not isinstance(raw, dict):
        return None
    return Reply(
        error_code=text_of(raw.get("errorCode")),
        error_message=text_of(raw.get("errorMessage")),
        response_code=text_of(raw.get("ResponseCode")),
        response_description=text_of(raw.get("ResponseDescription")),
        conversation_id=text_of(raw.get("ConversationID")),
        reference=text_of(raw.get("OriginatorConversationID")),
        raw=raw,
    )


def read_json(body: bytes) -> Any:
    """Return the JSON with exact numbers, None when it cannot be read."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def text_of(value: Any) -> str:
    """Codes come as numbers or as strings; everything else is as good as missing."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return str(value).strip()


def token_was_refused(answer: Answer) -> bool:
    """Whether the gateway wants a new token; then it has taken nothing."""
    reply = parse_reply(answer.body)
    return reply is not None and reply.error_code in codes.TOKEN_ERRORS


def classify_b2c_reply(answer: Answer, *, reference: str) -> Outcome:
    """What the immediate answer to a payment means for the money."""
    reply = parse_reply(answer.body) if answer.status is not None else None
    if answer.status is None:
        return _broken_off(answer, otherwise=OutcomeClass.UNKNOWN)
    if reply is None:
        return _unreadable(answer, OutcomeClass.UNKNOWN)
    if reply.error_code:
        return _error(answer, reply, codes.AMBIGUOUS_PAYMENT, otherwise=OutcomeClass.UNKNOWN)
    if answer.status != 200 or not reply.response_code:
        return _unreadable(answer, OutcomeClass.UNKNOWN, reply)
    found, meaning = codes.B2C_REPLIES.get(
        reply.response_code, (OutcomeClass.UNKNOWN, "a code that is not known")
    )
    if found is OutcomeClass.ACCEPTED and reply.reference not in ("", reference):
        message = "The gateway answered for another reference than the one sent."
        return _outcome(OutcomeClass.UNKNOWN, "reference_mismatch", message, reply)
    outcome = _outcome(found, reply.response_code, reply.response_description or meaning, reply)
    if found is OutcomeClass.FAILED_FINAL:
        return replace(outcome, passes_after_s=codes.PASSES_AFTER_S.get(reply.response_code))
    return outcome


def classify_enquiry_reply(answer: Answer) -> Outcome:
    """What the immediate answer to a question means for the *asking*: nothing about the money.

    ``ACCEPTED`` (the answer comes by callback), ``RETRYABLE`` (ask again), ``CONFIG`` (stop the
    provider) or ``UNKNOWN`` (the question itself is refused); never a final class.
    """
    if answer.status is None:
        return _broken_off(answer, otherwise=OutcomeClass.RETRYABLE)
    reply = parse_reply(answer.body)
    if reply is None:
        return _unreadable(answer, OutcomeClass.RETRYABLE)
    if reply.error_code:
        error = _error(answer, reply, codes.AMBIGUOUS_ENQUIRY, otherwise=OutcomeClass.RETRYABLE)
        return _about_asking(error)
    if answer.status != 200 or reply.response_code != "0":
        return _unreadable(answer, OutcomeClass.RETRYABLE, reply)
    return _outcome(OutcomeClass.ACCEPTED, "0", reply.response_description, reply)


def _about_asking(outcome: Outcome) -> Outcome:
    """A question that is refused leaves the payment as unknown as it was."""
    if outcome.outcome_class is OutcomeClass.FAILED_FINAL:
        return Outcome(OutcomeClass.UNKNOWN, outcome.code, outcome.message, raw=outcome.raw)
    return outcome


def classify_token_reply(answer: Answer) -> Fetched | Outcome:
    """A token, or why there is none: ``CONFIG`` when we are refused, else ``RETRYABLE``.

    A token call moves no money, so nothing about it is ever unknown.
    """
    if answer.status is None:
        return _broken_off(answer, otherwise=OutcomeClass.RETRYABLE)
    raw = read_json(answer.body)
    if answer.status == 200 and isinstance(raw, dict):
        token, lifetime = text_of(raw.get("access_token")), text_of(raw.get("expires_in"))
        if token:
            seconds = int(lifetime) if lifetime.isascii() and lifetime.isdigit() else 0
            return Fetched(token, min(seconds or DEFAULT_LIFETIME_S, DEFAULT_LIFETIME_S))
    reply = parse_reply(answer.body)
    if reply and codes.ERRORS.get(reply.error_code) is OutcomeClass.CONFIG:
        return _outcome(OutcomeClass.CONFIG, reply.error_code, reply.error_message, reply)
    if answer.status == 401 or (reply and reply.error_code in codes.TOKEN_ERRORS):
        message = "The gateway refused the consumer key or secret."
        return Outcome(OutcomeClass.CONFIG, f"http_{answer.status}", message)
    return _unreadable(answer, OutcomeClass.RETRYABLE, reply)


def _broken_off(answer: Answer, *, otherwise: OutcomeClass) -> Outcome:
    """The call ended without an answer; certainly not accepted only if nothing was sent."""
    found = otherwise if answer.sent else OutcomeClass.RETRYABLE
    return Outcome(found, answer.error, "The gateway did not answer.")


def _unreadable(answer: Answer, found: OutcomeClass, reply: Reply | None = None) -> Outcome:
    message = "The gateway's answer cannot be read."
    return Outcome(
        found,
        f"http_{answer.status}",
        message,
        retry_after_s=retry_after(answer),
        raw=reply.raw if reply else {},
    )


def _error(
    answer: Answer,
    reply: Reply,
    ambiguous: tuple[tuple[str, OutcomeClass, int | None], ...],
    *,
    otherwise: OutcomeClass,
) -> Outcome:
    code, wait = reply.error_code, retry_after(answer)
    found = codes.ERRORS.get(code, otherwise)
    if code in codes.TOKEN_ERRORS:
        found = OutcomeClass.RETRYABLE
    if code == codes.AMBIGUOUS_ERROR:
        said = reply.error_message.lower()
        for phrase, known, seconds in ambiguous:
            if phrase in said:
                found, wait = known, wait or seconds
    if found is OutcomeClass.UNKNOWN and otherwise is OutcomeClass.RETRYABLE:
        found = otherwise
    return _outcome(found, code, reply.error_message, reply, retry_after_s=wait)


def _outcome(
    found: OutcomeClass, code: str, message: str, reply: Reply, *, retry_after_s: int | None = None
) -> Outcome:
    return Outcome(
        found,
        code,
        message,
        conversation_id=reply.conversation_id,
        reference=reply.reference,
        retry_after_s=retry_after_s,
        raw=reply.raw,
    )


def retry_after(answer: Answer) -> int | None:
    """Return the seconds of a Retry-After header, at most an hour; None without one."""
    value = next((v for k, v in answer.headers.items() if k.lower() == "retry-after"), "")
    if not value.isascii() or not value.isdigit():
        return None
    return min(int(value), LONGEST_RETRY_AFTER_S)
