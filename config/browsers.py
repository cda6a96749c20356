"""What concerns browsers alone: the session, who is signed in by it, his messages, his second factor.

A program says who it is by a token with every request. The API's views take the token or refuse the request
(``ledger.api.authentication``), and look for a session only where there is no token; so a program's request
goes past all of this.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from knox.settings import knox_settings

from ledger.second_factor_session import SECOND_FACTOR_PENDING

OF_THE_API = ("/api/", "/core/")
BEFORE_A_TOKEN = f"{knox_settings.AUTH_HEADER_PREFIX} "


def is_from_a_program(request: HttpRequest) -> bool:
    """Whether it is a request to the API that carries a token."""
    said: str = request.META.get("HTTP_AUTHORIZATION", "")
    return said.startswith(BEFORE_A_TOKEN) and request.path_info.startswith(OF_THE_API)


class ForBrowsers(MiddlewareMixin):
    """Lets a program's request past the middleware that this is mixed into."""

    def __call__(self, request: HttpRequest) -> Any:
        return (
            self.get_response(request) if is_from_a_program(request) else super().__call__(request)
        )


class Sessions(ForBrowsers, SessionMiddleware):
    """Opens the session of a browser, and keeps what changed in it."""


class SignedIn(ForBrowsers, AuthenticationMiddleware):
    """Says who is signed in by the session."""


class Messages(ForBrowsers, MessageMiddleware):
    """Keeps what a person is told until he has read it."""


class SecondFactor(ForBrowsers):
    """Lets whoever has given his password and not yet his second factor nowhere but where he gives it."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if not request.session.get(SECOND_FACTOR_PENDING):
            return None
        if request.path_info.startswith(OF_THE_API):
            request.user = AnonymousUser()
            return None
        here = reverse("second-factor")
        if request.path_info in {here, reverse("admin:login"), reverse("admin:logout")}:
            return None
        return HttpResponseRedirect(here)
