"""Approving many requests at once: what was ticked, one code for exactly that, and a result for each.

Every form here is answered by a redirect to a page that tells how things stand now, so that reloading it
or going back sends nothing again.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.admin.requests import actor_of, user_of
from ledger.clock import today
from ledger.money import Money
from ledger.refusals import Refusal
from ledger.results import keep_result, kept_result
from treasury.decision_set import Member, totals
from treasury.pages.chips import LABELS
from treasury.pages.forms import STEP_UP, step_up_url, takes_forms
from treasury.services.decisions import Result, decide_many
from treasury.services.set_codes import Chosen, members_of, send_code_for_set, standing_of
from treasury.worklist.queue import waiting_among

RESULT = "approvals"
COMMENT = "approvals-comment"


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
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Show what is about to be approved together, and the field for the code once one was sent."""
    user, chosen = user_of(request), chosen_of(request)
    try:
        members = members_of(user, chosen)
    except Refusal as nothing:
        messages.error(request, nothing.detail)
        return HttpResponseRedirect(reverse("approvals"))
    open_ones = waiting_among(user, [(one.kind, one.subject_id) for one in members])
    waiting = [one for one in members if (one.kind, one.subject_id) in open_ones]
    standing = standing_of(user, waiting) if waiting else None
    context: dict[str, Any] = {
        "members": [_shown(member) for member in waiting],
        "decided": [_shown(member) for member in members if member not in waiting],
        "totals": [str(total) for total in totals(waiting)],
        "standing": standing,
        "comment": _comment(request, chosen),
        "section": "approvals",
    }
    return render(request, "pages/bulk.html", context)


@takes_forms("approvals")
def send_code(request: HttpRequest) -> HttpResponse:
    """Send the code for what was ticked; the page of the set then has the field for it."""
    chosen = chosen_of(request)
    _keep_comment(request, chosen)
    try:
        send_code_for_set(actor=actor_of(request), chosen=chosen)
    except Refusal as refusal:
        messages.error(request, f"No code was sent. {refusal.detail}")
    else:
        messages.success(request, "A code for exactly these requests is on its way to you.")
    return HttpResponseRedirect(_page_of(chosen))


@takes_forms("approvals")
def approve(request: HttpRequest) -> HttpResponse:
    """Approve what was ticked with the code, and lead to what came of each."""
    chosen = chosen_of(request)
    _keep_comment(request, chosen)
    try:
        results = decide_many(
            actor=actor_of(request),
            chosen=chosen,
            otp=request.POST.get("otp", "").strip(),
            comment=request.POST.get("comment", ""),
            today=today,
        )
    except Refusal as refusal:
        messages.error(request, f"Nothing was approved by this. {refusal.detail}")
        return HttpResponseRedirect(_page_of(chosen))
    request.session.pop(COMMENT, None)
    key = keep_result(request, RESULT, _told(results))
    return HttpResponseRedirect(reverse("approvals-results", args=[key]))


@login_required
@never_cache
@require_safe
def results(request: HttpRequest, key: str) -> HttpResponse:
    """Show what came of each of a set, to whoever decided it."""
    told = kept_result(request, RESULT, key)
    if told is None:
        messages.info(request, "What came of it is not shown any more; below is what still waits.")
        return HttpResponseRedirect(reverse("approvals"))
    return render(request, "pages/results.html", {**told, "section": "approvals"})


def _told(results: Sequence[Result]) -> dict[str, Any]:
    refusals = [one.refusal for one in results if one.refusal]
    return {
        "results": [
            (_shown(one.member), one.refusal.detail if one.refusal else "") for one in results
        ],
        "done": len(results) - len(refusals),
        "confirm": _confirm(results),
    }


def _confirm(results: Sequence[Result]) -> str:
    """Where one shows his second factor for those that it kept from being approved, and comes back to them."""
    kept = [one for one in results if one.refusal and one.refusal.code == STEP_UP]
    if not kept or kept[0].refusal is None:
        return ""
    again = [Chosen(one.member.kind, one.member.subject_id) for one in kept]
    return step_up_url(kept[0].refusal, _page_of(again))


def _page_of(chosen: Sequence[Chosen]) -> str:
    """The address of the page of a set."""
    query = urlencode([("items", f"{one.kind}:{one.subject_id}") for one in chosen])
    return f"{reverse('approvals-many')}?{query}"


def _keep_comment(request: HttpRequest, chosen: Sequence[Chosen]) -> None:
    request.session[COMMENT] = [_name(chosen), request.POST.get("comment", "")]


def _comment(request: HttpRequest, chosen: Sequence[Chosen]) -> str:
    """What was typed as the comment on this set."""
    name, text = request.session.get(COMMENT, ["", ""])
    return text if name == _name(chosen) else ""


def _name(chosen: Sequence[Chosen]) -> str:
    keys = sorted(f"{one.kind}:{one.subject_id}" for one in chosen)
    return hashlib.sha256(" ".join(keys).encode()).hexdigest()


def _shown(member: Member) -> dict[str, str]:
    return {
        "key": f"{member.kind}:{member.subject_id}",
        "label": LABELS[member.kind],
        "money": str(Money(member.amount, member.currency)),
        "payee": member.payee,
    }
