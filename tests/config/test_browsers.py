"""A program's request goes past session, messages and second factor; a browser's goes through all of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse
from knox.models import AuthToken

from config.browsers import SecondFactor, Sessions, SignedIn, is_from_a_program
from ledger.api.authentication import TokenAuthentication
from ledger.models import User
from ledger.second_factor_session import SECOND_FACTOR_PENDING
from tests.ledger.factories import UserFactory

OURS = (Sessions, SignedIn, SecondFactor)


@pytest.fixture
def amina(db: None) -> User:
    return UserFactory.create(username="amina", is_staff=True)


@pytest.fixture
def browser(amina: User) -> Client:
    """Where Amina is signed in."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(amina, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def token_of(user: User) -> dict[str, str]:
    _, token = AuthToken.objects.create(user=user)
    return {"Authorization": f"Token {token}"}


@pytest.mark.parametrize(
    ("path", "said", "from_a_program"),
    [
        ("/api/me/", "Token abc", True),
        ("/core/periods/", "Token abc", True),
        ("/api/me/", "Token\xa0abc", False),
        ("/api/me/", "Bearer abc", False),
        ("/api/me/", "", False),
        ("/admin/", "Token abc", False),
        ("/approvals/", "Token abc", False),
        ("/apiary/", "Token abc", False),
    ],
)
def test_a_program_is_who_asks_the_api_with_a_token(
    path: str, said: str, from_a_program: bool
) -> None:
    request = RequestFactory().get(path, headers={"Authorization": said})
    assert is_from_a_program(request) is from_a_program


def through_ours(**headers: str) -> HttpRequest:
    """The request as it comes out behind ours."""
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    chain: Any = view
    for middleware in reversed(OURS):
        chain = middleware(chain)
    chain(RequestFactory().get("/api/me/", headers=headers))
    return seen[0]


def test_what_is_for_browsers_is_not_even_opened_for_a_program() -> None:
    opened = vars(through_ours())
    assert {"session", "user"} <= opened.keys()
    passed = vars(through_ours(Authorization="Token abc"))
    assert not {"session", "user", "_messages"} & passed.keys()


def test_a_token_is_asked_and_no_session(amina: User, browser: Client) -> None:
    other = UserFactory.create()
    answer = browser.get("/api/me/", headers=token_of(other))
    assert answer.json()["id"] == str(other.pk)
    assert "Cookie" not in answer.get("Vary", "")
    assert browser.get("/api/me/").json()["id"] == str(amina.pk)


def test_a_bad_token_is_refused_whoever_is_signed_in(browser: Client) -> None:
    answer = browser.get("/api/me/", headers={"Authorization": "Token " + "0" * 64})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_writing_by_a_session_needs_its_csrf_token_and_by_a_token_none(
    amina: User, browser: Client
) -> None:
    body = {"code_channel": "email"}
    refused = browser.patch("/api/me/", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    done = browser.patch("/api/me/", body, content_type="application/json", headers=token_of(amina))
    assert done.status_code == 200


def test_a_page_keeps_its_session_although_a_token_comes_along(
    amina: User, browser: Client
) -> None:
    answer = browser.get("/admin/", headers=token_of(amina))
    assert (answer.status_code, answer.wsgi_request.user) == (200, amina)


def test_a_session_that_waits_for_its_second_factor_opens_nothing_and_a_token_does(
    amina: User, browser: Client
) -> None:
    session = browser.session
    session[SECOND_FACTOR_PENDING] = True
    session.save()
    assert browser.get("/api/me/").status_code == 401
    assert browser.get("/admin/")["Location"] == reverse("second-factor")
    assert browser.get("/api/me/", headers=token_of(amina)).status_code == 200


def test_signing_in_still_gives_a_cookie_and_signing_out_ends_the_session(
    amina: User, browser: Client
) -> None:
    assert settings.SESSION_COOKIE_NAME in browser.cookies
    browser.handler.enforce_csrf_checks = False
    assert browser.post("/api/auth/logout/").json() == {"revoked": False}
    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["head", "options", "put", "delete"])
def test_every_verb_is_answered_as_before(amina: User, method: str) -> None:
    answer = getattr(Client(), method)("/api/me/", headers=token_of(amina))
    assert answer.status_code == (200 if method == "head" else 405)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Request-Id"]


def views() -> Iterator[tuple[str, Any]]:
    def below(patterns: Any, before: str) -> Iterator[tuple[str, Any]]:
        for entry in patterns:
            route = before + str(entry.pattern)
            if isinstance(entry, URLPattern):
                yield route, entry.callback
            else:
                yield from below(entry.url_patterns, route)

    return below(get_resolver().url_patterns, "")


def test_every_view_of_the_api_takes_a_token_or_refuses_it_before_it_looks_for_a_session() -> None:
    found = {route: view for route, view in views() if route.startswith(("api/", "core/"))}
    assert len(found) > 100
    for route, view in found.items():
        by = view.cls.authentication_classes
        assert not by or by[0] is TokenAuthentication, route


def test_messages_are_kept_by_the_browser_as_ever(amina: User, browser: Client) -> None:
    request = browser.get("/admin/").wsgi_request
    messages.info(request, "It is paid.")
    assert [str(message) for message in messages.get_messages(request)] == ["It is paid."]
