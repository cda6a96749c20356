"""Webhooks: where a company is told what happens, what was sent there, and sending it again."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.access import companies_of, companies_read_as_a_whole, require_role_somewhere
from ledger.api.fields import InstantField, Reference, TextField, WholeNumberField
from ledger.api.filters import AnyOf, CharFilter, FilterSet, InstantFrom, InstantTo, UUIDFilter
from ledger.api.resource import Doing, Editing, History, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.event_kinds import known_kinds
from ledger.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from ledger.refusals import InvalidInput
from ledger.roles import Role
from ledger.selectors import companies_seen_by, deliveries_seen_by, webhooks_seen_by
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
from ledger.states import DeliveryStatus

NOUN = "ledger.webhook"


class WebhookSerializer(Output):
    status = serializers.ChoiceField(WebhookEndpoint.Status.choices, read_only=True)
    kinds = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = (
            "id", "company", "url", "description", "kinds", "status", "created_by", "created_at",
            "failures", "failing_since", "disabled_at", "disabled_reason", "previous_until",
        )  # fmt: skip


class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook and its secret, shown this once."""

    secret = serializers.SerializerMethodField()

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")

    def get_secret(self, row: WebhookEndpoint) -> str:
        secret: str = self.context["secret"]
        return secret


class KindsField(serializers.ListField):
    """Kinds of event; an empty list stands for all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.ChoiceField(known_kinds()), **kwargs)


class WebhookInput(Input):
    company = Reference(companies_seen_by, noun="company", required=False)
    url = TextField(max_length=500)
    kinds = KindsField(required=False)
    description = TextField(max_length=160, required=False, allow_blank=True)


class WebhookEdit(Input):
    url = TextField(max_length=500, required=False)
    kinds = KindsField(required=False)
    description = TextField(max_length=160, required=False, allow_blank=True)


class RotateInput(Input):
    overlap_hours = WholeNumberField(
        least=0,
        most=24,
        required=False,
        help_text="How long the old secret signs too; 24 at first.",
    )


class DisableInput(Input):
    reason = TextField(max_length=255)


class WebhookFilter(FilterSet):
    company = UUIDFilter("company_id")


class WithItsSecret:
    """An answer that holds a secret: given once, never kept, so that no ``Idempotency-Key`` repeats it."""

    Output: ClassVar[Any] = WebhookWithSecretSerializer
    honours_keys = False

    def answer(self: Any, act: Any) -> Response:
        made: WithSecret = act()
        row = webhooks_seen_by(self.user).get(pk=made.pk)
        context = {**self.get_serializer_context(), "secret": made.secret}
        return Response(
            WebhookWithSecretSerializer(row, context=context).data, status=self.status_code
        )


class WebhookList(WithItsSecret, Listing, Making):
    """GET: List webhooks
    POST: Have a company's events told to an address; the answer alone shows the secret
    """

    rows = staticmethod(webhooks_seen_by)
    action, Input, ListOutput = "webhook.add", WebhookInput, WebhookSerializer
    filterset_class = WebhookFilter
    ordering = ("created_at", "id")
    ordering_fields = ("created_at",)
    refusals = {400: "destination_refused", 403: "role_required", 409: "too_many_webhooks"}

    def get(self, request: Request, **path: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(WebhookSerializer(page, many=True).data)

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.CFO)
        company = self.named("company")
        if company is not None:
            may_change_webhook(self.actor, WebhookEndpoint(company=company))

    def make(self, data: dict[str, Any]) -> WithSecret:
        company = data.pop("company", None)
        company_id = company.pk if company is not None else self._only_company()
        return add_webhook(actor=self.actor, company_id=company_id, **data)

    def _only_company(self) -> UUID:
        found = list(companies_of(self.user, Role.CFO).values_list("pk", flat=True)[:2])
        if len(found) != 1:
            raise InvalidInput.on("company", "Name the company; there are several.")
        return found[0]


class WebhookDetail(Showing, Editing):
    """GET: Show a webhook
    PATCH: Change where a webhook goes, which events it is told, or its description
    """

    rows, key, noun = staticmethod(webhooks_seen_by), "webhook_id", NOUN
    Output, Input, action = WebhookSerializer, WebhookEdit, "webhook.edit"
    refusals = {400: "destination_refused", 403: "role_required"}

    def permit(self, row: WebhookEndpoint) -> None:
        may_change_webhook(self.actor, row)

    def act(self, row: WebhookEndpoint, data: dict[str, Any]) -> WebhookEndpoint:
        return edit_webhook(actor=self.actor, webhook_id=row.pk, **data)


class WebhookHistory(History):
    """Read what happened to a webhook, oldest first."""

    rows, key, noun = staticmethod(webhooks_seen_by), "webhook_id", NOUN


class WebhookAction(Doing):
    """Something done with a webhook."""

    rows, key, noun = staticmethod(webhooks_seen_by), "webhook_id", NOUN
    Output: ClassVar[Any] = WebhookSerializer
    refusals = {403: "role_required", 409: "illegal_transition"}

    def permit(self, row: WebhookEndpoint) -> None:
        may_change_webhook(self.actor, row)


class WebhookDisable(WebhookAction):
    """Stop telling a webhook anything; what waits stays."""

    action, Input = "webhook.disable", DisableInput

    def act(self, row: WebhookEndpoint, data: dict[str, Any]) -> WebhookEndpoint:
        return disable_webhook(actor=self.actor, webhook_id=row.pk, **data)


class WebhookEnable(WebhookAction):
    """Tell a disabled webhook again, from now on; what waited when it was disabled is sent."""

    action = "webhook.enable"

    def act(self, row: WebhookEndpoint, data: dict[str, Any]) -> WebhookEndpoint:
        return enable_webhook(actor=self.actor, webhook_id=row.pk)


class WebhookRotate(WithItsSecret, WebhookAction):
    """Give a webhook a new secret; the answer alone shows it.

    For `overlap_hours` every message carries two signatures, one by each secret. After a leak send 0.
    """

    Output = WebhookWithSecretSerializer
    action, Input = "webhook.rotate", RotateInput

    def act(self, row: WebhookEndpoint, data: dict[str, Any]) -> WithSecret:
        return rotate_secret(actor=self.actor, webhook_id=row.pk, **data)


class DeliverySerializer(Output):
    webhook = serializers.UUIDField(source="endpoint_id", read_only=True)
    type = serializers.CharField(source="kind", read_only=True)

    class Meta:
        model = WebhookDelivery
        fields: tuple[str, ...] = (
            "id", "webhook", "event", "message_id", "type", "subject", "sequence", "status", "tries",
            "replays", "next_try_at", "last_answer", "created_at", "finished_at",
        )  # fmt: skip


class TrySerializer(Output):
    at = InstantField()

    class Meta:
        model = WebhookTry
        fields = ("at", "number", "replay", "answer_status", "error", "duration_ms")


class DeliveryWithTriesSerializer(DeliverySerializer):
    body = serializers.SerializerMethodField(help_text="What is sent, byte for byte.")
    log = TrySerializer(many=True, read_only=True)

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "body", "log")

    def get_body(self, row: WebhookDelivery) -> str:
        return bytes(row.body).decode()


class DeliveryFilter(FilterSet):
    status = AnyOf("status", DeliveryStatus.choices)
    type = CharFilter("kind")
    subject = CharFilter("subject")
    created_from = InstantFrom("created_at")
    created_to = InstantTo("created_at")


class OfWebhook:
    """What belongs to the webhook that the path names; 404 to whoever does not read all of its company."""

    kwargs: dict[str, Any]

    def get_queryset(self: Any) -> QuerySet[WebhookDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return WebhookDelivery.objects.none()
        told = webhooks_seen_by(self.user).filter(company__in=companies_read_as_a_whole(self.user))
        webhook = get_object_or_404(told, pk=self.kwargs["webhook_id"])
        return deliveries_seen_by(self.user).filter(endpoint=webhook)


class DeliveryList(OfWebhook, Listing):
    """List what was and will be sent to a webhook, newest first."""

    rows = staticmethod(deliveries_seen_by)
    Output = DeliverySerializer
    filterset_class = DeliveryFilter
    ordering = ("-created_at", "-id")
    ordering_fields = ("created_at",)


class DeliveryDetail(OfWebhook, Showing):
    """Show one message, its body, and what came of each try."""

    rows, key = staticmethod(deliveries_seen_by), "delivery_id"
    Output = DeliveryWithTriesSerializer


class WebhookTest(WebhookAction):
    """Send a message of the type `webhook.test`, to see whether it is taken."""

    action, Output, status_code = "webhook.test", DeliverySerializer, 202
    results = staticmethod(deliveries_seen_by)

    def act(self, row: WebhookEndpoint, data: dict[str, Any]) -> WebhookDelivery:
        return send_test(actor=self.actor, webhook_id=row.pk)


class DeliveryReplay(OfWebhook, Doing):
    """Send a message once more: the same bytes under the same id, with all its tries."""

    rows, key, noun = staticmethod(deliveries_seen_by), "delivery_id", "ledger.delivery"
    action, Output, status_code = "webhook.replay", DeliverySerializer, 202
    refusals = {403: "role_required"}

    def permit(self, row: WebhookDelivery) -> None:
        may_change_webhook(self.actor, row.endpoint)

    def act(self, row: WebhookDelivery, data: dict[str, Any]) -> WebhookDelivery:
        return replay(actor=self.actor, delivery_id=row.pk)
