"""Many threads at one thing at the same moment, each with a database connection of its own."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

from django.db import connections

from tests import database

Result = TypeVar("Result")
LONGEST = 120  # seconds


def at_once(works: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Run every function in a thread of its own, all starting together; return what each returned, or
    the exception it ended with, in their order."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Result]) -> Result | Exception:
        try:
            connections["default"].ensure_connection()
            barrier.wait(LONGEST)
            return work()
        except Exception as error:  # noqa: BLE001 -- the test looks at what came of it
            return error
        finally:
            connections.close_all()

    with _alone(), ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works, timeout=LONGEST))


@contextmanager
def _alone() -> Iterator[None]:
    """One crowd at a time: test processes share a server with 300 connections."""
    with (database.HOME.path / "crowd.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
