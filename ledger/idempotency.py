"""Idempotency keys: the same request, asked again, gets the same answer and no second effect.

The answer is stored in the transaction of its effect, so that a crash between the two cannot part them.
Two requests with one key at the same time are told apart by an advisory lock that ends with the
transaction; refusals roll back and are therefore never stored. An answer may show a phone number or a bank
account, so it is encrypted at rest.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from psycopg.types.json import Jsonb

from ledger.encryption import decrypt, encrypt
from ledger.ids import new_ids
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


@dataclass(slots=True)
class Request:
    """A request that carries a key: whose, for what, and how its result is turned into an answer.

    ``is_kept`` is whether this transaction has stored the answer.
    """

    user_id: UUID
    scope: str
    key: str
    request_hash: bytes
    answer: Callable[[Any], Answer]
    is_kept: bool = False


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
_current: ContextVar[Request | None] = ContextVar("idempotent_request", default=None)


def hash_of(body: Any) -> bytes:
    """Return the keyed SHA-256 of a request body in canonical JSON.

    Keyed, for whoever has a dump knows all of the body but a phone number, and could try them all.
    """
    canonical = CANONICAL.encode(body)
    key: bytes = settings.BURSAR_INDEX_KEY
    return hmac.new(key, b"request body\0" + canonical.encode(), hashlib.sha256).digest()


# The look-up is a function's, which sees what was committed before the lock was free.
CLAIM = "SELECT free, request_hash, status_code, body FROM ledger_claim_key(%s, %s, %s, %s)"
CLAIM_WITH = """
    SELECT claim.free, claim.request_hash, claim.status_code, claim.body, found.*
    FROM ledger_claim_key(%s, %s, %s, %s) claim LEFT JOIN LATERAL ({statement}) found ON true
"""
# What is looked for is nothing unless the key is this request's now.
IF_CLAIMED = "CASE WHEN claim.free AND claim.request_hash IS NULL THEN %s::uuid END"
KEEP = """
    INSERT INTO ledger_idempotencykey (id, user_id, scope, key, request_hash, status_code, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
CLAIMED = 4
# All of it at once: nothing is done while another request has the key, or where the table refuses one that was used
# before. The answer is written first, for what is done may take locks that others wait for.
AT_ONCE = """
    SELECT CASE WHEN pg_try_advisory_xact_lock(%s) THEN
           CASE WHEN ledger_keep_answer(%s, %s, %s, %s, %s, %s::smallint, %s) THEN {done} END END
"""


@contextmanager
def answering(request: Request | None) -> Iterator[None]:
    """Let the next command store its answer under the request's key, or raise ``Replay``."""
    token = _current.set(request)
    try:
        yield
    finally:
        _current.reset(token)


def claim() -> None:
    """Take the current request's key, if it carries one, for this transaction.

    Raises ``Replay`` with the stored answer, ``KeyMismatch`` when the stored request was another,
    ``KeyInUse`` while the first one still runs.
    """
    request = _current.get()
    if request:
        _require_claimed(request, rows_of(CLAIM, _asked(request))[0])


class Claiming:
    """A statement that claims the current request's key, and finds something only then: one round trip.

    The statement says ``{id}`` for its first parameter, without which it finds (and locks) nothing.
    """

    def __init__(self, statement: str) -> None:
        self._plain = statement.format(id="%s")
        self._claiming = CLAIM_WITH.format(statement=statement.format(id=IF_CLAIMED))

    def first(self, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
        """Return the first row that is found, None without one. Raises what ``claim`` does."""
        request = _current.get()
        if request is None:
            return next(iter(rows_of(self._plain, parameters)), None)
        row = rows_of(self._claiming, (*_asked(request), *parameters))[0]
        _require_claimed(request, row[:CLAIMED])
        return row[CLAIMED:] if row[CLAIMED] is not None else None


def _asked(request: Request) -> tuple[int, UUID, str, str]:
    lock = hashlib.sha256(f"{request.user_id} {request.scope} {request.key}".encode()).digest()[:8]
    number = int.from_bytes(lock, "big", signed=True)
    return number, request.user_id, request.scope, request.key


def _require_claimed(request: Request, found: tuple[Any, ...]) -> None:
    free, request_hash, status_code, body = found
    if not free:
        message = "A request with this Idempotency-Key is still running."
        raise KeyInUse(message, retry_after=1)
    if request_hash is None:
        request.is_kept = False
    elif bytes(request_hash) != request.request_hash:
        raise KeyMismatch("This Idempotency-Key was used before with another body.")
    else:
        raise Replay(status_code, json.loads(decrypt(json.loads(body))))


def complete(result: Any) -> None:
    """Store the answer to the current request, if there is one, in the transaction of its effect."""
    request = _current.get()
    if request and not request.is_kept:
        rows_of(KEEP, _kept(request, result))


def completing(statement: str, result: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the statement, storing the answer as well where one is kept, and the parameters that come first.

    ``result`` is what the command will return, and already says all that the answer will.
    """
    request = _current.get()
    if request is None:
        return statement, ()
    request.is_kept = True
    return f"WITH kept AS ({KEEP}) {statement}", _kept(request, result)


def at_once(done: str, parameters: Sequence[Any], result: Any) -> tuple[str, tuple[Any, ...]]:
    """Return a statement that takes the key, keeps the answer and does something, and its parameters.

    ``done`` is an expression with these ``parameters`` that does it, and is true or false; where it does nothing it
    raises, never null, for the answer is kept by then. ``result`` is what the command will return, and says
    all that the answer will. Where another request has the key nothing is done, and the statement returns null; the
    database refuses a key that was used before. Then ``claim`` says why.
    """
    request = _current.get()
    if request is None:
        return f"SELECT {done}", tuple(parameters)
    lock, *_ = _asked(request)
    return AT_ONCE.format(done=done), (lock, *_kept(request, result), *parameters)


def _kept(request: Request, result: Any) -> tuple[Any, ...]:
    status_code, body = request.answer(result)
    asked = (request.user_id, request.scope, request.key, request.request_hash)
    return *new_ids(1), *asked, status_code, Jsonb(encrypt(json.dumps(body)))
