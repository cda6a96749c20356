"""Meters: what counts a property's consumption, or the whole house's."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import DayField, TextField, WholeNumberField
from ledger.api.filters import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Editing, Showing
from periods import duties
from periods.api.common import HistoryOf, OfAssociation, OfAssociationInput
from periods.api.fields import NumberField, PeriodsOutput
from periods.models import Meter
from periods.selectors import meters_seen_by
from periods.services.meters import LONGEST_LABEL, MOST_DIGITS, add_meter, retire_meter
from treasury.api.inputs import EditInput


class MeterSerializer(PeriodsOutput):
    """A meter; without ``property`` the main one. It counts for ``payment_type`` in every period."""

    class Meta:
        model = Meter
        fields = (
            "id", "association", "property", "budget_item", "payment_type", "label", "digits",
            "multiplier", "retired_on", "created_at",
        )  # fmt: skip


class MeterFilter(FilterSet):
    association = UUIDFilter("association_id")
    property = UUIDFilter("property_id")
    main = BooleanFilter("property", "isnull")
    payment_type = CharFilter("payment_type", "iexact")


class MeterInput(OfAssociationInput):
    property = serializers.UUIDField(
        required=False, allow_null=True, help_text="Null for the main meter of the house."
    )
    budget_item = serializers.UUIDField(help_text="One that is shared by consumption.")
    digits = WholeNumberField(
        required=False, least=1, most=MOST_DIGITS, help_text="Before the point; 6 when left out."
    )
    multiplier = NumberField(required=False, help_text="1 when left out.")

    def get_fields(self) -> dict[str, serializers.Field]:
        # A name that serializers use themselves.
        label = TextField(required=False, allow_blank=True, max_length=LONGEST_LABEL)
        return super().get_fields() | {"label": label}


class MeterList(OfAssociation):
    """GET: List meters
    POST: Set up a meter of a property, or the main one of the house
    """

    rows = staticmethod(meters_seen_by)
    action, Input, Output = "meter.add", MeterInput, MeterSerializer
    filterset_class = MeterFilter
    ordering, ordering_fields = ("created_at", "id"), ("created_at", "payment_type")

    def make(self, data: dict[str, Any]) -> Meter:
        return add_meter(
            actor=self.actor,
            association_id=self.association_of(data).pk,
            property_id=data.pop("property", None),
            budget_item_id=data.pop("budget_item"),
            **data,
        )


class MeterEditInput(EditInput):
    retired_on = DayField(
        allow_null=True, help_text="From this day it is not read; null takes it back into use."
    )


class MeterDetail(Showing, Editing):
    """GET: Show a meter
    PATCH: Take a meter out of use from a day on, or back into use
    """

    rows, key, noun = staticmethod(meters_seen_by), "meter_id", "periods.meter"
    action, Input, Output = "meter.retire", MeterEditInput, MeterSerializer

    def permit(self, row: Meter) -> None:
        duties.may_keep(self.actor, row.association)

    def act(self, row: Meter, data: dict[str, Any]) -> Meter:
        return retire_meter(actor=self.actor, meter_id=row.pk, **data)


class MeterHistory(HistoryOf):
    """Read what happened to a meter, oldest first."""

    rows, key, noun = staticmethod(meters_seen_by), "meter_id", "periods.meter"
