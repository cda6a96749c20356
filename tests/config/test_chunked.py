"""Bodies that come in chunks."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from config.chunked import measured


def seen(body: bytes, **headers: str) -> WSGIRequest:
    """The request that the application gets."""
    requests: list[WSGIRequest] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        requests.append(WSGIRequest(environ))
        return ()

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": BytesIO(body), **headers}
    measured(application)(environ, None)
    return requests[0]


def test_a_body_without_a_length_is_read() -> None:
    assert seen(b"{}", HTTP_TRANSFER_ENCODING="chunked").body == b"{}"


@pytest.mark.parametrize("length", ["2", ""])
def test_other_bodies_are_left_alone(length: str) -> None:
    assert seen(b"{} and the next request", CONTENT_LENGTH=length).body == b"{}"[: len(length) * 2]


def test_no_more_is_read_than_can_be_taken() -> None:
    request = seen(b"x" * 8 * 1024 * 1024, HTTP_TRANSFER_ENCODING="chunked")
    assert request.META["CONTENT_LENGTH"] == str(settings.BURSAR_LARGEST_UPLOAD + 1)
