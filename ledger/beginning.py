"""Opening a transaction together with its first statement: one way to the server and back for both.

Django leaves BEGIN to psycopg, which sends it before the first statement and waits for its answer. Every
command begins that way, with a short statement of which that would be a part one feels.
"""

import psycopg
from psycopg import errors
from psycopg._queries import PostgresQuery
from psycopg.abc import PQGen
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult


def is_due(connection: psycopg.Connection) -> bool:
    """Whether the next statement is the first one of a transaction."""
    return (
        connection.pgconn.transaction_status == TransactionStatus.IDLE and not connection.autocommit
    )


def begun_with(
    connection: psycopg.Connection, name: bytes, prepared: PostgresQuery
) -> PQGen[list[PGresult]]:
    """Send BEGIN and a prepared statement; return what the server says to the statement.

    Both go by libpq's pipeline, which is left when both are answered. What the server refuses of the statement
    is in the results, in a transaction that has begun; a refused BEGIN is raised, and nothing was run. A
    connection that breaks in between stays in the pipeline: it refuses all else, a ROLLBACK too, upon which
    Django closes it.
    """
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    pgconn.send_query_params(connection._get_tx_start_command(), None)
    pgconn.send_query_prepared(name, prepared.params, param_formats=prepared.formats)
    pgconn.pipeline_sync()
    yield from send(pgconn)
    (begun,) = yield from fetch_many(pgconn)
    results: list[PGresult] = yield from fetch_many(pgconn)
    yield from fetch_many(pgconn)  # that both are done
    pgconn.exit_pipeline_mode()
    if begun.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(begun, encoding=connection.info.encoding)
    return results
