"""What happens to every request: names, addresses, slashes, policies, health, documentation."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver, resolve
from pytest_django import Settings

from config.browsers import Messages
from config.middleware import WITHOUT_SLASH, RequestIdentity


def seen_by_a_view(**headers: Any) -> HttpRequest:
    """The request as a view would see it."""
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    RequestIdentity(view)(RequestFactory(REMOTE_ADDR="10.0.0.9").get("/", **headers))
    return seen[0]


def test_every_answer_names_its_request(client: Client) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", client.get("/nothing/")["X-Request-Id"])


def test_a_callers_name_for_the_request_is_kept(client: Client) -> None:
    answer = client.get("/nothing/", headers={"x-request-id": "batch-2025-03-01"})
    assert answer["X-Request-Id"] == "batch-2025-03-01"


def test_a_name_that_could_forge_a_log_line_is_replaced(client: Client) -> None:
    answer = client.get("/nothing/", headers={"x-request-id": 'x", "level": "info'})
    assert '"' not in answer["X-Request-Id"]


def test_a_forwarded_address_is_believed_from_our_own_proxies_only(
    settings: Settings,
) -> None:
    forged = {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 2.2.2.2"}
    assert seen_by_a_view(**forged).META["REMOTE_ADDR"] == "10.0.0.9"
    settings.BURSAR_TRUSTED_PROXIES = 1
    assert seen_by_a_view(**forged).META["REMOTE_ADDR"] == "2.2.2.2"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_a_trailing_slash_is_optional(client: Client, path: str) -> None:
    assert client.get(path).json()["status"] == "up"


NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/payments/", "api/payments/"),
        (f"/api/payments/{NOBODY}/execute/", "api/payments/<uuid:payment_id>/execute/"),
        ("/api/ledger/accounts/", "api/ledger/accounts/"),
        (f"/api/ledger/{NOBODY}/", "api/ledger/<uuid:entry_id>/"),
    ],
)
def test_a_route_is_told_whole_although_it_is_found_by_its_noun(path: str, route: str) -> None:
    assert resolve(path).route == route


@pytest.mark.parametrize("path", ["/api/payments/none/", "/api/payments/x/y/z/", "/api/none/"])
def test_what_is_below_a_noun_and_no_route_is_not_found(client: Client, path: str) -> None:
    for written in (path, path.removesuffix("/")):
        assert client.get(written).status_code == 404


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for entry in patterns:
        route = before + str(entry.pattern)
        yield from routes(entry.url_patterns, route) if hasattr(entry, "url_patterns") else [route]


def test_every_address_but_one_is_written_with_its_slash() -> None:
    """The admin's last route takes whatever is left."""
    written = {route.removesuffix("$") for route in routes(get_resolver().url_patterns)}
    without = {route for route in written if not route.endswith("/")}
    assert without - {"", "admin/(?P<url>.*)"} == {WITHOUT_SLASH.removeprefix("/")}


@pytest.mark.django_db
def test_what_is_written_without_a_slash_may_have_one(client: Client) -> None:
    assert client.get("/metrics").status_code == client.get("/metrics/").status_code == 200


def test_a_body_without_slash_is_not_redirected_away(client: Client) -> None:
    answer = client.post("/api/auth/token", b"{", content_type="application/json")
    assert answer.status_code in {400, 401, 403}


def through_messages(look: Callable[[HttpRequest], object], **cookies: str) -> HttpResponse:
    """What is answered to a browser with these cookies by a view that looks for messages, or does not."""
    request = RequestFactory().get("/")
    request.session, request.COOKIES = SessionStore(), cookies
    middleware = Messages(lambda request: HttpResponse())
    middleware.process_request(request)
    look(request)
    return middleware.process_response(request, HttpResponse())


def test_a_message_is_kept_for_the_next_page_and_then_forgotten() -> None:
    said = through_messages(lambda request: messages.info(request, "It is paid."))
    shown: list[str] = []

    def look(request: HttpRequest) -> None:
        shown.extend(map(str, messages.get_messages(request)))

    read = through_messages(look, messages=said.cookies["messages"].value)
    assert (shown, read.cookies["messages"].value) == (["It is paid."], "")


@pytest.mark.django_db
def test_health_says_what_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health.CHECKS", {"database": lambda: False})
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "database": "down"})


@pytest.mark.django_db
def test_without_redis_the_instance_is_degraded_and_ready(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/none?db=0"}
    settings.CACHES = {"default": nowhere}
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["redis"]) == (200, "down")


def test_health_waits_for_the_supervisor(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.BURSAR_READY_FILE = tmp_path / "instance.json"
    assert client.get("/health/").status_code == 503


def test_pages_may_load_nothing_from_elsewhere(client: Client) -> None:
    policy = client.get("/nothing/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_documentation_needs_no_other_host(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert not re.search(r"(src|href)=\"https?://", page.content.decode())
    for asset in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", page.content.decode()):
        answer = client.get(asset)
        assert answer.status_code == 200, asset
        answer.close()


def test_the_schema_is_openapi_3_1_without_complaints(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert schema.json()["openapi"] == "3.1.1"
    assert "Error" not in capsys.readouterr().err


def test_a_page_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    answer = client.post("/admin/login/", b"", content_type="x/y", CONTENT_LENGTH="9999999")
    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        {"body": ["The body is too large."]},
    )
