"""Snapshots: a report reads everything from one moment (design, law 6)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

LONGEST_READ = "10min"  # a proof of the whole ledger reads every entry


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read in one REPEATABLE READ, read-only transaction.

    Inside a caller's transaction that has begun to read, the isolation cannot be raised any more; there
    the caller's own isolation holds, which only happens under the tests' wrapping transaction.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST_READ])
        yield
