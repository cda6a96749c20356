"""Delegations: who may approve for whom, and until when."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSingleDateWidget

from ledger.access import companies_of
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.steps import Given, Step, StepForm, choice, line, row_choice
from ledger.clock import today
from ledger.models import User
from ledger.roles import READING_ROLES, Role
from treasury.models import Delegation
from treasury.services.delegations import create_delegation, end_delegation, may_end_delegation

APPROVERS = frozenset({Role.APPROVER, Role.CFO})


class New(StepForm):
    """A delegation of one's own role; the company is the colleague's and one's own."""

    company = row_choice("Company")
    role = choice("Role", Delegation.DelegatedRole.choices, help_text="One of yours.")
    delegate = row_choice("Colleague", help_text="He approves in his own name, for you.")
    from_on = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget())
    until_on = forms.DateField(
        label="Until",
        widget=UnfoldAdminSingleDateWidget(),
        help_text="Included; it ends by itself.",
    )
    reason = line("Reason", max_length=255, help_text="Everybody who can see this sees the reason.")

    def prepare(self) -> None:
        companies = companies_of(self.user, *APPROVERS)
        colleagues = User.objects.filter(
            is_active=True,
            memberships__company__in=companies,
            memberships__role__in=list(READING_ROLES),
        )
        for name, rows in (
            ("company", companies),
            ("delegate", colleagues.exclude(pk=self.user.pk).distinct().order_by("username")),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


def _create(actor: Actor, _row: None, given: Given) -> Delegation:
    return create_delegation(
        actor=actor,
        company_id=given["company"].pk,
        role=given["role"],
        delegate_id=given["delegate"].pk,
        from_on=given["from_on"],
        until_on=given["until_on"],
        reason=given["reason"],
        today=today,
    )


def _end(actor: Actor, row: Delegation, _given: Given) -> object:
    return end_delegation(actor=actor, delegation_id=row.pk)


def _is_open(row: Delegation) -> bool:
    return row.ended_at is None and row.until_on >= today(row.company)


def state_of(row: Delegation) -> Badge:
    """Whether it is to come, holds today, or is over."""
    day = today(row.company)
    if row.ended_at is not None or row.until_on < day:
        return Badge("Over")
    return Badge("To come", "busy") if row.from_on > day else Badge("Holds", "good")


@admin.register(Delegation)
class DelegationAdmin(SeenAdmin):
    by_company_only = True
    list_display = (
        "delegate",
        "delegator",
        "role_badge",
        "state",
        "from_on",
        "until_on",
        "reason",
        "created_at_shown",
    )
    list_filter = (by("role"), seen("company"), between("from_on"), between("until_on"))
    list_select_related = ("company", "delegator", "delegate")
    search_fields = ("delegator__username", "delegate__username", "reason")
    date_hierarchy = "created_at"
    creation = Step(
        name="create",
        label="Delegate my approvals",
        done="made; it begins and ends by itself",
        run=_create,
        roles=APPROVERS,
        form=New,
        tone="main",
    )
    steps = (
        Step(
            name="end",
            label="End now",
            done="ended",
            run=_end,
            roles=READING_ROLES,
            fits=_is_open,
            may=may_end_delegation,
            tone="danger",
            bulk=False,
        ),
    )
    role_badge = badge_column("role", {})
    state = column(state_of, title="state", name="state")
    created_at_shown = instant_column("created_at", title="made")

    def page_for(self, request: HttpRequest, row: Delegation) -> Page:
        facts = (
            Fact("Approves", cells.text(row.delegate)),
            Fact("For", cells.text(row.delegator)),
            Fact("As", cells.text(row.get_role_display())),
            Fact("Company", cells.link(row.company)),
            Fact("From", cells.day(row.from_on)),
            Fact("Until, included", cells.day(row.until_on)),
            Fact("Ended early", cells.instant(row.ended_at, row.company)),
            Fact("Ended by", cells.text(row.ended_by)),
            Fact("Reason", cells.text(row.reason), wide=True),
        )
        return Page(
            f"{row.delegate} for {row.delegator}",
            badges=(state_of(row),),
            panels=(Panel("Delegation", facts), history([row.reference], row.company)),
        )
