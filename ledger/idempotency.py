"""Idempotency keys: the same request, asked again, gets the same answer and no second effect.

The answer is stored in the transaction of its effect, so that a crash between the two cannot part them.
Two requests with one key at the same time are told apart by an advisory lock that ends with the
transaction; refusals roll back and are therefore never stored. An answer may show a phone number or a bank
account, so it is encrypted at rest.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from psycopg.types.json import Jsonb

from ledger.encryption import decrypt, encrypt
from ledger.refusals import Conflict, RuleBroken
from ledger.rows import rows_of

Answer = tuple[int, Any]


class KeyInUse(Conflict):
    """The first request with this key is still being answered; ask again shortly."""

    code = "idempotency_in_progress"
    title = "Request in progress"


class KeyMismatch(RuleBroken):
    """This key was used before with another request."""

    code = "idempotency_mismatch"
    title = "Idempotency-Key used before"


class Replay(Exception):
    """Not an error: the stored answer, carried past the command that need not run again."""

    def __init__(self, status_code: int, body: Any) -> None:
        super().__init__(status_code)
        self.status_code = status_code
        self.body = body


@dataclass(frozen=True, slots=True)
class Request:
    """A request that carries a key: whose, for what, and how its result is turned into an answer."""

    user_id: UUID
    scope: str
    key: str
    request_hash: bytes
    answer: Callable[[Any], Answer]


_current: ContextVar[Request | None] = ContextVar("idempotent_request", default=None)


def hash_of(body: Any) -> bytes:
    """Return the keyed SHA-256 of a request body in canonical JSON.

    Keyed, for whoever has a dump knows all of the body but a phone number, and could try them all.
    """
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    key: bytes = settings.BURSAR_INDEX_KEY
    return hmac.new(key, b"request body\0" + canonical.encode(), hashlib.sha256).digest()


# The look-up is a function's, which sees what was committed before the lock was free.
CLAIM = """
    SELECT free, request_hash, status_code, body
    FROM ledger_claim_key(%s, %s, %s, %s)
"""
KEEP = """
    INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


@contextmanager
def answering(request: Request | None) -> Iterator[None]:
    """Let the next command store its answer under the request's key, or raise ``Replay``."""
    token = _current.set(request)
    try:
        yield
    finally:
        _current.reset(token)


def claim() -> Request | None:
    """Take the current request's key for this transaction.

    Returns None where there is no key. Raises ``Replay`` with the stored answer, ``KeyMismatch`` when the
    stored request was another, ``KeyInUse`` while the first one still runs.
    """
    request = _current.get()
    if request is None:
        return None
    lock = hashlib.sha256(f"{request.user_id} {request.scope} {request.key}".encode()).digest()[:8]
    number = int.from_bytes(lock, "big", signed=True)
    asked = (number, request.user_id, request.scope, request.key)
    free, request_hash, status_code, body = rows_of(CLAIM, asked)[0]
    if not free:
        message = "A request with this Idempotency-Key is still running."
        raise KeyInUse(message, retry_after=1)
    if request_hash is None:
        return request
    if bytes(request_hash) != request.request_hash:
        raise KeyMismatch("This Idempotency-Key was used before with another body.")
    raise Replay(status_code, json.loads(decrypt(json.loads(body))))


def complete(request: Request, result: Any) -> None:
    """Store the answer to the request, in the transaction of its effect."""
    status_code, body = request.answer(result)
    asked = (request.user_id, request.scope, request.key, request.request_hash)
    rows_of(KEEP, (uuid4(), *asked, status_code, Jsonb(encrypt(json.dumps(body)))))
