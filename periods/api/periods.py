"""Periods: the time over which costs are collected and shared."""

from typing import Any

from ledger.access import require_role_somewhere
from ledger.api.fields import DayField, Reference, TextField
from ledger.api.filters import AnyOf, CharFilter, DateFilter, FilterSet, UUIDFilter
from ledger.api.resource import Listing, Making, Showing
from ledger.api.serializers import Input
from periods import duties
from periods.api.common import HistoryOf, only_association
from periods.api.fields import PeriodsOutput, currency_of_association
from periods.models import ServicePeriod
from periods.selectors import associations_seen_by, periods_seen_by
from periods.services.opening import LONGEST_NAME, open_period
from periods.states import PeriodStatus


class PeriodSerializer(PeriodsOutput):
    """A period, both days included; ``version`` is that of its balance sheet, 0 before the first close."""

    currency = currency_of_association()

    class Meta:
        model = ServicePeriod
        fields = (
            "id", "association", "name", "start_date", "end_date", "status", "version", "currency",
            "previous", "created_by", "created_at", "closed_by", "closed_at",
        )  # fmt: skip


class PeriodFilter(FilterSet):
    association = UUIDFilter("association_id")
    status = AnyOf("status", PeriodStatus.choices)
    name = CharFilter("name", "icontains")
    on = DateFilter(method="holding")

    def holding(self, rows: Any, name: str, day: Any) -> Any:
        """Keep the periods in which the day lies."""
        return rows.filter(start_date__lte=day, end_date__gte=day)


class PeriodInput(Input):
    association = Reference(
        associations_seen_by,
        noun="association",
        required=False,
        help_text="The caller's only one.",
    )
    name = TextField(max_length=LONGEST_NAME)
    start_date = DayField()
    end_date = DayField()


class PeriodList(Listing, Making):
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

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, *duties.KEEPERS)
        if association := self.named("association"):
            duties.may_keep(self.actor, association)

    def make(self, data: dict[str, Any]) -> ServicePeriod:
        association = data.pop("association", None) or only_association(self.user, duties.KEEPERS)
        return open_period(actor=self.actor, association_id=association.pk, **data)


class PeriodDetail(Showing):
    """Show a period."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
    Output = PeriodSerializer


class PeriodHistory(HistoryOf):
    """Read what happened to a period, oldest first."""

    rows, key, noun = staticmethod(periods_seen_by), "period_id", "periods.period"
