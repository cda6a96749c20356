"""Calling Daraja. Each function makes one call (and at most a token call before it) and returns one Outcome.

None of them may run inside a transaction, and none raises for what the gateway does.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from payments.credentials import Credentials, UnreadableCredentials
from payments.gateways.daraja import requests, responses
from payments.gateways.daraja.security import (
    UnusableCertificate,
    basic_authorization,
    security_credential,
)
from payments.gateways.http import Answer, Call, exchange, refuse_open_transaction
from payments.gateways.outcome import Outcome, OutcomeClass
from payments.gateways.tokens import Fetched, Token, access_token
from payments.models import Provider

Body = Mapping[str, Any]
PING = "Enquiry"
# All of it, token calls included. Whoever claims an attempt holds it longer than this.
BUDGET_S = 40.0
TOKEN_CALL_S = 15.0
# A payment that could not be waited for is not begun: it would only end in doubt.
LEAST_S = 5.0


@dataclass(frozen=True, slots=True)
class Session:
    """A provider that may be used just now, with its secrets in the clear."""

    provider: Provider
    credentials: Credentials = field(repr=False)
    subject: str
    sealed_password: str = field(repr=False)
    ends_at: float = field(default_factory=lambda: time.monotonic() + BUDGET_S)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.ends_at - time.monotonic())


def send_b2c(
    *,
    provider: Provider,
    reference: str,
    amount: Decimal,
    msisdn: str,
    remarks: str,
    result_url: str,
    timeout_url: str,
    subject: str,
) -> Outcome:
    """Ask the gateway to pay ``amount`` shillings to ``msisdn`` (+2547…), once per ``reference``.

    The only permitted repetition is with the same reference, by which the gateway refuses a second
    payment. ``subject`` names the attempt in the log. Never ``SUCCEEDED``: the result comes by callback.
    Raises ``InvalidInput`` for an amount or a number that M-Pesa cannot carry, before anything is
    written; ``TransactionOpen`` inside a transaction.
    """
    refuse_open_transaction()
    wire_amount, wire_msisdn = requests.wire_amount(amount), requests.wire_msisdn(msisdn)
    session = _open(provider, subject, (result_url, timeout_url))
    if isinstance(session, Outcome):
        return session
    body = requests.build_b2c(
        initiator_name=session.provider.initiator_name,
        security_credential=session.sealed_password,
        short_code=session.provider.short_code,
        reference=reference,
        amount=wire_amount,
        msisdn=wire_msisdn,
        remarks=requests.wire_remarks(remarks),
        result_url=result_url,
        timeout_url=timeout_url,
    )
    return _post(
        session,
        "b2c",
        requests.B2C_PATH,
        body,
        lambda answer: responses.classify_b2c_reply(answer, reference=reference),
    )


def query_status(
    *,
    provider: Provider,
    original_reference: str,
    result_url: str,
    timeout_url: str,
    subject: str,
) -> Outcome:
    """Ask what became of the payment sent as ``original_reference``; the answer comes by callback.

    ``ACCEPTED`` means asked, with the enquiry's ``conversation_id``; no class says anything about the
    money, ``CONFIG`` included. Raises ``TransactionOpen`` inside a transaction.
    """
    return _enquire(
        provider,
        "status",
        requests.STATUS_PATH,
        lambda common: requests.build_status_query(original_reference=original_reference, **common),
        subject=subject,
        urls=(result_url, timeout_url),
    )


def query_balance(
    *, provider: Provider, result_url: str, timeout_url: str, subject: str
) -> Outcome:
    """Ask for the balances of the short code's accounts; ``parse_balances`` reads the answer."""
    return _enquire(
        provider,
        "balance",
        requests.BALANCE_PATH,
        lambda common: requests.build_balance_query(**common),
        subject=subject,
        urls=(result_url, timeout_url),
    )


def _enquire(
    provider: Provider,
    operation: str,
    path: str,
    build: Callable[[dict[str, str]], Body],
    *,
    subject: str,
    urls: tuple[str, str],
) -> Outcome:
    refuse_open_transaction()
    session = _open(provider, subject, urls)
    if isinstance(session, Outcome):
        return session
    common = {
        "initiator_name": session.provider.initiator_name,
        "security_credential": session.sealed_password,
        "short_code": session.provider.short_code,
        "remarks": PING,
        "result_url": urls[0],
        "timeout_url": urls[1],
    }
    return _post(session, operation, path, build(common), responses.classify_enquiry_reply)


def _open(provider: Provider, subject: str, urls: tuple[str, str]) -> Session | Outcome:
    """Read the provider afresh, for another worker may have stopped it; ``CONFIG`` if it is no use."""
    fresh = Provider.objects.get(pk=provider.pk)
    if not fresh.is_usable:
        reason = fresh.stopped_reason or "It is not active."
        return Outcome(OutcomeClass.CONFIG, "provider_stopped", reason)
    try:
        for url in urls:
            requests.wire_url(url)
        credentials = Credentials.load(fresh.credentials)
        sealed = security_credential(credentials.initiator_password, fresh.certificate)
    except (UnreadableCredentials, UnusableCertificate, requests.UnusableAddress) as problem:
        return Outcome(OutcomeClass.CONFIG, "provider_misconfigured", str(problem))
    return Session(fresh, credentials, subject, sealed)


def _post(
    session: Session,
    operation: str,
    path: str,
    body: Body,
    classify: Callable[[Answer], Outcome],
) -> Outcome:
    """Send once; when the token is refused, refresh it once and send the same body again."""
    token = _token(session, rejected=None)
    if isinstance(token, Outcome):
        return token
    answer = _send(session, operation, path, body, token)
    if responses.token_was_refused(answer):
        token = _token(session, rejected=token.version)
        if isinstance(token, Outcome):
            return token
        answer = _send(session, operation, path, body, token)
    return classify(answer)


def _send(session: Session, operation: str, path: str, body: Body, token: Token) -> Answer:
    return exchange(
        Call(
            provider_id=session.provider.pk,
            subject=session.subject,
            operation=operation,
            method="POST",
            url=session.provider.base_url.rstrip("/") + path,
            headers=requests.bearer(token.value),
            body=body,
            deadline_s=session.seconds_left,
            secrets=(*session.credentials.secrets, session.sealed_password, token.value),
        )
    )


def _token(session: Session, *, rejected: int | None) -> Token | Outcome:
    """A token, with enough time left to use it."""
    token = access_token(
        session.provider.pk,
        lambda: _fetch_token(session),
        wait_s=max(0.0, session.seconds_left - LEAST_S),
        rejected=rejected,
    )
    if isinstance(token, Token) and session.seconds_left < LEAST_S:
        message = "Getting an access token took too long; nothing was sent."
        return Outcome(OutcomeClass.RETRYABLE, "token_slow", message)
    return token


def _fetch_token(session: Session) -> Fetched | Outcome:
    known = session.credentials
    basic = basic_authorization(known.consumer_key, known.consumer_secret)
    answer = exchange(
        Call(
            provider_id=session.provider.pk,
            subject=session.subject,
            operation="oauth",
            method="GET",
            url=session.provider.base_url.rstrip("/") + requests.TOKEN_PATH,
            headers={"Authorization": basic},
            deadline_s=min(TOKEN_CALL_S, session.seconds_left),
            secrets=(*known.secrets, basic.removeprefix("Basic ")),
            answer_is_secret=True,
        )
    )
    return responses.classify_token_reply(answer)
