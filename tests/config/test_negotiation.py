"""What is chosen at a glance is what DRF would choose after a longer look."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from config.negotiation import Negotiation
from config.parsers import LimitedMultiPartParser, StrictJSONParser
from config.rendering import Renderer

PARSERS: list[BaseParser] = [StrictJSONParser(), LimitedMultiPartParser()]


class Yaml(BaseRenderer):
    media_type = "application/vnd.oai.openapi"


RENDERERS: list[BaseRenderer] = [Renderer(), Yaml()]


def request(**headers: str) -> Request:
    return Request(APIRequestFactory().get("/", headers=headers))


@pytest.mark.parametrize(
    "accept",
    [
        "*/*", "application/json", "application/*", "application/json; indent=4", "*/*; q=0.5",
        "text/html, */*", "application/vnd.oai.openapi", "application/json, */*",
    ],
)  # fmt: skip
@pytest.mark.parametrize("renderers", [RENDERERS, RENDERERS[::-1]])
def test_the_answer_is_written_as_drf_would(accept: str, renderers: list[BaseRenderer]) -> None:
    asked = request(accept=accept)
    usual = DefaultContentNegotiation().select_renderer(asked, renderers)
    assert Negotiation().select_renderer(asked, renderers) == usual


@pytest.mark.parametrize("accepted", ["application/json", "application/json; indent=4", None])
@pytest.mark.parametrize(
    "data",
    [
        None, {}, [], "", 0, {"payee": "Nyambura \u2028 Ç", "paid": True, "left": None},
        {"at": datetime(2026, 11, 21, 8, 30, tzinfo=UTC), "amount": Decimal("12.50")},
        [{"id": UUID(int=7), "on": date(2026, 11, 21)}, (1, 2)],
    ],
)  # fmt: skip
def test_json_is_written_as_drf_would(data: Any, accepted: str | None) -> None:
    usual = JSONRenderer.render(Renderer(), data, accepted)
    assert Renderer().render(data, accepted) == usual


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Renderer().render({"amount": float("nan")}, "application/json")


def test_whoever_names_nothing_gets_the_first_renderer() -> None:
    assert Negotiation().select_renderer(request(), RENDERERS) == (RENDERERS[0], "application/json")


@pytest.mark.parametrize(
    "sent",
    [
        "application/json", "application/json; charset=utf-8", "multipart/form-data; boundary=x",
        "Application/JSON", "text/plain", "",
    ],
)  # fmt: skip
def test_the_body_is_read_as_drf_would(sent: str) -> None:
    asked = request()
    asked._request.META["CONTENT_TYPE"] = sent
    usual = DefaultContentNegotiation().select_parser(asked, PARSERS)
    assert Negotiation().select_parser(asked, PARSERS) is usual
