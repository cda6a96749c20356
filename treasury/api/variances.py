"""Variances: the payee got another amount than the books say; a CFO lets the books follow."""

from typing import Any

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
from ledger.api.resource import Doing, History, Listing, Showing
from ledger.api.serializers import Output
from ledger.clock import today
from treasury import duties
from treasury.api.inputs import ReasonInput
from treasury.awaiting import (
    variances_awaiting,
)
from treasury.exports import VARIANCES
from treasury.models import VarianceAdjustment
from treasury.selectors import (
    variances_seen_by,
)
from treasury.services.variances import approve_variance, reject_variance
from treasury.states import VarianceStatus


class VarianceAdjustmentSerializer(Output):
    class Meta:
        model = VarianceAdjustment
        fields = (
            "variance_id", "payment", "company", "currency", "original_amount", "adjusted_amount",
            "variance_amount", "reason", "status", "recorded_by", "created_at", "approved_by",
            "approved_at", "approved_for", "rejected_by", "rejected_at", "rejection_reason", "journal_entry",
        )  # fmt: skip


class VarianceFilter(FilterSet):
    status = AnyOf("status", VarianceStatus.choices)
    payment = UUIDFilter("payment_id")
    fund = UUIDFilter("payment__fund_id")
    company = UUIDFilter("company_id")
    currency = CharFilter("currency")
    amount_min = AmountFrom("variance_amount")
    amount_max = AmountTo("variance_amount")
    created_from = InstantFrom("created_at")
    created_to = InstantTo("created_at")
    awaiting = AwaitingFilter(variances_awaiting)


class VarianceList(Listing):
    """List variances, newest first."""

    rows = staticmethod(variances_seen_by)
    Output = VarianceAdjustmentSerializer
    filterset_class = VarianceFilter
    ordering = ("-created_at", "-variance_id")
    ordering_fields = ("created_at", "variance_amount")
    export = VARIANCES


class VarianceDetail(Showing):
    """Show a variance."""

    rows, key = staticmethod(variances_seen_by), "variance_id"
    Output = VarianceAdjustmentSerializer


class VarianceHistory(History):
    """Read what happened to a variance, oldest first."""

    rows, key, noun = staticmethod(variances_seen_by), "variance_id", "treasury.variance"


class VarianceAction(Doing):
    """Something done with a variance."""

    rows, key, noun = staticmethod(variances_seen_by), "variance_id", "treasury.variance"
    Output = VarianceAdjustmentSerializer
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, step_up_required, stale_amount, insufficient_funds",
    }


class VarianceApprove(VarianceAction):
    """Let the books follow what was paid.

    A positive variance takes money from the fund, a negative one returns it; the payment's status stays.
    """

    action = "variance.approve"

    def permit(self, row: VarianceAdjustment) -> None:
        duties.may_approve_variance(self.actor, row)

    def act(self, row: VarianceAdjustment, data: dict[str, Any]) -> VarianceAdjustment:
        return approve_variance(actor=self.actor, variance_id=row.pk, today=today)


class VarianceReject(VarianceAction):
    """Refuse a variance, saying why; the books stay as they are."""

    action, Input = "variance.reject", ReasonInput

    def permit(self, row: VarianceAdjustment) -> None:
        duties.may_reject_variance(self.actor, row)

    def act(self, row: VarianceAdjustment, data: dict[str, Any]) -> VarianceAdjustment:
        return reject_variance(actor=self.actor, variance_id=row.pk, **data)
