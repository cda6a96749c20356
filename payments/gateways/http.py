"""One HTTP call to a gateway: a deadline on the wall clock, a cap on the size, and two log rows.

httpx has no total deadline: a gateway that drips one byte at a time holds a call for ever. So the
call runs in an event loop of its own, which is cancelled when the time is up. It follows no redirects
and tries nothing twice; whoever owns the attempt decides what happens next.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.db import connection, transaction

from ledger.tracing import LONGEST_ID, request_id
from payments.models import GatewayRequest, GatewayResponse
from payments.redaction import HIDDEN, redact

CONNECT_S = 5.0
DEADLINE_S = 30.0
LARGEST_ANSWER = 262_144
# Nothing had been sent when these were raised; every other failure may have reached the gateway.
BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TransactionOpen(RuntimeError):
    """A gateway was about to be called inside a database transaction; commit first, then call."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be made. ``subject`` names what it serves.

    ``deadline_s`` is the most it may take, all in all. ``secrets`` are texts that must not be logged;
    ``answer_is_secret`` keeps a good answer out of the log altogether (a token, whatever its shape).
    """

    provider_id: UUID
    subject: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] | None = None
    deadline_s: float = DEADLINE_S
    secrets: tuple[str, ...] = field(default=(), repr=False)
    answer_is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``status`` is None when the call failed; then ``error`` says how.

    ``sent`` is False only when certainly nothing reached the gateway.
    """

    status: int | None
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: str = ""
    sent: bool = True
    duration_ms: int = 0


class AnswerTooLarge(Exception):
    """The gateway sent more than any answer of its can be."""


def exchange(call: Call) -> Answer:
    """Make the call and log it: the request committed before it, the response after it.

    Raises ``TransactionOpen`` inside a transaction, where a crash or a rollback would lose the
    request and a slow gateway would hold the locks. Never raises for what the gateway does.
    """
    refuse_open_transaction()
    request = _log_request(call)
    started = time.monotonic()
    answer = _timed(_perform(call), started)
    _log_response(request, call, answer)
    return answer


def refuse_open_transaction() -> None:
    """Raise ``TransactionOpen`` inside ``atomic``, but for the one that Django's TestCase wraps around."""
    blocks = getattr(connection, "atomic_blocks", [])
    if connection.in_atomic_block and not (blocks and blocks[-1]._from_testcase):
        raise TransactionOpen("A gateway may not be called inside a transaction.")


def _timed(answer: Answer, started: float) -> Answer:
    duration = round((time.monotonic() - started) * 1000)
    return Answer(answer.status, answer.body, answer.headers, answer.error, answer.sent, duration)


def _log_request(call: Call) -> GatewayRequest:
    body = "" if call.body is None else redact(json.dumps(call.body, default=str), call.secrets)
    with transaction.atomic(durable=True):
        return GatewayRequest.objects.create(
            provider_id=call.provider_id,
            subject=call.subject,
            operation=call.operation,
            method=call.method,
            url=redact(call.url, call.secrets)[:300],
            body=body,
            request_id=request_id.get()[:LONGEST_ID],
        )


def _log_response(request: GatewayRequest, call: Call, answer: Answer) -> None:
    hidden = call.answer_is_secret and answer.status == 200
    with transaction.atomic(durable=True):
        GatewayResponse.objects.create(
            request=request,
            http_status=answer.status,
            body=HIDDEN if hidden else redact(answer.body, call.secrets),
            error=answer.error[:60],
            duration_ms=answer.duration_ms,
        )


def _perform(call: Call) -> Answer:
    """Run the call in an event loop of its own and turn every failure into an answer."""
    progress = _Progress()
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_with_deadline(call, progress))
    except TimeoutError:
        return Answer(None, error="deadline", sent=progress.sent)
    except AnswerTooLarge:
        return Answer(None, error="too_large")
    except httpx.InvalidURL:
        return Answer(None, error="InvalidURL", sent=False)
    except httpx.HTTPError as failure:
        sent = progress.sent or not isinstance(failure, BEFORE_SENDING)
        return Answer(None, error=type(failure).__name__, sent=sent)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Not asyncio.run: it would wait for a name look-up that hangs beyond the deadline.
        loop.close()


class _Progress:
    """Notices, through httpcore's trace, when the first byte of the request goes out."""

    def __init__(self) -> None:
        self.sent = False

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.sent = True


async def _with_deadline(call: Call, progress: _Progress) -> Answer:
    most = float(getattr(settings, "BURSAR_GATEWAY_DEADLINE_S", DEADLINE_S))
    deadline = min(most, call.deadline_s)
    async with asyncio.timeout(deadline):
        return await _request(call, progress, deadline)


async def _request(call: Call, progress: _Progress, deadline: float) -> Answer:
    connect = float(getattr(settings, "BURSAR_GATEWAY_CONNECT_S", CONNECT_S))
    content = None if call.body is None else json.dumps(call.body).encode()
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **call.headers}
    if content is not None:
        headers["Content-Type"] = "application/json"
    async with (
        httpx.AsyncClient(
            # No proxies and no .netrc from the environment: it would replace our Authorization.
            trust_env=False,
            verify=_trust(),
            timeout=httpx.Timeout(deadline, connect=connect),
            follow_redirects=False,
        ) as client,
        client.stream(
            call.method,
            call.url,
            content=content,
            headers=headers,
            extensions={"trace": progress.trace},
        ) as response,
    ):
        body = await _read(response)
    return Answer(response.status_code, body, dict(response.headers))


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise AnswerTooLarge
    return bytes(body)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The certificate authorities, read once per process."""
    return httpx.create_ssl_context()
