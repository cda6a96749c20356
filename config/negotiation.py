"""Choosing parser and renderer: at a glance where a request says what nearly all say, else as DRF does."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """Takes a view's first parser or renderer where the very words of the header are its media type.

    DRF would take the same, after it has parsed every media type there is.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return what reads the body, None where nothing does."""
        first = next(iter(parsers), None)
        if first and request.content_type == first.media_type:
            return first
        return super().select_parser(request, parsers)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return what writes the answer, and the media type of it that was asked for."""
        first = next(iter(renderers))
        accepted = request.META.get("HTTP_ACCEPT", ANYTHING)
        if not format_suffix and accepted in (ANYTHING, first.media_type):
            return first, str(first.media_type)
        chosen: tuple[Any, Any] = super().select_renderer(request, renderers, format_suffix)
        return chosen
