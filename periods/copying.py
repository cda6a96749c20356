"""Writing many rows at once, with PostgreSQL's COPY."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of texts and plain values, in the order of ``columns``, with one statement."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def written_amounts(units: Iterable[int], decimals: int) -> str:
    """Write minor units as a PostgreSQL array of amounts with so many decimals."""
    exponent = f"e-{decimals}"
    written = f"{exponent},".join(map(str, units))
    return f"{{{written}{exponent if written else ''}}}"


def written_amount(units: int, decimals: int) -> str:
    """Write minor units as PostgreSQL reads an amount with so many decimals: -5 with two is -5e-2."""
    return f"{units}e-{decimals}"
