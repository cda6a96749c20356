"""Turning the database's clock, which only the owner of the tables can."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

DEFINITION = sql.SQL(
    "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE"
    " AS $$ SELECT clock_timestamp() + interval {} $$"
)


@contextmanager
def turned(owner: psycopg.Connection, by: str) -> Iterator[None]:
    """Let the database's clock be ahead by an interval ("1 day", "-2 hours") for the block."""
    owner.execute(DEFINITION.format(by))
    try:
        yield
    finally:
        owner.execute(
            "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE"
            " AS 'SELECT clock_timestamp()'"
        )
