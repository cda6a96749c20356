"""Requisitions: somebody asks for money, others agree or refuse, with evidence."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.access import require_role_somewhere
from ledger.api.fields import AmountField, MoneyText, Reference, TextField, WholeNumberField
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    AnyOf,
    AwaitingFilter,
    CharFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import Doing, Editing, History, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.roles import Role
from treasury import duties
from treasury.api.attachments import AttachmentSerializer
from treasury.api.inputs import EditInput, ReasonInput
from treasury.awaiting import (
    requisitions_awaiting,
)
from treasury.exports import REQUISITIONS
from treasury.methods import Method
from treasury.models import Requisition, RequisitionApproval
from treasury.selectors import (
    funds_seen_by,
    requisitions_seen_by,
)
from treasury.services.requisitions import (
    approve_requisition,
    cancel_requisition,
    create_requisition,
    edit_requisition,
    reject_requisition,
)
from treasury.states import RequisitionStatus


class ApprovalSerializer(Output):
    approver_name = serializers.CharField(source="approver", read_only=True)

    class Meta:
        model = RequisitionApproval
        fields = (
            "approver", "approver_name", "role", "on_behalf_of", "comment", "approved_at",
        )  # fmt: skip


class RequisitionSerializer(Output):
    """A requisition; ``approvals`` are those of its present version.

    ``source`` is what it was raised for, such as an expense of an association, and empty for most.
    """

    approvals = serializers.SerializerMethodField()
    amount_left = MoneyText(help_text="Approved and not yet taken by a payment.")
    attachments = AttachmentSerializer(many=True, read_only=True)

    class Meta:
        model = Requisition
        fields = (
            "requisition_id", "fund", "company", "amount", "currency", "amount_left", "purpose",
            "payee_name", "payee_note", "risk", "method", "destination", "source", "status", "version",
            "requested_by", "requested_at", "approvals", "attachments", "approved_at", "rejected_by", "rejected_at",
            "rejection_reason", "cancelled_at",
        )  # fmt: skip

    @extend_schema_field(ApprovalSerializer(many=True))
    def get_approvals(self, requisition: Requisition) -> Any:
        given = requisition.all_approvals.all()
        current = [approval for approval in given if approval.version == requisition.version]
        return ApprovalSerializer(current, many=True).data


class RequisitionFilter(FilterSet):
    status = AnyOf("status", RequisitionStatus.choices)
    method = AnyOf("method", Method.choices)
    fund = UUIDFilter("fund_id")
    company = UUIDFilter("company_id")
    currency = CharFilter("currency")
    requested_by = UUIDFilter("requested_by_id")
    payee_name = CharFilter("payee_name", "icontains")
    amount_min = AmountFrom("amount")
    amount_max = AmountTo("amount")
    requested_from = InstantFrom("requested_at")
    requested_to = InstantTo("requested_at")
    awaiting = AwaitingFilter(requisitions_awaiting)


class RequisitionInput(Input):
    fund = Reference(funds_seen_by, noun="fund")
    amount = AmountField()
    currency = TextField(required=False, max_length=3, help_text="The fund's, if given.")
    purpose = TextField(max_length=500)
    payee_name = TextField(max_length=160)
    method = serializers.ChoiceField(Method.choices)
    destination = TextField(max_length=160)


class RequisitionList(Listing, Making):
    """GET: List requisitions, newest first
    POST: Ask for money out of a fund
    """

    rows = staticmethod(requisitions_seen_by)
    action, Input, Output = "requisition.create", RequisitionInput, RequisitionSerializer
    filterset_class = RequisitionFilter
    ordering = ("-requested_at", "-requisition_id")
    ordering_fields = ("requested_at", "amount")
    export = REQUISITIONS
    refusals = {400: "amount_precision, amount_too_large, method_unavailable, phone_invalid, …"}

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.REQUESTER)
        if fund := self.named("fund"):
            duties.may_request(self.actor, fund)

    def make(self, data: dict[str, Any]) -> Requisition:
        fund = data.pop("fund")
        return create_requisition(actor=self.actor, fund_id=fund.pk, **data)


class RequisitionEditInput(EditInput):
    amount = AmountField(required=False)
    currency = TextField(required=False, max_length=3)
    purpose = TextField(required=False, max_length=500)
    payee_name = TextField(required=False, max_length=160)
    method = serializers.ChoiceField(Method.choices, required=False)
    destination = TextField(required=False, max_length=160)


class RequisitionDetail(Showing, Editing):
    """GET: Show a requisition
    PATCH: Change one's own requisition; it is submitted again, its approvals void
    """

    rows, key, noun = staticmethod(requisitions_seen_by), "requisition_id", "treasury.requisition"
    action, Input, Output = "requisition.edit", RequisitionEditInput, RequisitionSerializer
    refusals = {409: "payment_started, illegal_transition, late_success, follows_source"}

    def permit(self, row: Requisition) -> None:
        duties.may_change_requisition(self.actor, row)

    def act(self, row: Requisition, data: dict[str, Any]) -> Requisition:
        return edit_requisition(actor=self.actor, requisition_id=row.pk, **data)


class RequisitionHistory(History):
    """Read what happened to a requisition, oldest first."""

    rows, key, noun = staticmethod(requisitions_seen_by), "requisition_id", "treasury.requisition"


class RequisitionAction(Doing):
    """Something done with a requisition."""

    rows, key, noun = staticmethod(requisitions_seen_by), "requisition_id", "treasury.requisition"
    Output = RequisitionSerializer
    refusals = {403: "role_required, segregation_of_duties", 409: "illegal_transition"}


class ApprovalInput(Input):
    comment = TextField(required=False, allow_blank=True, max_length=2000)
    version = WholeNumberField(
        required=False, least=1, most=2**31 - 1, help_text="What lay before you; another is 409."
    )


class RequisitionApprove(RequisitionAction):
    """Agree to a requisition as it is now.

    It is approved with the last approval that its amount needs.
    """

    action, Input = "requisition.approve", ApprovalInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, in_batch, step_up_required, already_approved, changed_since",
    }

    def permit(self, row: Requisition) -> None:
        duties.may_approve_requisition(self.actor, row)

    def act(self, row: Requisition, data: dict[str, Any]) -> Requisition:
        return approve_requisition(actor=self.actor, requisition_id=row.pk, **data)


class RequisitionReject(RequisitionAction):
    """Refuse a requisition for good, saying why."""

    action, Input = "requisition.reject", ReasonInput

    def permit(self, row: Requisition) -> None:
        duties.may_reject_requisition(self.actor, row)

    def act(self, row: Requisition, data: dict[str, Any]) -> Requisition:
        return reject_requisition(actor=self.actor, requisition_id=row.pk, **data)


class RequisitionCancel(RequisitionAction):
    """Withdraw one's own requisition, and its pending payments with it."""

    action = "requisition.cancel"
    refusals = {403: "role_required", 409: "illegal_transition, payment_started, late_success"}

    def permit(self, row: Requisition) -> None:
        duties.may_change_requisition(self.actor, row)

    def act(self, row: Requisition, data: dict[str, Any]) -> Requisition:
        return cancel_requisition(actor=self.actor, requisition_id=row.pk)
