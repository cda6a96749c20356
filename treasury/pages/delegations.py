"""Delegations and questions on the approvals page."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ledger.access import companies_of
from ledger.admin.requests import actor_of, user_of
from ledger.clock import today
from ledger.models import Company, Membership, User
from ledger.refusals import Refusal
from ledger.roles import READING_ROLES, Role
from treasury.admin.delegations import state_of
from treasury.models import Delegation
from treasury.pages.forms import takes_forms
from treasury.selectors import delegations_seen_by, questions_seen_by
from treasury.services.delegations import create_delegation, end_delegation
from treasury.services.questions import answer_question

SHOWN = 50


class DelegationForm(forms.Form):
    """From whom to whom, and when; the command reads it strictly."""

    company = forms.ModelChoiceField(Company.objects.none(), empty_label=None)
    role = forms.ChoiceField(choices=Delegation.DelegatedRole.choices, label="My role")
    delegate = forms.ModelChoiceField(User.objects.none(), label="Colleague", empty_label="Choose…")
    from_on = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}))
    until_on = forms.DateField(label="Until, included", widget=forms.DateInput({"type": "date"}))
    reason = forms.CharField(max_length=255)

    def __init__(self, user: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        companies = companies_of(user, Role.APPROVER, Role.CFO)
        colleagues = User.objects.filter(
            is_active=True,
            memberships__company__in=companies,
            memberships__role__in=list(READING_ROLES),
        ).exclude(pk=user.pk)
        self._offer("company", companies)
        self._offer(
            "delegate", colleagues.distinct().order_by("first_name", "last_name", "username")
        )
        held = Membership.objects.filter(user=user).values_list("role", flat=True)
        roles = self.fields["role"]
        assert isinstance(roles, forms.ChoiceField)
        roles.choices = [one for one in Delegation.DelegatedRole.choices if one[0] in set(held)]

    def _offer(self, name: str, rows: object) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows  # type: ignore[assignment]


@login_required
@never_cache
def delegations(request: HttpRequest) -> HttpResponse:
    """Show who may approve for whom, and make a delegation of one's own role."""
    user = user_of(request)
    form = DelegationForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, form)
        except Refusal as refusal:
            for name, texts in (refusal.errors or {"": [refusal.detail]}).items():
                form.add_error(name if name in form.fields else None, texts[0])
        else:
            messages.success(request, f"{made}: made. It begins and ends by itself.")
            return HttpResponseRedirect(reverse("approvals-delegations"))
    rows = delegations_seen_by(user)[:SHOWN]
    context = {
        "form": form,
        "may_delegate": bool(form.fields["role"].choices),  # type: ignore[attr-defined]
        "delegations": [(row, state_of(row), _may_end(row, user)) for row in rows],
        "section": "delegations",
    }
    status = 400 if form.is_bound else 200
    return render(request, "pages/delegations.html", context, status=status)


def _make(request: HttpRequest, form: DelegationForm) -> Delegation:
    given = form.cleaned_data
    return create_delegation(
        actor=actor_of(request),
        company_id=given["company"].pk,
        role=given["role"],
        delegate_id=given["delegate"].pk,
        from_on=given["from_on"],
        until_on=given["until_on"],
        reason=given["reason"],
        today=today,
    )


def _may_end(row: Delegation, user: User) -> bool:
    over = row.ended_at is not None or row.until_on < today(row.company)
    return not over and user.pk in {row.delegator_id, row.delegate_id}


@takes_forms("approvals-delegations")
def end(request: HttpRequest, delegation_id: object) -> HttpResponse:
    """End a delegation now."""
    row = get_object_or_404(delegations_seen_by(user_of(request)), pk=delegation_id)
    try:
        end_delegation(actor=actor_of(request), delegation_id=row.pk)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"{row}: ended.")
    return HttpResponseRedirect(reverse("approvals-delegations"))


@login_required
@never_cache
@require_GET
def questions(request: HttpRequest) -> HttpResponse:
    """Show what the person asked and was asked; he answers here."""
    rows = questions_seen_by(user_of(request)).select_related("company")[:SHOWN]
    return render(request, "pages/questions.html", {"questions": rows, "section": "questions"})


@takes_forms("approvals-questions")
def answer(request: HttpRequest, question_id: object) -> HttpResponse:
    """Answer a question."""
    row = get_object_or_404(questions_seen_by(user_of(request)), pk=question_id)
    try:
        answer_question(
            actor=actor_of(request), question_id=row.pk, answer=request.POST.get("text", "")
        )
    except Refusal as refusal:
        messages.error(request, f"This was not done. {refusal.detail}")
    else:
        messages.success(request, f"Answered; {row.asked_by} sees it beside the request.")
    return HttpResponseRedirect(reverse("approvals-questions"))
