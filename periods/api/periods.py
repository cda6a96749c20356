"""Periods: the time over which costs are collected and shared."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.actor import Actor
from ledger.api.fields import DayField, TextField
from ledger.api.filters import AnyOf, AwaitingFilter, CharFilter, DateFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from periods import duties
from periods.api.common import HistoryOf, OfAssociation, OfAssociationInput
from periods.api.fields import PeriodsOutput, currency_of_association
from periods.models import BudgetItem, ReopenRequest, ServicePeriod
from periods.selectors import (
    periods_awaiting,
    periods_seen_by,
    reopen_requests_seen_by,
    waiting_reopening,
)
from periods.services.budget_items import take_over_budget_items
from periods.services.closing import close_period
from periods.services.opening import LONGEST_NAME, open_period
from periods.services.reopening import (
    approve_reopening,
    reject_reopening,
    reopen_period,
    withdraw_reopening,
)
from periods.states import PeriodStatus


class ReopeningSerializer(PeriodsOutput):
    """Somebody wants a closed period open again."""

    class Meta:
        model = ReopenRequest
        fields = ("id", "reason", "requested_by", "requested_at")


class PeriodSerializer(PeriodsOutput):
    """A period, both days included; ``version`` is that of its balance sheet, 0 before the first close."""

    currency = currency_of_association()
    reopening = serializers.SerializerMethodField()

    class Meta:
        model = ServicePeriod
        fields = (
            "id", "association", "name", "start_date", "end_date", "status", "version", "currency",
            "previous", "created_by", "created_at", "closed_by", "closed_at",
            "statements_sent_at", "reopening",
        )  # fmt: skip

    @extend_schema_field(ReopeningSerializer(allow_null=True))
    def get_reopening(self, period: ServicePeriod) -> Any:
        """Return who wants it open again, while another person has not confirmed it."""
        waiting = period.reopen_requests.all()
        return ReopeningSerializer(waiting[0]).data if waiting else None


class PeriodFilter(FilterSet):
    association = UUIDFilter("association_id")
    status = AnyOf("status", PeriodStatus.choices)
    name = CharFilter("name", "icontains")
    on = DateFilter(method="holding")
    awaiting = AwaitingFilter(periods_awaiting)

    def holding(self, rows: Any, name: str, day: Any) -> Any:
        """Keep the periods in which the day lies."""
        return rows.filter(start_date__lte=day, end_date__gte=day)


class PeriodInput(OfAssociationInput):
    name = TextField(max_length=LONGEST_NAME)
    start_date = DayField()
    end_date = DayField()


class PeriodList(OfAssociation):
    """GET: List periods, oldest first
    POST: Open the next period of an association
    """

    rows = staticmethod(periods_seen_by)
    action, Input, Output = "period.open", PeriodInput, PeriodSerializer
    filterset_class = PeriodFilter
    ordering = ("start_date", "id")
    ordering_fields = ("start_date", "end_date", "name", "created_at")
    refusals = {
        400: "start_not_before_end, …",
        409: "name_taken, period_overlap, period_gap",
    }

    def make(self, data: dict[str, Any]) -> ServicePeriod:
        return open_period(actor=self.actor, association_id=self.association_of(data).pk, **data)


class ReopenInput(Input):
    status = serializers.ChoiceField([PeriodStatus.OPEN])
    reason = TextField(required=False, allow_blank=True, default="", max_length=2000)


class RejectInput(Input):
    reason = TextField(allow_blank=True, max_length=2000)


def _may_decide(actor: Actor, row: ServicePeriod, *, act: str) -> None:
    duties.may_close(actor, row.association)
    if request := waiting_reopening(row):
        duties.may_decide_reopening(actor, request, act=act)


class PeriodDetail(Showing, Editing):
    """GET: Show a period
    PATCH: Open a closed period again; once statements of it were sent, another person confirms it
    """

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Input, Output = "period.reopen", ReopenInput, PeriodSerializer
    also_answers = {
        202: "It waits for another person, at `reopen/approve/` or `reopen/reject/`; `reopen/withdraw/` takes it"
        " back."
    }
    refusals = {
        400: "reason_required, …",
        409: "period_not_closed, reopening_waits",
        422: "no_weight, ownership_gap",
    }

    def permit(self, row: ServicePeriod) -> None:
        duties.may_close(self.actor, row.association)

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> ReopenRequest:
        return reopen_period(actor=self.actor, period_id=row.pk, reason=data["reason"])

    def status_of(self, result: ReopenRequest) -> int:
        return 202 if result.is_waiting else 200

    def result_shown(self, result: ReopenRequest) -> Any:
        return self.shown(self.rows(self.user).get(pk=result.period_id))


class DecidingReopening(Doing):
    """What becomes of a request to open a closed period again; the answer shows the period."""

    def result_shown(self, result: ReopenRequest) -> Any:
        return self.shown(self.rows(self.user).get(pk=result.period_id))


class PeriodApproveReopening(DecidingReopening):
    """Confirm, as another person, that a closed period is opened again."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Output = "period.approve_reopening", PeriodSerializer
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "period_not_closed",
        422: "no_weight, ownership_gap",
    }

    def permit(self, row: ServicePeriod) -> None:
        _may_decide(self.actor, row, act="confirm")

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> ReopenRequest:
        return approve_reopening(actor=self.actor, period_id=row.pk)


