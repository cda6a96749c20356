"""Readings: what meters counted in a period."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import AmountField, DayField
from ledger.api.filters import AnyOf, BooleanFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from periods.api.common import ActingOnRecord, HistoryOf, OfPeriod
from periods.api.fields import NumberField, PeriodsOutput, currency_of_association
from periods.models import Reading
from periods.selectors import readings_seen_by
from periods.services.readings import edit_reading, record_reading, void_reading
from periods.states import ReadingKind
from treasury.api.inputs import EditInput


class ReadingSerializer(PeriodsOutput):
    """What a meter counted between two days; ``consumption`` is after its multiplier."""

    currency = currency_of_association()

    class Meta:
        model = Reading
        fields = (
            "id", "association", "period", "meter", "kind", "from_on", "to_on", "meter_start_reading",
            "meter_end_reading", "rolled_over", "consumption", "unit_price", "total_cost",
            "currency", "version", "recorded_by", "recorded_at", "voided_at",
        )  # fmt: skip


class ReadingFilter(FilterSet):
    meter = UUIDFilter("meter_id")
    property = UUIDFilter("meter__property_id")
    kind = AnyOf("kind", ReadingKind.choices)
    void = BooleanFilter("voided_at", "isnull", exclude=True)


class CountedInput(Input):
    """What a meter shows and what a unit costs."""

    meter_start_reading = NumberField(
        required=False, allow_null=True, help_text="What it showed last when left out."
    )
    meter_end_reading = NumberField(required=False, allow_null=True)
    rolled_over = serializers.BooleanField(
        required=False, help_text="The counter went past its last number and began again at zero."
    )
    unit_price = NumberField(required=False, allow_null=True)
    total_cost = AmountField(
        required=False,
        allow_null=True,
        help_text="Consumption times unit price, rounded half up; another is refused.",
    )
    confirmed = serializers.BooleanField(
        required=False, help_text="That so much more than usual is right."
    )


class ReadingInput(CountedInput):
    meter = serializers.UUIDField()
    kind = serializers.ChoiceField(
        [ReadingKind.ACTUAL, ReadingKind.ESTIMATED],
        required=False,
        help_text="An ESTIMATED one takes no readings; the other kinds follow by themselves.",
    )
    from_on = DayField(
        required=False, allow_null=True, help_text="The period's first day when left out."
    )
    to_on = DayField(
        required=False, allow_null=True, help_text="The period's last day when left out."
    )


class ReadingList(OfPeriod):
    """GET: List a period's readings, oldest first
    POST: Record what a meter counted
    """

    rows = staticmethod(readings_seen_by)
    action, Input, Output = "reading.record", ReadingInput, ReadingSerializer
    filterset_class = ReadingFilter
    ordering, ordering_fields = ("to_on", "recorded_at", "id"), ("to_on", "recorded_at")
    refusals = {
        400: "reading_decreased, reading_invalid, total_cost_differs, …",
        409: "period_closed, reading_exists, reading_implausible",
        422: "no_history",
    }

    def make(self, data: dict[str, Any]) -> Reading:
        return record_reading(
            actor=self.actor, period_id=self.period.pk, meter_id=data.pop("meter"), **data
        )


class ReadingEditInput(EditInput, CountedInput):
    pass


class ReadingDetail(Showing, ActingOnRecord, Editing):
    """GET: Show a reading
    PATCH: Change a reading of an open period; what is charged for it follows
    """

    rows, key, noun = staticmethod(readings_seen_by), "reading_id", "periods.reading"
    action, Input, Output = "reading.edit", ReadingEditInput, ReadingSerializer
    refusals = {
        400: "reading_decreased, reading_invalid, total_cost_differs, …",
        409: "period_closed, already_void, reading_implausible",
    }

    def act(self, row: Reading, data: dict[str, Any]) -> Reading:
        return edit_reading(actor=self.actor, reading_id=row.pk, **data)


class ReadingVoid(ActingOnRecord, Doing):
    """Take a reading of an open period out, with what was charged for it."""

    rows, key, noun = staticmethod(readings_seen_by), "reading_id", "periods.reading"
    action, Output = "reading.void", ReadingSerializer
    refusals = {409: "period_closed, already_void"}

    def act(self, row: Reading, data: dict[str, Any]) -> Reading:
        return void_reading(actor=self.actor, reading_id=row.pk)


class ReadingHistory(HistoryOf):
    """Read what happened to a reading, oldest first."""

    rows, key, noun = staticmethod(readings_seen_by), "reading_id", "periods.reading"
