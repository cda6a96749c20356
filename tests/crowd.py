"""Many threads that do something at the same instant, each with a database connection of its own."""

import fcntl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, connections

from ledger.models import Account
from ledger.refusals import Refusal
from tests import database

Result = TypeVar("Result")
PATIENCE_S = 60.0
LOCKS_WITHIN_S = 50


@contextmanager
def _alone() -> Iterator[None]:
    """One crowd at a time in the cluster: two would want more connections than it gives."""
    with (database.HOME.path / "crowd.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _be_patient() -> None:
    """Connect, and wait for locks as long as a busy machine needs: who comes first is asked, not how soon."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCKS_WITHIN_S}s'")
        cursor.execute(f"SET statement_timeout = '{LOCKS_WITHIN_S}s'")


def at_once(
    acts: Sequence[Callable[[], Result]], *, connected: bool = True
) -> list[Result | Exception]:
    """Run each act in a thread, all let go together; return what each returned or raised, in order.

    ``connected`` threads have their database connection before they are let go.
    """
    outcomes: list[Any] = [AssertionError("the thread did not end")] * len(acts)
    gate = threading.Barrier(len(acts), timeout=PATIENCE_S)

    def run(place: int, act: Callable[[], Result]) -> None:
        try:
            if connected:
                _be_patient()
            gate.wait()
            outcomes[place] = act()
        except Exception as error:  # noqa: BLE001 -- the test judges what came of each act
            outcomes[place] = error
        finally:
            connections.close_all()

    with _alone():
        threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    return outcomes


def tally(outcomes: Sequence[object]) -> dict[str, int]:
    """Count outcomes: "done", a refusal's code, or the name of an unexpected error."""
    return dict(Counter(map(_word, outcomes)))


def _word(outcome: object) -> str:
    if isinstance(outcome, Refusal):
        return f"{outcome.status} {outcome.code}"
    return repr(outcome) if isinstance(outcome, Exception) else "done"


@contextmanager
def watched(account: Account) -> Iterator[list[Decimal]]:
    """Read what is available on the account again and again, from a thread; the list fills meanwhile."""
    seen: list[Decimal] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(Account.objects.get(pk=account.pk).available)
            over.wait(0.005)
        connections.close_all()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(PATIENCE_S)
