"""The database's clock, moved forward by its owner. A folder that wants it says so in its conftest."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

DEFINITION = (
    "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE"
    " AS 'SELECT clock_timestamp() + interval ''{} seconds'''"
)


class Clock:
    """What `ledger_clock()` says, as seen by every process that uses this database."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self._owner = owner
        self.ahead = timedelta(0)

    def advance(self, **by: float) -> None:
        """Move on: ``clock.advance(minutes=6)``."""
        self.set(self.ahead + timedelta(**by))

    def set(self, ahead: timedelta) -> None:
        self.ahead = ahead
        self._owner.execute(DEFINITION.format(ahead.total_seconds()).encode())


@pytest.fixture
def clock(owner_connection: psycopg.Connection) -> Iterator[Clock]:
    """The database's clock; it tells the real time again afterwards."""
    clock = Clock(owner_connection)
    yield clock
    clock.set(timedelta(0))
