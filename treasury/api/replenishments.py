"""Replenishments: a fund asks to be filled; a CFO agrees, a treasurer fills it."""

from typing import Any

from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    AnyOf,
    AwaitingFilter,
    BooleanFilter,
    CharFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import Doing, History, Listing, Showing
from ledger.api.serializers import Output
from ledger.clock import today
from treasury import duties
from treasury.api.inputs import ReasonInput
from treasury.awaiting import (
    replenishments_awaiting,
)
from treasury.exports import REPLENISHMENTS
from treasury.models import ReplenishmentRequest
from treasury.selectors import (
    replenishments_seen_by,
)
from treasury.services.replenishment import (
    approve_replenishment,
    fund_replenishment,
    reject_replenishment,
)
from treasury.states import ReplenishmentStatus


class ReplenishmentRequestSerializer(Output):
    class Meta:
        model = ReplenishmentRequest
        fields = (
            "request_id", "fund", "company", "currency", "current_balance", "requested_amount",
            "reason", "status", "auto_triggered", "requested_by", "created_at", "approved_by",
            "approved_at", "approved_for", "rejected_by", "rejected_at", "rejection_reason", "funded_by", "funded_at",
            "journal_entry",
        )  # fmt: skip


class ReplenishmentFilter(FilterSet):
    status = AnyOf("status", ReplenishmentStatus.choices)
    fund = UUIDFilter("fund_id")
    company = UUIDFilter("company_id")
    currency = CharFilter("currency")
    auto_triggered = BooleanFilter("auto_triggered")
    amount_min = AmountFrom("requested_amount")
    amount_max = AmountTo("requested_amount")
    created_from = InstantFrom("created_at")
    created_to = InstantTo("created_at")
    awaiting = AwaitingFilter(replenishments_awaiting)


class ReplenishmentList(Listing):
    """List replenishment requests, newest first."""

    rows = staticmethod(replenishments_seen_by)
    Output = ReplenishmentRequestSerializer
    filterset_class = ReplenishmentFilter
    ordering = ("-created_at", "-request_id")
    ordering_fields = ("created_at", "requested_amount")
    export = REPLENISHMENTS


class ReplenishmentDetail(Showing):
    """Show a replenishment request."""

    rows, key = staticmethod(replenishments_seen_by), "request_id"
    Output = ReplenishmentRequestSerializer


class ReplenishmentHistory(History):
    """Read what happened to a replenishment request, oldest first."""

    rows, key = staticmethod(replenishments_seen_by), "request_id"
    noun = "treasury.replenishment"


class ReplenishmentAction(Doing):
    """Something done with a replenishment request."""

    rows, key = staticmethod(replenishments_seen_by), "request_id"
    noun, Output = "treasury.replenishment", ReplenishmentRequestSerializer
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, step_up_required",
    }


class ReplenishmentApprove(ReplenishmentAction):
    """Agree that the fund is filled; nothing is credited yet."""

    action = "replenishment.approve"

    def permit(self, row: ReplenishmentRequest) -> None:
        duties.may_approve_replenishment(self.actor, row)

    def act(self, row: ReplenishmentRequest, data: dict[str, Any]) -> ReplenishmentRequest:
        return approve_replenishment(actor=self.actor, replenishment_id=row.pk)


class ReplenishmentFund(ReplenishmentAction):
    """Credit the fund with what was approved."""

    action = "replenishment.fund"

    def permit(self, row: ReplenishmentRequest) -> None:
        duties.may_fund_replenishment(self.actor, row)

    def act(self, row: ReplenishmentRequest, data: dict[str, Any]) -> ReplenishmentRequest:
        return fund_replenishment(actor=self.actor, replenishment_id=row.pk, today=today)


class ReplenishmentReject(ReplenishmentAction):
    """Refuse a replenishment request, saying why."""

    action, Input = "replenishment.reject", ReasonInput

    def permit(self, row: ReplenishmentRequest) -> None:
        duties.may_reject_replenishment(self.actor, row)

    def act(self, row: ReplenishmentRequest, data: dict[str, Any]) -> ReplenishmentRequest:
        return reject_replenishment(actor=self.actor, replenishment_id=row.pk, **data)
