"""One POST to an address that a client gave: pinned to the address that was looked at, within a deadline.

httpx has no total deadline, so the call runs in an event loop of its own that is cancelled when the time is
up; an answer's body is not read at all. No redirect is followed, no proxy asked, nothing tried twice.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx
from django.conf import settings
from django.db import connection

from ledger.destinations import Destination, RefusedDestination, look_up, read_destination

CONNECT_S = 5.0
DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, or None and why there is none."""

    status: int | None
    error: str = ""
    duration_ms: int = 0

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The reply in a word, for people."""
        return self.error or f"HTTP {self.status}"


class TransactionOpen(RuntimeError):
    """A client was about to be called inside a database transaction; commit first, then call."""


def post(*, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Send ``body`` and return what came back; never raises for what the other side does or is.

    Raises ``TransactionOpen`` inside ``atomic``, but for the one that Django's TestCase wraps around.
    """
    blocks = getattr(connection, "atomic_blocks", [])
    if connection.in_atomic_block and not (blocks and blocks[-1]._from_testcase):
        raise TransactionOpen("A client may not be called inside a transaction.")
    started = time.monotonic()
    status, error = _perform(url, headers, body)
    return Reply(status, error, round((time.monotonic() - started) * 1000))


def _perform(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str]:
    deadline = float(getattr(settings, "BURSAR_WEBHOOK_DEADLINE_S", DEADLINE_S))
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_with_deadline(url, headers, body, deadline)), ""
    except RefusedDestination as refused:
        return None, f"refused: {refused.detail}"[:80]
    except TimeoutError:
        return None, "deadline"
    except httpx.HTTPError as failure:
        return None, type(failure).__name__
    except (OSError, UnicodeError):
        return None, "name_not_known"
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Not asyncio.run: it would wait for a name look-up that hangs beyond the deadline.
        loop.close()


async def _with_deadline(url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> int:
    async with asyncio.timeout(deadline):
        destination = read_destination(url)
        address = str(await look_up(destination))
        return await _send(destination, address, headers, body, deadline)


async def _send(
    destination: Destination,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    deadline: float,
) -> int:
    """Connect to ``address``, and let certificate and ``Host`` be those of the name."""
    scheme = "https" if destination.tls else "http"
    literal = f"[{address}]" if ":" in address else address
    async with (
        httpx.AsyncClient(
            # No proxies and no .netrc from the environment.
            trust_env=False,
            verify=_trust(),
            timeout=httpx.Timeout(deadline, connect=CONNECT_S),
            follow_redirects=False,
        ) as client,
        client.stream(
            "POST",
            f"{scheme}://{literal}:{destination.port}{destination.path}",
            content=body,
            headers={
                "Host": destination.authority,
                "User-Agent": "Bursar",
                "Accept-Encoding": "identity",
                **headers,
            },
            extensions={"sni_hostname": destination.host},
        ) as response,
    ):
        return response.status_code


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The certificate authorities, read once per process."""
    return httpx.create_ssl_context()
