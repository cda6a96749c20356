"""A journey of the database's clock through the past, for as long as somebody holds a lock.

Whatever happens to the traveller, the clock is right again: the shift counts only while the connection of the
tables' owner that holds the lock is alive.
"""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

LOCK = 20_260_302
RIGHT = "SELECT clock_timestamp()"
SHIFTED = """
    SELECT clock_timestamp() - CASE WHEN EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = {pid} AND objid = {lock}
    ) THEN {shift}::interval ELSE '0'::interval END
"""


class Journey:
    """Redefines ``ledger_clock()`` as the owner of the tables. Use it in a ``with`` statement."""

    def __init__(self, owner_url: str) -> None:
        self._owner = psycopg.connect(owner_url, autocommit=True)
        self.now = datetime.now(UTC)

    def __enter__(self) -> Self:
        self._owner.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        self._define(sql.SQL(RIGHT))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._define(sql.SQL(RIGHT))
        finally:
            self._owner.close()

    def travel(self, moment: datetime) -> None:
        """Let the database's clock show ``moment`` now and run on from there."""
        shift: timedelta = datetime.now(UTC) - moment
        statement = sql.SQL(SHIFTED).format(
            pid=sql.Literal(self._owner.info.backend_pid),
            lock=sql.Literal(LOCK),
            shift=sql.Literal(f"{shift.total_seconds():.6f} seconds"),
        )
        self._define(statement)
        self.now = moment

    def _define(self, body: sql.SQL | sql.Composed) -> None:
        text = sql.Literal(body.as_string(self._owner))
        self._owner.execute(
            sql.SQL(
                "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz"
                " LANGUAGE sql VOLATILE AS {}"
            ).format(text)
        )
