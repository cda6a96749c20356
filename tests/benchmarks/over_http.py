"""Paying over HTTP, measured against the floor: a web with two workers, four callers of each at once.

The callers share the machine with what they measure, so they do as little as a client can: a request is some
bytes on a socket that is kept, of an answer the status is looked at and the body is read to its end. A caller
takes a fiftieth of what the web and PostgreSQL take for it and sleeps meanwhile, so threads of one process
do not wait for each other. The floor's callers are threads of the same process, too.
"""

import re
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit
from uuid import UUID

from knox.models import AuthToken

from ledger.models import User
from tests.benchmarks.figures import Figure
from tests.benchmarks.floor import paying_by_hand
from tests.benchmarks.office import Office
from tests.conftest import environment_of_children
from tests.web import Web, serving

WORKERS = 2
CALLERS = 4
IN_A_ROUND = 400
PATIENCE_S = 60
Pay = Callable[[UUID], object]

REQUEST = (
    "POST /api/payments/{payment_id}/execute/ HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "Authorization: Token {token}\r\n"
    "Idempotency-Key: {payment_id}\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 2\r\n"
    "\r\n"
    "{{}}"
)
PAID = b"HTTP/1.1 200 "
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
AT_ONCE = 65_536


@contextmanager
def web_of(office: Office) -> Iterator[Web]:
    """A web on the office's database, as an instance runs it; it logs warnings only."""
    with serving(environment_of_children(office.name), workers=WORKERS) as web:
        yield web


def against_floor(
    office: Office,
    web: Web,
    sets: Sequence[tuple[Sequence[UUID], Sequence[UUID]]],
    label: str,
    *,
    aim: float,
) -> Figure:
    """Execute each set over HTTP and by hand, in turns; return the time for one payment of the throughput."""
    ours: list[float] = []
    theirs: list[float] = []
    with ExitStack() as stack:
        by_hand = [stack.enter_context(paying_by_hand(office)) for _ in range(CALLERS)]
        token = _token(office)
        for number, (executed, by_floor) in enumerate(sets):
            taken = _together(by_hand, by_floor), _over(web, token, executed)
            if number:  # the first round is for the caches
                theirs.append(taken[0])
                ours.append(taken[1])
    return Figure.of(label, this=statistics.median(ours), floor=statistics.median(theirs), aim=aim)


def _over(web: Web, token: str, payments: Sequence[UUID]) -> float:
    """The same as ``_together`` on connections of this round: the web drops them while the floor is measured."""
    with ExitStack() as stack:
        callers = [stack.enter_context(paying_over(web, token)) for _ in range(CALLERS)]
        return _together(callers, payments)


@contextmanager
def paying_over(web: Web, token: str) -> Iterator[Pay]:
    """Execute payments on one connection that is kept."""
    address = urlsplit(web.url)
    assert address.hostname
    known = {"host": address.netloc, "token": token}
    with socket.create_connection((address.hostname, address.port), PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def pay(payment_id: UUID) -> object:
            connection.sendall(REQUEST.format(payment_id=payment_id, **known).encode("ascii"))
            return _paid(connection)

        yield pay


def _paid(connection: socket.socket) -> bytes:
    """Read one answer to its end and return its body; it must say 200 and how long it is."""
    answer = b""
    while END_OF_HEAD not in answer:
        answer += _more(connection)
    head, _, body = answer.partition(END_OF_HEAD)
    length = LENGTH.search(head + b"\r\n")
    assert length, head
    while len(body) < int(length[1]):
        body += _more(connection)
    assert head.startswith(PAID), (head, body)
    assert len(body) == int(length[1]), (head, body)
    return body


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(AT_ONCE)
    assert received, "the web closed the connection"
    return received


def _token(office: Office) -> str:
    user = office.treasurer.user
    assert isinstance(user, User)
    _, token = AuthToken.objects.create(user=user)
    return str(token)


def _together(callers: Sequence[Pay], payments: Sequence[UUID]) -> float:
    """Let each caller pay his part, all at once; return the seconds for each payment."""

    def work(number: int) -> None:
        for payment_id in payments[number :: len(callers)]:
            callers[number](payment_id)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(callers)) as pool:
        list(pool.map(work, range(len(callers))))
    return (time.perf_counter() - began) / len(payments)
