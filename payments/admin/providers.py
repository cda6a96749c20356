"""Providers: the accounts with gateways. Their credentials are written, never shown."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.access import require_role
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Link, list_of
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import by, seen
from ledger.admin.pages import Fact, Page, Panel, history
from ledger.admin.steps import Given, Reasoned, Step
from ledger.roles import Role
from payments.admin.credentials import ADD, CHANGE
from payments.models import GatewayRequest, Provider
from payments.services.providers import resume_provider, stop_provider


def state(row: Provider) -> Badge:
    if row.stopped_at:
        return Badge("Stopped", "bad")
    if row.active and row.rests:
        return Badge("Does not answer", "careful")
    return Badge("Running", "good") if row.active else Badge("Off")


def _stop(actor: Actor, row: Provider, given: Given) -> object:
    return stop_provider(actor=actor, provider_id=row.pk, reason=given["reason"])


def _resume(actor: Actor, row: Provider, _given: Given) -> object:
    return resume_provider(actor=actor, provider_id=row.pk)


def _may_stop(actor: Actor, row: Provider) -> None:
    require_role(actor, Role.TREASURER, Role.CFO, place=row)


def _may_resume(actor: Actor, row: Provider) -> None:
    require_role(actor, Role.CFO, place=row)


STEPS = (
    Step(
        name="stop",
        label="Stop",
        done="stopped; nobody calls it",
        run=_stop,
        roles=frozenset({Role.TREASURER, Role.CFO}),
        fits=lambda row: row.stopped_at is None,
        may=_may_stop,
        form=Reasoned,
        tone="danger",
        hint="Payments through it wait until it is resumed.",
    ),
    Step(
        name="resume",
        label="Resume",
        done="running again",
        run=_resume,
        roles=frozenset({Role.CFO}),
        fits=lambda row: row.stopped_at is not None,
        may=_may_resume,
        tone="main",
    ),
)


@admin.register(Provider)
class ProviderAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("name", "company", "kind_badge", "state", "short_code", "created_at_shown")
    list_filter = (by("kind"), seen("company"), "active")
    list_select_related = ("company",)
    search_fields = ("name", "short_code", "company__name")
    steps = (*STEPS, CHANGE)
    creation = ADD
    kind_badge = badge_column("kind", {"mpesa": "good", "bank": "busy"})
    state = column(state, title="state", order="stopped_at", name="state")
    created_at_shown = instant_column("created_at", title="added")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """Secrets are not even read: no page can show what it has not got."""
        rows: QuerySet[Provider] = super().get_queryset(request)
        return rows.select_related("company", "bank").defer("credentials", "token")

    def page_for(self, request: HttpRequest, row: Provider) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("Kind", Badge(row.get_kind_display())),
            Fact("Short code", cells.text(row.short_code)),
            *_secrets(row),
            Fact("Stopped", cells.instant(row.stopped_at, row.company)),
            Fact("Calls in a row without an answer", cells.text(row.unanswered)),
            Fact("Rests until", cells.instant(row.rests_until, row.company)),
            Fact("Why it was stopped", cells.text(row.stopped_reason), wide=True),
        )
        calls = Link(
            "What was sent and answered", list_of(GatewayRequest, provider__id__exact=row.pk)
        )
        return Page(
            row.name,
            badges=(state(row),),
            panels=(Panel("Provider", facts, links=(calls,)), history([row.subject], row.company)),
        )


def _secrets(row: Provider) -> tuple[Fact, ...]:
    if row.kind == Provider.Kind.BANK:
        return (Fact("Account and terms", cells.link(row.bank)),)
    return (
        Fact("Initiator", cells.text(row.initiator_name)),
        Fact("Credentials", cells.text("Kept encrypted, never shown")),
        Fact("Address", cells.text(row.base_url), wide=True),
    )
