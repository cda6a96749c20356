"""Addresses that only take forms, and what a person typed into one that was refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from ledger.refusals import Refusal

View = Callable[..., HttpResponse]
TYPED = "approvals-typed"
STEP_UP = "step_up_required"


def takes_forms(back_to: str) -> Callable[[View], View]:
    """Let signed-in people post to the view, and lead everybody who comes by a link to ``back_to``.

    Whoever signs in again after his session ended comes here by a link, as the address at which he was
    stopped; the form that he sent then is gone, and he is told that nothing was done by it.
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def taken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            if request.method not in {"GET", "HEAD"}:
                return HttpResponseNotAllowed(["POST"])
            messages.error(request, "Nothing was done by this: look at it again, and repeat it.")
            return HttpResponseRedirect(reverse(back_to))

        return taken

    return decorate


def keep_typed(request: HttpRequest, key: str, text: str) -> None:
    """Remember what was typed about a request that could not be decided."""
    if text.strip():
        request.session[TYPED] = [key, text]


def take_typed(request: HttpRequest, key: str) -> str:
    """Return what was typed about the request before, once."""
    kept: list[str] | None = request.session.get(TYPED)
    if kept is None or kept[0] != key:
        return ""
    del request.session[TYPED]
    return kept[1]


def step_up_url(refusal: Refusal, after: str) -> str:
    """Where one shows his second factor and comes back; empty where that is not what is missing."""
    if refusal.code != STEP_UP:
        return ""
    return f"{reverse('step-up')}?{urlencode({'next': after})}"
