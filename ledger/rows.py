"""Hand-written SQL for the few statements that the ORM would make slowly, and its rows as model instances."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model
from django.db.models.base import ModelState
from psycopg.types.datetime import TimestamptzLoader

from ledger.known import KnownStatement

Row = TypeVar("Row", bound=Model)


def rows_of(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement, a constant, on the default connection and return its rows.

    The server binds the parameters, so that none of them stands in the text of the statement, where logs and
    ``pg_stat_activity`` show it; and it keeps the plan of a statement that it has seen a few times. Raises
    what Django raises.
    """
    default = connections[DEFAULT_DB_ALIAS]
    if not default.in_atomic_block or default.connection is None:
        # It may be the first statement on a connection that was kept, as any cursor of Django's would be.
        default.close_if_health_check_failed()
        default.ensure_connection()
    with default.wrap_database_errors:
        return _known(default.connection, statement).rows(parameters)


def _known(connection: psycopg.Connection, statement: str) -> KnownStatement:
    """The connection's own cursor for this statement, which knows by now how its values are written and read."""
    kept: dict[str, KnownStatement] = vars(connection).setdefault("_known_statements", {})
    if statement not in kept:
        kept[statement] = KnownStatement(connection, statement)
        # The session's time zone is UTC already: Django's own loader would make sure once more.
        kept[statement].adapters.register_loader("timestamptz", TimestamptzLoader)
    return kept[statement]


class Columns(Generic[Row]):
    """The columns of one model in a statement, and the way back from their values to an instance.

    ``without`` names fields that are left in the database, ``only`` those that are not; whoever asks for one
    that was left reads it then.
    """

    def __init__(
        self,
        model: type[Row],
        *,
        without: Collection[str] = (),
        only: Collection[str] | None = None,
    ) -> None:
        self._model = model
        known = model._meta.concrete_fields
        fields = [
            field
            for field in known
            if field.name not in without and (only is None or field.name in only)
        ]
        if missing := {*without, *(only or ())} - {field.name for field in known}:
            raise ValueError(f"{model.__name__} has no {', '.join(sorted(missing))}.")
        self._names = [field.attname for field in fields]
        self._columns = [field.column for field in fields]
        self._converted = [
            (field.attname, field.from_db_value)
            for field in fields
            if hasattr(field, "from_db_value")
        ]

    def of(self, source: str) -> str:
        """The columns as a list for SELECT; ``source`` is what they are read from, such as ``"(x.row)"``."""
        return ", ".join(f'{source}."{column}"' for column in self._columns)

    def read(self, values: Iterator[Any]) -> Row:
        """Take this model's values off a row and return their instance, as if the ORM had read it."""
        named = dict(zip(self._names, values, strict=False))  # the values of others may follow
        for name, convert in self._converted:
            named[name] = convert(named[name], None, connection)
        return _row_with(self._model, named)


def known_row(model: type[Row], **values: Any) -> Row:
    """Return the instance of a row that stands in the database, or will once a statement has run.

    ``values`` are given by the names of their attributes, as the fields have them; what is left out is read
    when somebody asks for it.
    """
    return _row_with(model, values)


def _row_with(model: type[Row], values: dict[str, Any]) -> Row:
    """What ``from_db`` ends in, after asking each field about its value."""
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    vars(row).update(values)
    return row


def join(row: Model, **related: Model | None) -> None:
    """Note on a row what stands at these relations of it, as it was read with the row."""
    row._state.fields_cache.update(related)  # where each relation keeps it, by its own name
