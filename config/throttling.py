"""How often a person, a token or an address may ask: counted in Redis, and not at all without it.

This keeps one caller from taking the place of all others. What protects codes and passwords against
guessing is counted in PostgreSQL; with Redis down nothing here refuses anything, and money work goes on.

Large rates are counted in portions: a process takes a thousandth of a rate from Redis at a time, and hands it out
before it asks again. So nobody is ever let through beyond his rate; whoever reaches it may be turned away
by as many thousandths too early as there are processes that still hold some.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

WINDOW_S = 60
# After Redis did not answer, it is left alone for so long: a request should not wait for it each time.
PAUSE_S = 10.0
PATIENCE_S = 0.2
PORTIONS = 1000
CODES = frozenset({"payment.send_otp", "payment.verify_otp"})
LOGIN_PATH = "/api/auth/token"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
Counter = tuple[str, str, int]
# Adds its portion to each key's counter, lets new ones end, and returns what they said before; one round trip.
COUNT = """
local before = {}
for place, name in ipairs(KEYS) do
    before[place] = redis.call('INCRBY', name, ARGV[place + 1]) - ARGV[place + 1]
    if before[place] == 0 then redis.call('EXPIRE', name, ARGV[1]) end
end
return before
"""
COUNT_SHA = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()


class Throttle(BaseThrottle):
    """At most so many sign-ins, codes and writes a minute (``settings.BURSAR_RATES``)."""

    _silent_until = 0.0

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; False when it is beyond a rate of who asks."""
        if request.method in READS or time.monotonic() < Throttle._silent_until:
            return True
        try:
            if _portions.take(list(_counters(request, view))):
                return True
        except redis.RedisError:
            Throttle._silent_until = time.monotonic() + PAUSE_S
            logger.warning("Redis does not answer: rates of requests are not limited meanwhile")
            return True
        self._wait = WINDOW_S - time.time() % WINDOW_S + 1
        return False

    def wait(self) -> float | None:
        """Seconds until the next window; it becomes ``Retry-After``."""
        return self._wait


def _counters(request: Request, view: Any) -> Iterator[Counter]:
    """What the request counts against: kind, who, and how many a minute are allowed."""
    rates: dict[str, int] = settings.BURSAR_RATES
    address = request.META.get("REMOTE_ADDR") or ""
    if request.path.startswith(LOGIN_PATH):
        yield "login", address, rates["login"]
        return
    user = request.user.pk if request.user.is_authenticated else None
    if user is None:
        # A gateway's callback is never turned away: the answer may be the only one there is.
        return
    if getattr(view, "action", "") in CODES:
        yield "codes", f"user {user}", rates["codes"]
    token = request.META.get("HTTP_AUTHORIZATION", "")
    if token:
        yield "writes", f"token {token}", rates["writes"]
    yield "writes", f"user {user}", rates["writes"]
    yield "writes", f"address {address}", rates["address"]


class Portions:
    """What this process has taken from Redis of the counters of this minute, and not yet handed out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._left: dict[tuple[str, str], int] = {}

    def take(self, counters: Sequence[Counter]) -> bool:
        """Take one of each counter; False when one has none any more. Raises ``redis.RedisError``."""
        window = int(time.time() // WINDOW_S)
        with self._lock:
            if window != self._window:
                self._window, self._left = window, {}
            short = [counter for counter in counters if not self._has(counter)]
        if not short:
            return True
        before = _count(window, short)
        granted = [
            min(_portion(most), most - found)
            for (_, _, most), found in zip(short, before, strict=True)
        ]
        with self._lock:
            for (kind, who, _), number in zip(short, granted, strict=True):
                if number > 1 and window == self._window:
                    self._left[kind, who] = self._left.get((kind, who), 0) + number - 1
        return all(number > 0 for number in granted)

    def _has(self, counter: Counter) -> bool:
        """Hand out one of what is left of this counter, if anything is."""
        kind, who, _ = counter
        left = self._left.get((kind, who), 0)
        if left:
            self._left[kind, who] = left - 1
        return left > 0


def _portion(most: int) -> int:
    """How many are taken at a time: one where a rate is small, so that small rates are exact."""
    return max(1, most // PORTIONS)


def _count(window: int, counters: Sequence[Counter]) -> list[int]:
    """Add its portion to each counter of this minute and return what they said before, in one round trip."""
    names = [_name(window, kind, who) for kind, who, _ in counters]
    return _line.count(names, [_portion(most) for _, _, most in counters])


def _name(window: int, kind: str, who: str) -> str:
    """The key of a counter; only a hash of a token ever leaves the process."""
    return f"bursar:rate:{window}:{hashlib.sha256(f'{kind} {who}'.encode()).hexdigest()}"


class _Line(threading.local):
    """Each thread's own connection to Redis, on which counting is a write and a read.

    A client takes more time for its pool, its retries and its measuring than for what is asked here.
    """

    def __init__(self) -> None:
        pool = redis.ConnectionPool.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        )
        self._connection = pool.make_connection()

    def count(self, names: Sequence[str], portions: Sequence[int]) -> list[int]:
        """Add its portion to each counter, return what they said before; raise ``redis.RedisError``."""
        asked: tuple[str | int, ...] = (len(names), *names, 2 * WINDOW_S, *portions)
        try:
            return self._answer("EVALSHA", COUNT_SHA, *asked)
        except redis.exceptions.NoScriptError:
            return self._answer("EVAL", COUNT, *asked)  # which keeps it there

    def _answer(self, *words: str | int) -> list[int]:
        """Ask, and on a new connection if Redis closed this one since it was last used."""
        try:
            return self._said(*words)
        except redis.ConnectionError:
            return self._said(*words)

    def _said(self, *words: str | int) -> list[int]:
        self._connection.send_command(*words)  # type: ignore[no-untyped-call]
        return list(map(int, self._connection.read_response()))


_line = _Line()
_portions = Portions()
