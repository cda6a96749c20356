"""Lists in pages: ``results, next, previous``, each page equally quick however long the list is.

A page is found by the values of its neighbour's ordering columns, never by counting rows: nothing is
missed or seen twice while others write, and page one thousand costs what page one does.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the ordering, the values of the row beside it, and which way to read."""

    ordering: tuple[str, ...]
    values: tuple[str, ...]
    forward: bool

    def encode(self) -> str:
        text = json.dumps([self.ordering, self.values, self.forward], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Read what ``encode`` wrote; raise ``ValueError`` for anything else."""
        padded = text + "=" * (-len(text) % 4)
        ordering, values, forward = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
        if not isinstance(forward, bool) or not all(isinstance(value, str) for value in values):
            raise ValueError("not a cursor")
        return cls(tuple(ordering), tuple(values), forward)


class Pages(BasePagination):
    """Pages of 50 rows, or ``?page_size=`` up to 200, walked by ``next`` and ``previous``.

    The rows must be ordered by names of columns that are never null, the last of them unique.
    """

    page_size = 50
    largest_page = 200

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        ordering = ordering_of(queryset)
        size = self._size(request)
        cursor = self._cursor(request, ordering)
        forward = cursor is None or cursor.forward
        if cursor is not None:
            queryset = queryset.filter(_beyond(queryset.model, cursor))
        queryset = queryset.order_by(*(name if forward else _turned(name) for name in ordering))
        rows = list(queryset[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if not forward:
            rows.reverse()
        has_next, has_previous = (more, cursor is not None) if forward else (True, more)
        self.next = self._link(ordering, rows[-1:], forward=True) if has_next else None
        self.previous = self._link(ordering, rows[:1], forward=False) if has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next, "previous": self.previous})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": self.largest_page}
        return [
            {
                "name": "page_size",
                "in": "query",
                "description": f"Rows in a page; {self.page_size} when left out.",
                "schema": size | {"default": self.page_size},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page begins; comes in `next` and `previous`.",
                "schema": {"type": "string"},
            },
        ]

    def _size(self, request: Request) -> int:
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and len(given) <= 6 and int(given) > 0):
            raise InvalidParameter({"page_size": ["This is a number from 1 to 200."]})
        return min(int(given), self.largest_page)

    def _cursor(self, request: Request, ordering: tuple[str, ...]) -> Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        refusal = InvalidParameter({"cursor": ["This cursor does not belong to this list."]})
        try:
            cursor = Cursor.decode(text)
        except (ValueError, TypeError, binascii.Error, RecursionError):
            raise refusal from None
        if cursor.ordering != ordering or len(cursor.values) != len(ordering):
            raise refusal
        return cursor

    def _link(
        self, ordering: tuple[str, ...], rows: Sequence[Model], *, forward: bool
    ) -> str | None:
        here = self.request.build_absolute_uri()
        if not rows:  # the rows that were here are gone: start anew
            return remove_query_param(here, "cursor")
        values = tuple(_written(_value(rows[0], name)) for name in ordering)
        return replace_query_param(here, "cursor", Cursor(ordering, values, forward).encode())


def ordering_of(queryset: QuerySet[Any]) -> tuple[str, ...]:
    """Return the names the rows are ordered by, with the primary key last so that no two rows tie."""
    given = queryset.query.order_by or queryset.model._meta.ordering or ()
    names = tuple(name for name in given if isinstance(name, str))
    key = queryset.model._meta.pk.name
    if not names:
        return (key,)
    if names[-1].lstrip("-") in {"pk", key}:
        return names
    return (*names, f"-{key}" if names[-1].startswith("-") else key)


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.lstrip("-").split("__"):
        value = getattr(value, part)
    return value.pk if isinstance(value, Model) else value


def _written(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _field(model: type[Model], name: str) -> Any:
    """Return the column behind an ordering such as ``-account__code``."""
    field: Any = None
    for part in name.lstrip("-").split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        model = field.related_model or model
    if field is None:
        raise FieldDoesNotExist(name)
    return field.target_field if field.is_relation else field


def _read(field: Any, text: str) -> Any:
    """Read what ``_written`` wrote of the column's value; refuse what PostgreSQL would choke on."""
    if "\0" in text:
        raise ValidationError("not a cursor")
    value = field.to_python(text)
    aware = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC) if aware else value


def _beyond(model: type[Model], cursor: Cursor) -> Q:
    """Return the condition for the rows after the cursor, or before it when reading backward."""
    try:
        values = [
            _read(_field(model, name), value)
            for name, value in zip(cursor.ordering, cursor.values, strict=True)
        ]
    except (ValidationError, OverflowError):
        message = "This cursor does not belong to this list."
        raise InvalidParameter({"cursor": [message]}) from None
    beyond = Q()
    for name, value in reversed(list(zip(cursor.ordering, values, strict=True))):
        column = name.lstrip("-")
        after = "lt" if name.startswith("-") is cursor.forward else "gt"
        tie = Q(**{column: value}) & beyond if beyond else None
        beyond = Q(**{f"{column}__{after}": value})
        if tie is not None:
            # the bound on the first column alone is what an index can start from
            beyond = Q(**{f"{column}__{after}e": value}) & (beyond | tie)
    return beyond
