"""Reading request bodies: limited in size, fractions as decimals, everything unreadable 400 on ``body``."""

import json
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

TOO_LARGE = "The body is too large."
NOT_JSON = "The body is not JSON."


def announced_length(context: dict[str, Any] | None) -> int:
    """The length that the request says its body has; 0 where it says nothing."""
    length = str((context or {})["request"].META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isdigit() and len(length) < 20 else 0


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name twice in one object")
    return result


STRICT = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique
)


class StrictJSONParser(BaseParser):
    """JSON in UTF-8: no NaN or Infinity, no name twice in one object, a fraction is a ``Decimal``."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        limit = settings.BURSAR_LARGEST_JSON
        if announced_length(parser_context) > limit:
            raise ParseError(TOO_LARGE)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise ParseError(TOO_LARGE)
        try:
            return STRICT.decode(raw.decode("utf-8"))
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise ParseError(NOT_JSON) from error


class LimitedMultiPartParser(MultiPartParser):
    """Forms with files, up to the largest upload."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        if announced_length(parser_context) > settings.BURSAR_LARGEST_UPLOAD:
            raise ParseError(TOO_LARGE)
        return super().parse(stream, media_type, parser_context)
