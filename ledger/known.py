"""A cursor for one constant statement: once the server has prepared it, it is sent and its rows are read, no more.

A cursor does much for each statement because it may be any: it looks at the text, keeps the result for whoever
fetches in parts, counts, describes. For the few statements that are run with every request that is more work than
the statement itself.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg._preparing import Prepare
from psycopg._queries import PostgresQuery
from psycopg.generators import execute
from psycopg.pq import ExecStatus

from ledger import beginning


class KnownStatement(psycopg.Cursor[tuple[Any, ...]]):
    """Runs its statement again and again; psycopg decides when it is prepared, and by which name.

    Once it is, a BEGIN that is due goes along with it.
    """

    def __init__(self, connection: psycopg.Connection, statement: str) -> None:
        super().__init__(connection)
        self._statement = statement
        self._known: PostgresQuery | None = None

    def rows(self, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return all rows. Raises what any cursor does."""
        if self._known is None:
            found = self.execute(self._statement, parameters).fetchall()
            self._known = self._convert_query(self._statement, parameters)
            return found
        self._known.dump(parameters)
        prepared, name = self._get_prepared(self._known)
        if prepared is not Prepare.YES or self._conn._pipeline is not None:
            return self.execute(self._statement, parameters).fetchall()
        self._conn._prepared.maybe_add_to_cache(self._known, prepared, name)
        return self._answered(name, self._known)

    def _answered(self, name: bytes, known: PostgresQuery) -> list[tuple[Any, ...]]:
        with self._conn.lock:
            if beginning.is_due(self._conn):
                (result,) = self._conn.wait(beginning.begun_with(self._conn, name, known))
            else:
                self._pgconn.send_query_prepared(name, known.params, param_formats=known.formats)
                (result,) = self._conn.wait(execute(self._pgconn))
        if result.status != ExecStatus.TUPLES_OK:
            self._raise_for_result(result)
        self._tx.set_pgresult(result)
        return self._tx.load_rows(0, result.ntuples, tuple)
