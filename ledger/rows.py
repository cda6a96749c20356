"""Rows of hand-written SQL as model instances: for the few statements that the ORM would make slowly."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


class Columns(Generic[Row]):
    """The columns of one model in a statement, and the way back from their values to an instance.

    ``without`` names fields that are left in the database; whoever asks for one reads it then.
    """

    def __init__(self, model: type[Row], *, without: Collection[str] = ()) -> None:
        self._model = model
        fields = [field for field in model._meta.concrete_fields if field.name not in without]
        self._names = [field.attname for field in fields]
        self._columns = [field.column for field in fields]
        self._converted = [
            (place, field.from_db_value)
            for place, field in enumerate(fields)
            if hasattr(field, "from_db_value")
        ]

    def of(self, source: str) -> str:
        """The columns as a list for SELECT; ``source`` is what they are read from, such as ``"(x.row)"``."""
        return ", ".join(f'{source}."{column}"' for column in self._columns)

    def read(self, values: Iterator[Any]) -> Row:
        """Take this model's values off a row and return their instance, as if the ORM had read it."""
        converted = list(islice(values, len(self._names)))
        for place, convert in self._converted:
            converted[place] = convert(converted[place], None, connection)
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, converted)
