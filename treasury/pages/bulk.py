"""Approving many requests at once: what was ticked, one code for exactly that, and a result for each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ledger.admin.requests import actor_of, user_of
from ledger.clock import today
from ledger.money import Money
from ledger.refusals import Refusal
from treasury.decision_set import Member, totals
from treasury.pages.chips import LABELS
from treasury.pages.forms import step_up_url, takes_forms
from treasury.services.decisions import decide_many
from treasury.services.set_codes import Chosen, members_of, send_code_for_set


def chosen_of(request: HttpRequest) -> list[Chosen]:
    """What was ticked; what cannot be read is left out, so that nothing is found for it."""
    found = []
    for key in (request.POST if request.method == "POST" else request.GET).getlist("items"):
        kind, _, pk = key.partition(":")
        try:
            found.append(Chosen(kind, UUID(pk)))
        except ValueError:
            continue
    return found


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Show what is about to be approved together, before any code is sent."""
    return _asked(request, chosen_of(request), sent=False)


@takes_forms("approvals")
@never_cache
def send_code(request: HttpRequest) -> HttpResponse:
    """Send the code for what was ticked, and show the field for it."""
    chosen = chosen_of(request)
    try:
        send_code_for_set(actor=actor_of(request), chosen=chosen)
    except Refusal as refusal:
        return _asked(request, chosen, sent=refusal.status == 429, refusal=refusal)
    return _asked(request, chosen, sent=True)


@takes_forms("approvals")
@never_cache
def approve(request: HttpRequest) -> HttpResponse:
    """Approve what was ticked with the code, and show what came of each."""
    chosen = chosen_of(request)
    try:
        results = decide_many(
            actor=actor_of(request),
            chosen=chosen,
            otp=request.POST.get("otp", "").strip(),
            comment=request.POST.get("comment", ""),
            today=today,
        )
    except Refusal as refusal:
        return _asked(request, chosen, sent=True, refusal=refusal)
    context = {
        "results": [
            (_shown(one.member), one.refusal.detail if one.refusal else "") for one in results
        ],
        "done": sum(one.refusal is None for one in results),
        "confirm": _confirm([one.refusal for one in results if one.refusal]),
        "section": "approvals",
    }
    return render(request, "pages/results.html", context)


def _confirm(refusals: Sequence[Refusal]) -> str:
    """Where one shows his second factor, if that is what kept some from being approved."""
    return next(filter(None, (step_up_url(one, reverse("approvals")) for one in refusals)), "")


def _asked(
    request: HttpRequest, chosen: Sequence[Chosen], *, sent: bool, refusal: Refusal | None = None
) -> HttpResponse:
    """The page that asks: the set, its sums, and the field for the code once one was sent."""
    try:
        members = members_of(user_of(request), chosen)
    except Refusal as nothing:
        messages.error(request, nothing.detail)
        return HttpResponseRedirect(reverse("approvals"))
    context: dict[str, Any] = {
        "members": [_shown(member) for member in members],
        "totals": [str(total) for total in totals(members)],
        "sent": sent,
        "refusal": refusal,
        "comment": request.POST.get("comment", ""),
        "section": "approvals",
    }
    return render(request, "pages/bulk.html", context, status=refusal.status if refusal else 200)


def _shown(member: Member) -> dict[str, str]:
    return {
        "key": f"{member.kind}:{member.subject_id}",
        "label": LABELS[member.kind],
        "money": str(Money(member.amount, member.currency)),
        "payee": member.payee,
    }
