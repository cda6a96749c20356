"""The second factor of whoever is signed in: given when signing in and above a threshold, set up, removed."""

import base64
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ledger.admin.requests import actor_of, user_of
from ledger.encryption import decrypt, encrypt
from ledger.refusals import Refusal
from ledger.results import A_MOMENT, forget_results, keep_result, kept_result
from ledger.second_factor_session import NEW_SECRET, SECOND_FACTOR_PENDING
from ledger.services.second_factor import (
    enrol,
    has_stepped_up,
    is_enrolled,
    recovery_codes_left,
    remove,
    step_up,
)

CODES = "recovery codes"


def login(request: HttpRequest) -> HttpResponseBase:
    """The admin's own page; whoever has a second factor is then asked for it."""
    answer = admin.site.login(request)
    done = request.method == "POST" and isinstance(answer, HttpResponseRedirect)
    if not done or not request.user.is_authenticated or not is_enrolled(user_of(request).pk):
        return answer
    request.session[SECOND_FACTOR_PENDING] = True
    query = urlencode({"next": answer.headers["Location"]})
    return HttpResponseRedirect(f"{reverse('second-factor')}?{query}")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Give the second factor after the password."""
    return _ask(request, "account/second_factor.html")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Give the second factor for what needs a fresh one."""
    if not is_enrolled(user_of(request).pk):
        return HttpResponseRedirect(f"{reverse('security')}?needed=1")
    return _ask(request, "account/step_up.html")


def _ask(request: HttpRequest, template: str) -> HttpResponse:
    """Ask for a code; a right one counts for this session for a while."""
    after = _next(request)
    if request.method != "POST":
        return render(request, template, {"next": after})
    try:
        step_up(actor=actor_of(request), code=request.POST.get("code", ""))
    except Refusal as refusal:
        shown = {"next": after, "refusal": refusal.detail}
        return render(request, template, shown, status=refusal.status)
    request.session.pop(SECOND_FACTOR_PENDING, None)
    return HttpResponseRedirect(after)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def security(request: HttpRequest) -> HttpResponse:
    """Whether one has a second factor, and what can be done about it."""
    user = user_of(request)
    forget_results(request, CODES)
    enrolled = is_enrolled(user.pk)
    context = {
        "enrolled": enrolled,
        "left": recovery_codes_left(user.pk) if enrolled else 0,
        "fresh": has_stepped_up(actor_of(request)),
        "needed": "needed" in request.GET,
    }
    return render(request, "account/security.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the secret to the app, and take a code of it to see that the app has it."""
    user = user_of(request)
    if is_enrolled(user.pk):
        return HttpResponseRedirect(reverse("security"))
    kept = request.session.get(NEW_SECRET)
    if request.method != "POST" or kept is None:
        secret = generate_totp_secret()
        request.session[NEW_SECRET] = encrypt(secret)
        return render(request, "account/set_up.html", _picture(request, secret))
    secret = decrypt(kept)
    try:
        made = enrol(actor=actor_of(request), secret=secret, code=request.POST.get("code", ""))
    except Refusal as refusal:
        shown = {**_picture(request, secret), "refusal": refusal.detail}
        return render(request, "account/set_up.html", shown, status=refusal.status)
    del request.session[NEW_SECRET]
    key = keep_result(request, CODES, list(made.recovery_codes), lasts=A_MOMENT)
    return HttpResponseRedirect(reverse("recovery-codes", args=[key]))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def recovery_codes(request: HttpRequest, key: str) -> HttpResponse:
    """Show new recovery codes until the person says that he has kept them, or for some minutes."""
    codes = kept_result(request, CODES, key)
    if codes is None:
        return HttpResponseRedirect(reverse("security"))
    return render(request, "account/recovery_codes.html", {"codes": codes})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take_away(request: HttpRequest) -> HttpResponse:
    """Remove one's own second factor, with a last code."""
    if request.method != "POST":
        return render(request, "account/remove.html")
    try:
        remove(actor=actor_of(request), code=request.POST.get("code", ""))
    except Refusal as refusal:
        shown = {"refusal": refusal.detail}
        return render(request, "account/remove.html", shown, status=refusal.status)
    return HttpResponseRedirect(reverse("security"))


def _picture(request: HttpRequest, secret: str) -> dict[str, Any]:
    """The secret as an app reads it with its camera, and as one types it."""
    adapter = get_adapter()
    address = adapter.build_totp_url(user_of(request), secret)
    svg = adapter.build_totp_svg(address).encode()
    picture = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    typed = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"picture": picture, "typed": typed}


def _next(request: HttpRequest) -> str:
    """Where to go afterwards, within this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else reverse("admin:index")
