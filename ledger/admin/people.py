"""People, what they may do where, and their API tokens: for administrators alone."""

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Tone
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.forms import FormAdmin
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.requests import roles_anywhere, user_of
from ledger.admin.signing_in import SignIn
from ledger.admin.steps import Given, Step, StepForm, choice, row_choice
from ledger.models import Branch, Company, Membership, Region, User
from ledger.phones import InvalidPhone, normalise_phone
from ledger.roles import Role
from ledger.services.memberships import grant_membership, revoke_membership
from ledger.services.signing_in import revoke_token

EVERY_ROLE = frozenset(Role)
ROLE: Mapping[str, Tone] = {
    "requester": "busy",
    "approver": "good",
    "cfo": "good",
    "treasurer": "careful",
    "reconciler": "careful",
}


class OnlySuperusers(SeenAdmin):
    """What only administrators may so much as see."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return user_of(request).is_active and user_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if self.has_module_permission(request) else rows.none()

    def roles_at(self, request: HttpRequest, row: Any) -> frozenset[Role]:
        return roles_anywhere(request)


def roles_held(user: User) -> cells.Cell:
    names = [f"{row.get_role_display()}, {row.company}" for row in user.memberships.all()]
    return cells.text("; ".join(names))


class PersonForm(UserChangeForm):
    """A person; codes go to the e-mail address, or to the phone where he wants them there."""

    phone = forms.CharField(required=False, max_length=20, widget=UnfoldAdminTextInputWidget())

    def clean_phone(self) -> str | None:
        written = self.cleaned_data["phone"].strip()
        try:
            return normalise_phone(written) if written else None
        except InvalidPhone as refusal:
            raise forms.ValidationError(refusal.detail) from refusal

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        by_sms = cleaned.get("code_channel") == User.Channel.SMS
        if by_sms and "phone" in cleaned and not cleaned["phone"]:
            self.add_error("phone", "Codes by SMS need a phone.")
        return cleaned


@admin.register(User)
class UserAdmin(FormAdmin, DjangoUserAdmin):  # type: ignore[misc]
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username",
        "full_name",
        "email",
        "roles",
        "is_active",
        "is_staff",
        "is_superuser",
    )
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("roles", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "phone", "code_channel")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "roles")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    # Codes for payments go to the e-mail address.
    add_fieldsets = (  # type: ignore[assignment]
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_staff", "is_superuser")}),
    )
    roles = column(roles_held, title="roles", name="roles")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        memberships = Membership.objects.select_related("company").order_by("company__name", "role")
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("memberships", memberships))

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()


class Grant(StepForm):
    """Who gets which role where."""

    person = row_choice("Person")
    role = choice("Role", Role.choices)
    company = row_choice("Company")
    region = row_choice("Region", required=False, help_text="Empty: all of the company.")
    branch = row_choice("Branch", required=False, help_text="Empty: all of the region.")

    def prepare(self) -> None:
        self._offer("person", User.objects.filter(is_active=True).order_by("username"))
        self._offer("company", Company.objects.all())
        self._offer("region", Region.objects.select_related("company"))
        self._offer("branch", Branch.objects.select_related("region"))

    def _offer(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows


def _grant(actor: Actor, _row: None, given: Given) -> Membership:
    region, branch = given["region"], given["branch"]
    return grant_membership(
        actor=actor,
        user_id=given["person"].pk,
        company_id=given["company"].pk,
        role=Role(given["role"]),
        region_id=region.pk if region else None,
        branch_id=branch.pk if branch else None,
    )


def _revoke(actor: Actor, row: Membership, _given: Given) -> None:
    revoke_membership(actor=actor, user_id=row.user_id, membership_id=row.pk)


@admin.register(Membership)
class MembershipAdmin(OnlySuperusers):
    list_display = ("user", "role_badge", "company", "region", "branch", "created_at_shown")
    list_filter = (by("role"), seen("company"), seen("user"), between("created_at", "since"))
    list_select_related = ("user", "company", "region", "branch")
    search_fields = ("user__username", "user__last_name", "company__name")
    date_hierarchy = "created_at"
    role_badge = badge_column("role", ROLE)
    created_at_shown = instant_column("created_at", title="since")
    creation = Step(
        name="grant",
        label="Give a role",
        done="given",
        run=_grant,
        roles=EVERY_ROLE,
        form=Grant,
        tone="main",
    )
    steps = (
        Step(
            name="revoke",
            label="Take this role away",
            done="taken away",
            run=_revoke,
            roles=EVERY_ROLE,
            tone="danger",
            ends_row=True,
        ),
    )

    def page_for(self, request: HttpRequest, row: Membership) -> Page:
        facts = Panel(
            "Membership",
            facts=(
                Fact("Person", cells.link(row.user)),
                Fact("Role", Badge(row.get_role_display(), ROLE.get(row.role, "quiet"))),
                Fact("Company", cells.link(row.company)),
                Fact("Region", cells.link(row.region)),
                Fact("Branch", cells.link(row.branch)),
                Fact("Since", cells.instant(row.created_at, row.company)),
            ),
        )
        return Page(str(row), panels=(facts, history([f"ledger.user:{row.user_id}"], row.company)))


def _end_token(actor: Actor, row: AuthToken, _given: Given) -> None:
    revoke_token(actor=actor, user_id=row.user_id, digest=row.digest)


admin.site.login_form = SignIn
admin.site.unregister(AuthToken)
# Second factors are their owners' own; what allauth keeps of addresses is not used.
for unused in (Authenticator, EmailAddress):
    admin.site.unregister(unused)
# Bursar's roles are memberships; groups would say nothing.
admin.site.unregister(Group)


@admin.register(AuthToken)
class TokenAdmin(OnlySuperusers):
    list_display = ("start", "user", "created", "expiry")
    list_filter = (seen("user"), between("created"), between("expiry"))
    list_select_related = ("user",)
    search_fields = ("token_key", "user__username")
    date_hierarchy = "created"
    ordering = ("-created",)
    steps = (
        Step(
            name="end",
            label="End this token",
            done="ended",
            run=_end_token,
            roles=EVERY_ROLE,
            tone="danger",
            ends_row=True,
        ),
    )

    @admin.display(description="token")
    def start(self, row: AuthToken) -> str:
        return f"{row.token_key}…"

    def in_short(self, row: AuthToken) -> str:
        return f"{row.token_key}… of {row.user}"

    def page_for(self, request: HttpRequest, row: AuthToken) -> Page:
        facts = Panel(
            "API token",
            facts=(
                Fact("Begins with", cells.text(row.token_key)),
                Fact("Person", cells.link(row.user)),
                Fact("Made", cells.instant(row.created)),
                Fact("Ends", cells.instant(row.expiry)),
            ),
        )
        return Page(
            self.in_short(row), panels=(facts, history([f"ledger.user:{row.user_id}"], None))
        )