class PeriodWithdrawReopening(DecidingReopening):
    """Take back that one asked to open a closed period again, while nobody has confirmed it."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Output = "period.withdraw_reopening", PeriodSerializer

    def permit(self, row: ServicePeriod) -> None:
        duties.may_close(self.actor, row.association)
        if request := waiting_reopening(row):
            duties.may_withdraw_reopening(self.actor, request)

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> ReopenRequest:
        return withdraw_reopening(actor=self.actor, period_id=row.pk)


class PeriodRejectReopening(DecidingReopening):
    """Say no, as another person, to opening a closed period again."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Input, Output = "period.reject_reopening", RejectInput, PeriodSerializer
    refusals = {400: "reason_required, …", 403: "role_required, segregation_of_duties"}

    def permit(self, row: ServicePeriod) -> None:
        _may_decide(self.actor, row, act="reject")

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> ReopenRequest:
        return reject_reopening(actor=self.actor, period_id=row.pk, reason=data["reason"])


class PeriodTakeOver(Doing):
    """Plan an open period like the one before it; the budget items that it has already stay."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Output = "budget_item.take_over", PeriodSerializer
    refusals = {409: "period_closed", 422: "no_weight, ownership_gap"}

    def permit(self, row: ServicePeriod) -> None:
        duties.may_record(self.actor, row.association)

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> list[BudgetItem]:
        return take_over_budget_items(actor=self.actor, period_id=row.pk)

    def result_shown(self, result: list[BudgetItem]) -> Any:
        return self.shown(self.found())


class PeriodClose(Doing):
    """Share a period's expenses among the owners, and hand out its balance sheet.

    Closed again after a correction, later closed periods follow.
    """

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    action, Output = "period.close", PeriodSerializer
    refusals = {
        409: "period_closed, previous_period_open, budget_item_missing, reading_missing, …",
        422: "no_weight, negative_weight, ownership_gap",
    }

    def permit(self, row: ServicePeriod) -> None:
        duties.may_close(self.actor, row.association)

    def act(self, row: ServicePeriod, data: dict[str, Any]) -> ServicePeriod:
        return close_period(actor=self.actor, period_id=row.pk)


class PeriodHistory(HistoryOf):
    """Read what happened to a period, oldest first; to staff also who asked to open it again."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"

    def subjects(self, row: ServicePeriod) -> list[str]:
        asked = reopen_requests_seen_by(self.user).filter(period=row)
        return [row.reference, *(request.reference for request in asked)]
