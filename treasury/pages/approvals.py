"""The approvals page: one queue of everything that waits for a person, and the evidence beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.access import roles_somewhere
from ledger.admin.requests import actor_of, user_of
from ledger.clock import database_now, today
from ledger.models import User
from ledger.once import read_once
from ledger.refusals import Refusal
from ledger.roles import Role
from treasury.authority import acts_for
from treasury.awaiting import (
    questions_awaiting,
)
from treasury.pages.chips import rows_of
from treasury.pages.evidence import Detail, detail_of
from treasury.pages.forms import keep_typed, step_up_url, take_typed, takes_forms
from treasury.selectors import (
    funds_seen_by,
)
from treasury.services.batch_approval import approve_batch
from treasury.services.batches import cancel_batch
from treasury.services.late_successes import clear_late_success
from treasury.services.questions import ask
from treasury.services.replenishment import approve_replenishment, reject_replenishment
from treasury.services.requisitions import approve_requisition, reject_requisition
from treasury.services.resolution import resolve_payment
from treasury.services.reversals import reverse_payment
from treasury.services.variances import approve_variance, reject_variance
from treasury.texts import require_text
from treasury.worklist.kinds import KINDS
from treasury.worklist.queue import MOST_COUNTED, Page, find, page_of_queue

KEPT = ("kind", "fund", "page")


@login_required
@never_cache
@require_safe
@read_once()
def queue(request: HttpRequest) -> HttpResponse:
    """Show the queue, and the thing in it that is looked at; ``part=detail`` is that thing alone."""
    user, now = user_of(request), database_now()
    asked = request.GET.get("item", "")
    if request.GET.get("part") == "detail":
        part = {"detail": _detail(user, asked, now), "asked": asked, "kept": kept(request)}
        return render(request, "pages/detail.html", part)
    fund_id = _id(request.GET.get("fund", ""))
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    page = page_of_queue(user, number=_number(request), kind=kind, fund_id=fund_id)
    detail = _detail(user, asked, now) if asked else None
    if detail is None and page.items and not asked:
        detail = detail_of(page.items[0], user, now)
    context: dict[str, Any] = {
        "page": page,
        "rows": rows_of(page.items, now, detail.item.key if detail else ""),
        "can_tick": any(item.can_be_many for item in page.items),
        "detail": detail,
        "typed": take_typed(request, detail.item.key) if detail else "",
        "asked": asked,
        "kind": kind,
        "fund_id": fund_id,
        "funds": funds_seen_by(user).order_by("name").values("pk", "name"),
        "counts": [(one, _shown(page.counts[one.name])) for one in KINDS.values()],
        "total": _total(page),
        "kept": kept(request),
        "acting_for": acts_for(user),
        "approves": not roles_somewhere(user).isdisjoint({Role.APPROVER, Role.CFO}),
        "to_answer": questions_awaiting(user).count(),
        "section": "approvals",
    }
    return render(request, "pages/approvals.html", context)


def _shown(many: int) -> str:
    return f"{MOST_COUNTED - 1}+" if many >= MOST_COUNTED else str(many)


def _total(page: Page) -> str:
    counts = page.counts.values()
    return _shown(MOST_COUNTED) if MOST_COUNTED in counts else str(sum(counts))


def _detail(user: User, key: str, now: datetime) -> Detail | None:
    kind, _, pk = key.partition(":")
    subject_id = _id(pk)
    item = find(user, kind, subject_id) if subject_id else None
    return detail_of(item, user, now) if item else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def kept(request: HttpRequest) -> str:
    """What narrows the queue, to be carried from page to page; a form carries it in one field."""
    source = request.GET
    if request.method == "POST":
        source = QueryDict(request.POST.get("kept", ""))
    return urlencode({name: source[name] for name in KEPT if source.get(name)})


# --- Deciding one ---------------------------------------------------------------------------------------


@takes_forms("approvals")
def decide(request: HttpRequest) -> HttpResponse:
    """Do one thing to one request, and go on to the next; a refusal is shown beside it."""
    kind, _, pk = request.POST.get("item", "").partition(":")
    subject_id = _id(pk)
    if subject_id is None or kind not in KINDS:
        raise Http404("There is no such request.")
    if find(user_of(request), kind, subject_id) is None:
        messages.error(request, "This does not wait for you any more: somebody has decided it.")
        return HttpResponseRedirect(_back(request, ""))
    act = request.POST.get("act", "")
    try:
        said = ACTS[act, kind](request, subject_id) if (act, kind) in ACTS else None
    except Refusal as refusal:
        return _refused(request, f"{kind}:{subject_id}", refusal)
    if said is None:
        raise Http404("There is no such decision.")
    messages.success(request, said)
    stays = act in {"ask", "resolve"}
    return HttpResponseRedirect(_back(request, f"{kind}:{subject_id}" if stays else ""))


def _refused(request: HttpRequest, key: str, refusal: Refusal) -> HttpResponse:
    """Back to the request with what was typed; by way of the second factor, where that is what is missing."""
    keep_typed(request, key, _text(request))
    back = _back(request, key)
    if confirm := step_up_url(refusal, back):
        return HttpResponseRedirect(confirm)
    messages.error(request, f"This was not done. {refusal.detail}")
    return HttpResponseRedirect(back)


def _back(request: HttpRequest, item: str) -> str:
    query = "&".join(filter(None, [kept(request), f"item={item}" if item else ""]))
    return f"{reverse('approvals')}?{query}" if query else reverse("approvals")


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "")


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _approve_requisition(request: HttpRequest, pk: UUID) -> str:
    row = approve_requisition(
        actor=actor_of(request),
        requisition_id=pk,
        comment=_text(request),
        version=_version(request),
    )
    if row.status == "submitted":
        return f"Your approval of {row} is given; one more is needed."
    return f"{row}: approved."


def _reject_requisition(request: HttpRequest, pk: UUID) -> str:
    row = reject_requisition(actor=actor_of(request), requisition_id=pk, reason=_text(request))
    return f"{row}: rejected."


def _approve_variance(request: HttpRequest, pk: UUID) -> str:
    row = approve_variance(actor=actor_of(request), variance_id=pk, today=today)
    return f"{row}: approved and posted."


def _reject_variance(request: HttpRequest, pk: UUID) -> str:
    row = reject_variance(actor=actor_of(request), variance_id=pk, reason=_text(request))
    return f"{row}: rejected."


def _approve_replenishment(request: HttpRequest, pk: UUID) -> str:
    row = approve_replenishment(actor=actor_of(request), replenishment_id=pk)
    return f"{row}: approved; a treasurer funds it."


def _reject_replenishment(request: HttpRequest, pk: UUID) -> str:
    row = reject_replenishment(actor=actor_of(request), replenishment_id=pk, reason=_text(request))
    return f"{row}: rejected."


def _resolve(request: HttpRequest, pk: UUID) -> str:
    row = resolve_payment(
        actor=actor_of(request),
        payment_id=pk,
        outcome=request.POST.get("outcome", ""),
        evidence=_text(request),
        today=today,
    )
    if row.status == "review":
        return "Your finding is noted; a second person confirms it."
    return f"{row}: resolved by two people."


def _approve_batch(request: HttpRequest, pk: UUID) -> str:
    row = approve_batch(
        actor=actor_of(request),
        batch_id=pk,
        comment=_text(request),
        seen_hash=request.POST.get("set_hash") or None,
    )
    if row.status == "submitted":
        return f"Your approval of {row} is given; one more is needed."
    return f"{row}: approved; a treasurer carries it out."


def _reject_batch(request: HttpRequest, pk: UUID) -> str:
    reason = require_text(_text(request), field="reason")
    row = cancel_batch(actor=actor_of(request), batch_id=pk, reason=reason)
    return f"{row}: cancelled."


def _clear(request: HttpRequest, pk: UUID) -> str:
    clear_late_success(
        actor=actor_of(request),
        payment_id=pk,
        outcome=request.POST.get("outcome", ""),
        evidence=_text(request),
        today=today,
    )
    return "Your finding is noted; it counts once two people agree."


def _confirm_return(request: HttpRequest, pk: UUID) -> str:
    row = reverse_payment(
        actor=actor_of(request), payment_id=pk, evidence=_text(request), today=today
    )
    return f"{row}: {row.get_status_display().lower()}."


def _asking(kind: str) -> Any:
    def asked(request: HttpRequest, pk: UUID) -> str:
        question = ask(actor=actor_of(request), kind=kind, subject_id=pk, text=_text(request))
        return f"{question.asked_of} is asked, and gets a mail."

    return asked


ACTS: dict[tuple[str, str], Any] = {
    ("approve", "requisition"): _approve_requisition,
    ("approve", "variance"): _approve_variance,
    ("approve", "replenishment"): _approve_replenishment,
    ("approve", "batch"): _approve_batch,
    ("reject", "batch"): _reject_batch,
    ("reject", "requisition"): _reject_requisition,
    ("reject", "variance"): _reject_variance,
    ("reject", "replenishment"): _reject_replenishment,
    ("ask", "requisition"): _asking("requisition"),
    ("ask", "variance"): _asking("variance"),
    ("ask", "replenishment"): _asking("replenishment"),
    ("resolve", "review"): _resolve,
    ("resolve", "late"): _clear,
    ("resolve", "return"): _confirm_return,
}
