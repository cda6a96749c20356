"""A cursor that opens a transaction together with its first statement: one way to the server and back for both.

Django leaves BEGIN to psycopg, which sends it before the first statement and waits for its answer. Every
command begins that way, with a short statement of which that would be a part one feels.
"""

from typing import Any

import psycopg
from psycopg import errors
from psycopg._preparing import Prepare
from psycopg.abc import Params, PQGen, Query
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus


class BeginningCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Runs one statement again and again, a constant; once prepared, it takes a BEGIN that is due along.

    Both go by libpq's pipeline, which is left when both are answered. What the server refuses is raised as
    always, in a transaction that has begun or, if it was BEGIN, has not. A connection that breaks in between
    stays in the pipeline: it refuses all else, a ROLLBACK too, upon which Django closes it.
    """

    def _execute_gen(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
    ) -> PQGen[None]:
        if self._is_first(query):
            self._reset()
            known = self._convert_query(query, params)
            prepared, name = self._get_prepared(known, prepare)
            if prepared is Prepare.YES:
                self._pgconn.enter_pipeline_mode()
                self._pgconn.send_query_params(self._conn._get_tx_start_command(), None)
                self._send_query_prepared(name, known, binary=binary)
                self._conn._prepared.maybe_add_to_cache(known, prepared, name)
                yield from self._both_answers()
                yield from self._conn._prepared.maintain_gen(self._conn)
                return
        yield from super()._execute_gen(query, params, prepare=prepare, binary=binary)

    def _is_first(self, query: Query) -> bool:
        """Whether this statement, run here before, is the first one of a transaction."""
        return (
            self._last_query is query
            and not self._conn.autocommit
            and self._pgconn.transaction_status == TransactionStatus.IDLE
            and not self._conn._pipeline
        )

    def _both_answers(self) -> PQGen[None]:
        self._pgconn.pipeline_sync()
        yield from send(self._pgconn)
        (begun,) = yield from fetch_many(self._pgconn)
        results = yield from fetch_many(self._pgconn)
        yield from fetch_many(self._pgconn)  # that both are done
        self._pgconn.exit_pipeline_mode()
        if begun.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(begun, encoding=self._encoding)
        self._check_results(results)
        self._set_results(results)
