"""Webhooks: where a company is told what happens, and what was sent there; and the events themselves."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ledger.access import companies_of
from ledger.actor import Actor
from ledger.admin import cells
from ledger.admin.base import SeenAdmin
from ledger.admin.cells import Badge, Link, Tone, list_of, page_of
from ledger.admin.columns import badge_column, column, instant_column
from ledger.admin.filters import between, by, seen
from ledger.admin.frame import framed
from ledger.admin.pages import Fact, Page, Panel, Table, history
from ledger.admin.requests import actor_of, user_of
from ledger.admin.steps import (
    Given,
    Outcome,
    Reasoned,
    Step,
    StepForm,
    choice,
    line,
    row_choice,
)
from ledger.event_kinds import known_kinds
from ledger.models import Company, OutboxEvent, WebhookDelivery, WebhookEndpoint, WebhookTry
from ledger.refusals import Refusal
from ledger.results import A_MOMENT, keep_result, kept_result
from ledger.roles import Role
from ledger.services.deliveries import replay, send_test
from ledger.services.webhooks import (
    WithSecret,
    add_webhook,
    disable_webhook,
    edit_webhook,
    enable_webhook,
    may_change_webhook,
    rotate_secret,
)

CFO = frozenset({Role.CFO})
STATUS_TONES: dict[str, Tone] = {"active": "good", "failing": "careful", "disabled": "bad"}
DELIVERY_TONES: dict[str, Tone] = {"pending": "busy", "delivered": "good", "dead": "bad"}
SHOWN_TRIES = 50
SHOWN_BRIEFLY = "ledger_webhookendpoint_secret"


def status(row: WebhookEndpoint) -> Badge:
    return Badge(row.get_status_display(), STATUS_TONES[row.status])


class WebhookForm(StepForm):
    url = line("Address", help_text="Public, and https://.", max_length=500)
    description = line("Description", required=False, max_length=160)
    kinds = forms.MultipleChoiceField(
        label="Events",
        required=False,
        help_text="None ticked stands for all.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    def prepare(self) -> None:
        kinds: Any = self.fields["kinds"]
        kinds.choices = [(kind, kind) for kind in known_kinds()]
        if len(self.rows) == 1:
            for name in ("url", "description", "kinds"):
                self.fields[name].initial = getattr(self.rows[0], name)


class NewWebhookForm(WebhookForm):
    company = row_choice("Company")
    field_order = ("company", "url", "description", "kinds")

    def prepare(self) -> None:
        super().prepare()
        companies: Any = self.fields["company"]
        companies.queryset = companies_of(self.user, Role.CFO).order_by("name")


class RotateForm(StepForm):
    overlap_hours = choice(
        "The old secret signs too",
        [("24", "for 24 hours"), ("1", "for one hour"), ("0", "no longer: it leaked")],
    )


def _add(actor: Actor, _row: None, given: Given) -> WithSecret:
    company: Company = given["company"]
    wanted = {name: given[name] for name in ("url", "kinds", "description")}
    return add_webhook(actor=actor, company_id=company.pk, **wanted)


def _edit(actor: Actor, row: WebhookEndpoint, given: Given) -> object:
    return edit_webhook(actor=actor, webhook_id=row.pk, **given)


def _rotate(actor: Actor, row: WebhookEndpoint, given: Given) -> WithSecret:
    hours = int(given["overlap_hours"])
    return rotate_secret(actor=actor, webhook_id=row.pk, overlap_hours=hours)


def _disable(actor: Actor, row: WebhookEndpoint, given: Given) -> object:
    return disable_webhook(actor=actor, webhook_id=row.pk, reason=given["reason"])


def _enable(actor: Actor, row: WebhookEndpoint, _given: Given) -> object:
    return enable_webhook(actor=actor, webhook_id=row.pk)


def _test(actor: Actor, row: WebhookEndpoint, _given: Given) -> object:
    return send_test(actor=actor, webhook_id=row.pk)


def _replay(actor: Actor, row: WebhookDelivery, _given: Given) -> object:
    return replay(actor=actor, delivery_id=row.pk)


def _may_replay(actor: Actor, row: WebhookDelivery) -> None:
    may_change_webhook(actor, row.endpoint)


def _is_on(row: WebhookEndpoint) -> bool:
    return row.disabled_at is None


ADD = Step(
    name="add",
    label="Add a webhook",
    done="added",
    run=_add,
    roles=CFO,
    form=NewWebhookForm,
    hint="The secret is shown once, after this.",
    bulk=False,
)
STEPS = (
    Step(
        name="test",
        label="Send a test",
        done="a test is on its way",
        run=_test,
        roles=CFO,
        may=may_change_webhook,
        fits=_is_on,
        tone="main",
        bulk=False,
    ),
    Step(
        name="edit",
        label="Edit",
        done="changed",
        run=_edit,
        roles=CFO,
        may=may_change_webhook,
        form=WebhookForm,
        hint="What waits goes to the new address.",
        bulk=False,
    ),
    Step(
        name="rotate",
        label="Replace the secret",
        done="has a new secret",
        run=_rotate,
        roles=CFO,
        may=may_change_webhook,
        form=RotateForm,
        hint="The new secret is shown once, after this.",
        bulk=False,
    ),
    Step(
        name="disable",
        label="Disable",
        done="disabled; it is told nothing",
        run=_disable,
        roles=CFO,
        may=may_change_webhook,
        fits=_is_on,
        form=Reasoned,
        tone="danger",
        bulk=False,
    ),
    Step(
        name="enable",
        label="Enable",
        done="told again",
        run=_enable,
        roles=CFO,
        may=may_change_webhook,
        fits=lambda row: row.disabled_at is not None,
        hint="What happened meanwhile is not sent; it stands under Events.",
        tone="main",
        bulk=False,
    ),
)
REPLAY = Step(
    name="replay",
    label="Send again",
    done="is sent again",
    run=_replay,
    roles=CFO,
    may=_may_replay,
    hint="The same message under the same id, with all its tries.",
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(SeenAdmin):
    by_company_only = True
    list_display = ("url", "company", "status_badge", "description", "created_at_shown")
    list_filter = (seen("company"),)
    list_select_related = ("company",)
    search_fields = ("url", "description", "company__name")
    date_hierarchy = "created_at"
    steps = STEPS
    creation = ADD
    status_badge = column(status, title="status", order="disabled_at", name="status_badge")
    created_at_shown = instant_column("created_at", title="added")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        """Secrets are not even read: no page can show what it has not got."""
        rows: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return rows.select_related("company").defer("secret", "previous_secret")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.secret_view)
        secret = path("<uuid:webhook_id>/secret/<slug:key>/", view, name=SHOWN_BRIEFLY)
        return [secret, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a webhook, and lead to the page that shows its secret for a moment."""
        if request.method != "POST":
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ADD.form(request.POST, user=user_of(request))
        if not form.is_valid():
            return self.ask_new(request, ADD, form, status=400)
        try:
            made = _add(actor_of(request), None, form.cleaned_data)
        except Refusal as refusal:
            form.refuse(refusal)
            return self.ask_new(request, ADD, form, status=refusal.status)
        return self._show_secret(request, made)

    def _answer(
        self, request: HttpRequest, step: Step, form: StepForm, outcome: Outcome
    ) -> HttpResponse:
        if isinstance(outcome.result, WithSecret):
            return self._show_secret(request, outcome.result)
        return super()._answer(request, step, form, outcome)

    def _show_secret(self, request: HttpRequest, made: WithSecret) -> HttpResponse:
        key = keep_result(request, made.endpoint.subject, made.secret, lasts=A_MOMENT)
        url = reverse(f"admin:{SHOWN_BRIEFLY}", args=[made.endpoint.pk, key])
        return HttpResponseRedirect(url)

    def secret_view(self, request: HttpRequest, webhook_id: UUID, key: str) -> HttpResponse:
        """Show the secret to whoever had it made, in this browser and for a few minutes."""
        row = self.row_or_404(request, str(webhook_id))
        secret = kept_result(request, row.subject, key)
        if secret is None:
            messages.info(request, "The secret is not shown any more. If it is lost, replace it.")
            return HttpResponseRedirect(page_of(row))
        return framed(
            self,
            request,
            "secret",
            title="The secret of this webhook",
            endpoint=row,
            secret=secret,
            back=page_of(row),
        )

    def page_for(self, request: HttpRequest, row: WebhookEndpoint) -> Page:
        company = row.company
        facts = (
            Fact("Company", cells.link(company)),
            Fact("Description", cells.text(row.description)),
            Fact("Added", cells.instant(row.created_at, company)),
            Fact("Failing since", cells.instant(row.failing_since, company)),
            Fact("Disabled", cells.instant(row.disabled_at, company)),
            Fact("Why it was disabled", cells.text(row.disabled_reason)),
            Fact("Secret", cells.text("Kept encrypted, never shown")),
            Fact("The old secret signs until", cells.instant(row.previous_until, company)),
            Fact("Events", cells.text(", ".join(row.kinds) or "All"), wide=True),
        )
        sent = Link("What was sent", list_of(WebhookDelivery, endpoint__id__exact=row.pk))
        panels = (Panel("Webhook", facts, links=(sent,)), history([row.subject], company))
        return Page(row.url, badges=(status(row),), panels=panels)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(SeenAdmin):
    scope = "endpoint__"
    whole_company = True
    list_display = ("kind", "status_badge", "url", "tries", "answer", "created_at_shown")
    list_filter = (by("status"), seen("endpoint"), between("created_at", "when"))
    list_select_related = ("endpoint__company",)
    search_fields = ("kind", "subject", "message_id")
    steps = (REPLAY,)
    status_badge = badge_column("status", DELIVERY_TONES)
    url = column(lambda row: cells.text(row.endpoint.url), title="to", name="url")
    answer = column(lambda row: cells.text(row.last_answer), title="last answer", name="answer")
    created_at_shown = instant_column(
        "created_at", title="when", company=lambda row: row.endpoint.company
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        rows: QuerySet[WebhookDelivery] = super().get_queryset(request)
        rows = rows.select_related("endpoint__company")
        return rows.defer("endpoint__secret", "endpoint__previous_secret")

    def page_for(self, request: HttpRequest, row: WebhookDelivery) -> Page:
        company = row.endpoint.company
        facts = (
            Fact("To", cells.link(row.endpoint)),
            Fact("Event", cells.link(row.event)),
            Fact("Message", cells.text(row.message_id)),
            Fact("Subject", cells.text(row.subject)),
            Fact("Next try", cells.instant(row.next_try_at, company, exact=True)),
            Fact("Ended", cells.instant(row.finished_at, company, exact=True)),
            Fact("Body", cells.code(bytes(row.body).decode()), wide=True),
        )
        badge = Badge(row.get_status_display(), DELIVERY_TONES[row.status])
        tries = Panel("Tries", table=_tries(row), empty="It was not sent yet.")
        return Page(row.kind, badges=(badge,), panels=(Panel("Message", facts), tries))


def _tries(row: WebhookDelivery) -> Table:
    company = row.endpoint.company
    log = WebhookTry.objects.filter(delivery=row).order_by("-at")[:SHOWN_TRIES]
    return Table(
        ("When", "Try", "Answer", "Took"),
        [
            (
                cells.instant(one.at, company, exact=True),
                cells.text(one.number),
                cells.text(one.error or f"HTTP {one.answer_status}"),
                cells.text(f"{one.duration_ms} ms"),
            )
            for one in log
        ],
    )


@admin.register(OutboxEvent)
class OutboxEventAdmin(SeenAdmin):
    whole_company = True
    list_display = ("kind", "company", "subject", "sequence", "occurred_at_shown")
    list_filter = (seen("company"), between("occurred_at", "when"))
    list_select_related = ("company",)
    search_fields = ("kind", "subject")
    occurred_at_shown = instant_column("occurred_at", title="when")

    def page_for(self, request: HttpRequest, row: OutboxEvent) -> Page:
        facts = (
            Fact("Company", cells.link(row.company)),
            Fact("When", cells.instant(row.occurred_at, row.company, exact=True)),
            Fact("Subject", cells.text(row.subject)),
            Fact("Number of the subject's events", cells.text(row.sequence)),
            Fact("Handed to webhooks", cells.instant(row.fanned_out_at, row.company, exact=True)),
            Fact("What it says", cells.code(row.payload), wide=True),
        )
        sent = Link("Where it was sent", list_of(WebhookDelivery, q=row.pk))
        return Page(row.kind, panels=(Panel("Event", facts, links=(sent,)),))
