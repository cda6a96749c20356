"""Snapshots: a report reads everything from one moment (design, law 6), from a replica where there is one.

A replica follows the primary a little later. A report that would be older than ``BURSAR_REPLICA_LAG``
seconds, or cannot be had from there, comes from the primary; ``read_from`` says which it was, the answer's
``Bursar-Read-From`` header repeats it, and a fall-back is logged.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.models import Model
from psycopg import sql

Result = TypeVar("Result")
logger = logging.getLogger(__name__)
REPLICA = "replica"
LONGEST_READ = "10min"  # a proof of the whole ledger reads every entry
# A replica that did not answer is left alone for so long.
LEAVE_ALONE_S = 10.0
# How many connections read side by side at most.
READERS = min(os.cpu_count() or 1, 8)

LAG = """
    SELECT pg_is_in_recovery(), CASE WHEN pg_last_wal_replay_lsn() >= %s::pg_lsn THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
"""

_alias: ContextVar[str] = ContextVar("bursar_snapshot", default=DEFAULT_DB_ALIAS)
read_from: ContextVar[str] = ContextVar("bursar_read_from", default="")


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """Whether a replica is ``wanted`` at all and ``usable`` now, and how many seconds it is behind."""

    wanted: bool
    usable: bool
    lag_s: float | None = None
    note: str = ""


class Router:
    """Sends what is read inside a snapshot to where the snapshot is; everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return _alias.get()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


@contextmanager
def one_snapshot(*, on_primary: bool = False) -> Iterator[None]:
    """Read in one REPEATABLE READ, read-only transaction, on the replica when it is near enough.

    ``on_primary`` is for what must be of now: a proof held against heads that were just published. Inside a
    caller's transaction that has begun to read, the isolation cannot be raised any more; there the caller's
    own isolation holds, which only happens under the tests' wrapping transaction.
    """
    if any(connections[alias].in_atomic_block for alias in {DEFAULT_DB_ALIAS, _alias.get()}):
        yield
        return
    alias = DEFAULT_DB_ALIAS if on_primary else _chosen()
    token = _alias.set(alias)
    try:
        with _begun(alias):
            yield
    finally:
        _alias.reset(token)


def side_by_side(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run jobs that read the primary, each as of one same snapshot, on several cores; return what they return.

    Every thread has a connection of its own, which Django's ``connection`` is there. Called inside a
    transaction, whose changes nobody else sees, they run in it one by one.
    """
    if connections[DEFAULT_DB_ALIAS].in_atomic_block or len(jobs) < 2:
        return [job() for job in jobs]
    with _begun(DEFAULT_DB_ALIAS), connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        with ThreadPoolExecutor(max_workers=min(len(jobs), READERS)) as pool:
            return list(pool.map(partial(_as_of, snapshot), jobs))


def _as_of(snapshot: str, job: Callable[[], Result]) -> Result:
    try:
        with _begun(DEFAULT_DB_ALIAS, snapshot):
            return job()
    finally:
        connections[DEFAULT_DB_ALIAS].close()


@contextmanager
def _begun(alias: str, snapshot: str = "") -> Iterator[None]:
    """Begin to read one moment: that of now, or the one that another connection exported as ``snapshot``."""
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if snapshot:
                cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST_READ])
        yield


def _chosen() -> str:
    state = replica_state()
    if not state.wanted:
        read_from.set("primary")
        return DEFAULT_DB_ALIAS
    if not state.usable:
        logger.warning("a report reads the primary: the replica %s", state.note)
        read_from.set(f"primary; the replica {state.note}")
        return DEFAULT_DB_ALIAS
    read_from.set(f"replica; {state.lag_s:.1f} s behind")
    return REPLICA


# --- The replica ------------------------------------------------------------------------------------------


class _Rest:
    """Until when the replica is left alone, in this process."""

    until = 0.0


def replica_state() -> ReplicaState:
    """Ask the replica how far behind it is. Never raises for the replica."""
    if REPLICA not in connections.settings:
        return ReplicaState(wanted=False, usable=False, note="is not set up")
    if time.monotonic() < _Rest.until:
        return ReplicaState(wanted=True, usable=False, note="did not answer a moment ago")
    try:
        return _asked()
    except Error as error:
        _Rest.until = time.monotonic() + LEAVE_ALONE_S
        connections[REPLICA].close()
        return ReplicaState(wanted=True, usable=False, note=f"is down ({type(error).__name__})")


def _asked() -> ReplicaState:
    """Whatever was committed before we asked the primary is there, or its last commit tells the age."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        (written,) = cursor.fetchone()
    connections[REPLICA].close_if_unusable_or_obsolete()
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(LAG, [written])
        follows, lag = cursor.fetchone()
    if not follows:
        return ReplicaState(wanted=True, usable=False, note="is no replica")
    if lag is None:
        return ReplicaState(wanted=True, usable=False, note="has not followed yet")
    behind = float(lag)
    if behind > settings.BURSAR_REPLICA_LAG:
        note = f"is {behind:.0f} s behind"
        return ReplicaState(wanted=True, usable=False, lag_s=behind, note=note)
    return ReplicaState(wanted=True, usable=True, lag_s=behind)
