"""Payments: making one, reading it, and what was sent for it."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.access import require_role_somewhere
from ledger.api.conditional import Conditional
from ledger.api.fields import (
    AmountField,
    DayField,
    InstantField,
    Reference,
    TextField,
    WholeNumberField,
)
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    AnyOf,
    AwaitingFilter,
    BooleanFilter,
    CharFilter,
    DateFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import Editing, History, Listing, Making, Resource, Showing
from ledger.api.serializers import Input, Output
from ledger.roles import Role
from payments.selectors import exchanges_of
from treasury import duties
from treasury.api.inputs import EditInput
from treasury.awaiting import (
    payments_awaiting,
)
from treasury.exports import PAYMENTS
from treasury.methods import Method
from treasury.models import (
    LateSuccess,
    Payment,
    PaymentAttempt,
    PaymentExecution,
    Reconciliation,
    Resolution,
    Reversal,
)
from treasury.models.finding import TwoPersonFinding
from treasury.selectors import (
    attempts_seen_by,
    payments_seen_by,
    requisitions_seen_by,
)
from treasury.services.payments import MOST_RETRIES, create_payment, edit_payment
from treasury.states import PaymentStatus


class PaymentExecutionSerializer(Output):
    """Proof that a payment was made; it never changes."""

    class Meta:
        model = PaymentExecution
        fields = (
            "execution_id", "payment", "executor", "gateway_reference", "gateway_status",
            "otp_verified_at", "otp_verified_by", "ip_address", "user_agent", "journal_entry",
            "created_at",
        )  # fmt: skip


class ReconciliationSerializer(Output):
    class Meta:
        model = Reconciliation
        fields = ("reconciled_by", "reconciled_at", "note")


class ResolutionSerializer(Output):
    """What one person says about a payment in review, until another confirms it."""

    class Meta:
        model = Resolution
        fields = ("outcome", "evidence", "proposed_by", "proposed_at")


class ReversalSerializer(Output):
    """What one person says about money that came back, until a CFO confirms it."""

    class Meta:
        model = Reversal
        fields = ("evidence", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at")


class LateSuccessSerializer(Output):
    """How a success after a failure ends, proposed or confirmed."""

    class Meta:
        model = LateSuccess
        fields = (
            "outcome", "evidence", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at",
        )  # fmt: skip


class PaymentSerializer(Output):
    """A payment; ``resolution`` is what was proposed and waits for a second person.

    ``reversal`` says that its money came back, ``late_success`` how a success after a failure ends; without
    ``confirmed_at`` they wait for a second person too.
    """

    payee_name = serializers.CharField(source="requisition.payee_name", read_only=True)
    requested_by = serializers.UUIDField(source="requester_id", read_only=True)
    execution = PaymentExecutionSerializer(read_only=True, allow_null=True, default=None)
    reconciliation = ReconciliationSerializer(read_only=True, allow_null=True, default=None)
    resolution = serializers.SerializerMethodField()
    reversal = serializers.SerializerMethodField()
    late_success = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "payment_id", "requisition", "fund", "company", "amount", "currency", "method",
            "destination", "payee_name", "status", "requested_by", "executor", "otp_required",
            "step_up_required",
            "otp_sent_timestamp", "otp_verified", "otp_verified_timestamp", "retry_count",
            "max_retries", "last_error", "retry_at", "scheduled_for", "due_on", "scheduled_by",
            "next_try_at", "version", "created_by", "created_at", "execution",
            "reconciliation", "resolution", "reversal", "late_success",
        )  # fmt: skip

    @extend_schema_field(ResolutionSerializer(allow_null=True))
    def get_resolution(self, payment: Payment) -> Any:
        found = [row for row in payment.resolutions.all() if row.is_open]
        return ResolutionSerializer(found[0]).data if found else None

    @extend_schema_field(ReversalSerializer(allow_null=True))
    def get_reversal(self, payment: Payment) -> Any:
        return _standing(payment.reversals.all(), ReversalSerializer)

    @extend_schema_field(LateSuccessSerializer(allow_null=True))
    def get_late_success(self, payment: Payment) -> Any:
        return _standing(payment.late_successes.all(), LateSuccessSerializer)


def _standing(findings: Iterable[TwoPersonFinding], shown_by: type[Output]) -> Any:
    """The newest finding that was not withdrawn."""
    found = [row for row in findings if row.withdrawn_at is None]
    return shown_by(found[-1]).data if found else None


class Nothing(serializers.Field):
    """What there cannot be."""

    def __init__(self) -> None:
        super().__init__(read_only=True)

    def get_attribute(self, instance: Any) -> None:
        return None


class JustPaidSerializer(PaymentSerializer):
    """A payment in cash that this transaction pays.

    Nothing was found out about it yet: there was no attempt before, and who reconciles it comes after.
    """

    found_out = ("reconciliation", "resolution", "reversal", "late_success")

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {name: Nothing() for name in self.found_out}


JUST_PAID = JustPaidSerializer()


def paid_at_once(payment: Payment) -> Any:
    """Return what an answer says about a payment that this transaction pays, without reading it again."""
    return JUST_PAID.to_representation(payment)


class PaymentFilter(FilterSet):
    status = AnyOf("status", PaymentStatus.choices)
    method = AnyOf("method", Method.choices)
    fund = UUIDFilter("fund_id")
    requisition = UUIDFilter("requisition_id")
    company = UUIDFilter("company_id")
    currency = CharFilter("currency")
    executor = UUIDFilter("executor_id")
    requested_by = UUIDFilter("requester_id")
    otp_required = BooleanFilter("otp_required")
    amount_min = AmountFrom("amount")
    amount_max = AmountTo("amount")
    created_from = InstantFrom("created_at")
    created_to = InstantTo("created_at")
    scheduled_by = UUIDFilter("scheduled_by_id")
    due_by = DateFilter(method="due", label="Pending payments that go out on this date or before.")
    awaiting = AwaitingFilter(payments_awaiting)

    def due(self, rows: QuerySet[Payment], name: str, day: date) -> QuerySet[Payment]:
        """Keep what is pending and scheduled for the date or before."""
        return rows.filter(status=PaymentStatus.PENDING, due_on__lte=day)


SCHEDULED = "The day on which it goes out by itself, or waits for its code; null: when executed."


class PaymentInput(Input):
    requisition = Reference(requisitions_seen_by, noun="requisition")
    amount = AmountField(required=False, help_text="All that is left, if left out.")
    method = serializers.ChoiceField(Method.choices, required=False)
    destination = TextField(required=False, max_length=160)
    scheduled_for = DayField(required=False, allow_null=True, help_text=SCHEDULED)
    payment_id = serializers.UUIDField(
        required=False, help_text="The client's own; a repetition returns the first payment."
    )


class PaymentList(Conditional, Listing, Making):
    """GET: List payments, newest first
    POST: Make a payment of an approved requisition
    """

    rows = staticmethod(payments_seen_by)
    action, Input, Output = "payment.create", PaymentInput, PaymentSerializer
    filterset_class = PaymentFilter
    ordering = ("-created_at", "-payment_id")
    ordering_fields = ("created_at", "amount")
    export = PAYMENTS
    refusals = {
        409: "requisition_not_approved, exceeds_approved_amount, payment_exists",
        422: "differs_from_approval, idempotency_mismatch",
    }

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.TREASURER)
        if requisition := self.named("requisition"):
            duties.may_make_payment(self.actor, requisition)

    def make(self, data: dict[str, Any]) -> Payment:
        requisition = data.pop("requisition")
        return create_payment(actor=self.actor, requisition_id=requisition.pk, **data)


class PaymentEditInput(EditInput):
    amount = AmountField(required=False)
    max_retries = WholeNumberField(required=False, least=1, most=MOST_RETRIES)
    scheduled_for = DayField(required=False, allow_null=True, help_text=SCHEDULED)


class PaymentDetail(Conditional, Showing, Editing):
    """GET: Show a payment
    PATCH: Change a pending payment, which makes its next version and kills its codes
    """

    rows, key, noun = staticmethod(payments_seen_by), "payment_id", "treasury.payment"
    action, Input, Output = "payment.edit", PaymentEditInput, PaymentSerializer
    refusals = {409: "illegal_transition, exceeds_approved_amount"}

    def permit(self, row: Payment) -> None:
        duties.may_change_payment(self.actor, row)

    def act(self, row: Payment, data: dict[str, Any]) -> Payment:
        return edit_payment(actor=self.actor, payment_id=row.pk, **data)


class PaymentHistory(History):
    """Read what happened to a payment, oldest first."""

    rows, key, noun = staticmethod(payments_seen_by), "payment_id", "treasury.payment"


class ExchangeSerializer(serializers.Serializer):
    """One call to the gateway: what was sent and what was answered, without secrets."""

    operation = serializers.CharField()
    method = serializers.CharField()
    url = serializers.CharField()
    request_body = serializers.CharField()
    requested_at = InstantField()
    http_status = serializers.IntegerField(allow_null=True)
    response_body = serializers.CharField()
    error = serializers.CharField()
    duration_ms = serializers.IntegerField(allow_null=True)
    answered_at = InstantField(allow_null=True)


class CallbackSerializer(serializers.Serializer):
    """What was posted to us about an attempt, in short."""

    trusted = serializers.BooleanField(help_text="Whether the address was right.")
    says = serializers.CharField()
    received_at = InstantField()


class AttemptSerializer(Output):
    """One try at a gateway, under one reference that never changes."""

    exchanges = serializers.SerializerMethodField()
    callbacks = CallbackSerializer(many=True, read_only=True)
    provider_name = serializers.CharField(source="provider.name", read_only=True)

    class Meta:
        model = PaymentAttempt
        fields = (
            "attempt_id", "payment", "number", "reference", "provider", "provider_name", "amount",
            "currency", "executor", "automatic", "state", "conversation", "gateway_reference", "gateway_status",
            "last_error", "created_at", "finished_at", "exchanges", "callbacks",
        )  # fmt: skip

    @extend_schema_field(ExchangeSerializer(many=True))
    def get_exchanges(self, attempt: PaymentAttempt) -> Any:
        mine = [one for one in self.context["exchanges"] if one.subject == attempt.subject]
        return ExchangeSerializer(mine, many=True).data


class PaymentAttempts(Resource):
    """Read what was sent to the gateway for a payment and what it answered, redacted."""

    rows, key, Output = staticmethod(payments_seen_by), "payment_id", AttemptSerializer
    ordering = ("number",)

    def get(self, request: Request, **path: Any) -> Response:
        rows: QuerySet[PaymentAttempt] = attempts_seen_by(self.user).filter(payment=self.found())
        page = self.paginate_queryset(rows.order_by(*self.ordering)) or []
        exchanges = exchanges_of(*(attempt.subject for attempt in page))
        context = {**self.get_serializer_context(), "exchanges": exchanges}
        return self.get_paginated_response(AttemptSerializer(page, many=True, context=context).data)
