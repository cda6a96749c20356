"""Properties: their weights, and who owns them from when on."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import DayField, TextField
from ledger.api.filters import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from periods import duties
from periods.api.common import HistoryOf, OfAssociation, OfAssociationInput
from periods.api.fields import NumberField, PeriodsOutput
from periods.models import Ownership, Property
from periods.selectors import properties_seen_by
from periods.services.properties import (
    LONGEST_LABEL,
    add_property,
    edit_property,
    transfer_property,
)
from treasury.api.inputs import EditInput


class OwnershipSerializer(PeriodsOutput):
    """Whose it is from a day on; ``until_on`` is the first day on which it is another's."""

    class Meta:
        model = Ownership
        fields = ("owner", "from_on", "until_on")


class PropertySerializer(PeriodsOutput):
    """A property; ``owner`` is the present one, ``ownerships`` are all, oldest first."""

    owner = serializers.SerializerMethodField()
    ownerships = OwnershipSerializer(many=True, read_only=True)

    class Meta:
        model = Property
        fields = (
            "id", "association", "number", "label", "share_weight", "active", "owner",
            "ownerships", "created_at",
        )  # fmt: skip

    def get_owner(self, unit: Property) -> str | None:
        """Return the id of the present owner, where the caller may know him."""
        present = [one for one in unit.ownerships.all() if one.until_on is None]
        return str(present[0].owner_id) if present else None


class PropertyFilter(FilterSet):
    association = UUIDFilter("association_id")
    owner = UUIDFilter(method="owned_by")
    active = BooleanFilter("active")
    label = CharFilter("label", "icontains")

    def owned_by(self, rows: Any, name: str, owner_id: Any) -> Any:
        """Keep what is this owner's now."""
        present = Ownership.objects.filter(owner=owner_id, until_on=None)
        return rows.filter(pk__in=present.values("property"))


class PropertyInput(OfAssociationInput):
    owner = serializers.UUIDField()
    label = TextField(  # type: ignore[assignment]
        max_length=LONGEST_LABEL
    )
    share_weight = NumberField(required=False, help_text="1 when left out.")
    active = serializers.BooleanField(required=False)
    owned_from = DayField(
        required=False, allow_null=True, help_text="As long as there are periods when left out."
    )


class PropertyList(OfAssociation):
    """GET: List properties
    POST: Add a property and whose it is
    """

    rows = staticmethod(properties_seen_by)
    action, Input, Output = "property.add", PropertyInput, PropertySerializer
    filterset_class = PropertyFilter
    ordering = ("association", "number")
    ordering_fields = ("number", "label", "share_weight", "created_at")
    refusals = {409: "label_taken", 422: "negative_weight, ownership_gap"}

    def make(self, data: dict[str, Any]) -> Property:
        return add_property(
            actor=self.actor,
            association_id=self.association_of(data).pk,
            owner_id=data.pop("owner"),
            **data,
        )


class PropertyEditInput(EditInput):
    label = TextField(  # type: ignore[assignment]
        required=False, max_length=LONGEST_LABEL
    )
    share_weight = NumberField(required=False)
    active = serializers.BooleanField(required=False)


class PropertyDetail(Showing, Editing):
    """GET: Show a property
    PATCH: Change a property's label, weight or whether it shares, for periods that are closed from now on
    """

    rows, key, noun = staticmethod(properties_seen_by), "property_id", "periods.property"
    action, Input, Output = "property.edit", PropertyEditInput, PropertySerializer
    refusals = {409: "label_taken", 422: "negative_weight, no_weight"}

    def permit(self, row: Property) -> None:
        duties.may_keep(self.actor, row.association)

    def act(self, row: Property, data: dict[str, Any]) -> Property:
        return edit_property(actor=self.actor, property_id=row.pk, **data)


class TransferInput(Input):
    owner = serializers.UUIDField()

    def get_fields(self) -> dict[str, serializers.Field]:
        # A name that Python keeps for itself.
        return super().get_fields() | {"from": DayField(source="from_on")}


class PropertyTransfer(Doing):
    """Let a property be another owner's from a day on; he shares in its costs from that day."""

    rows, key, noun = staticmethod(properties_seen_by), "property_id", "periods.property"
    action, Input, Output = "property.transfer", TransferInput, PropertySerializer
    status_code = 201
    refusals = {409: "transfer_too_early"}

    def permit(self, row: Property) -> None:
        duties.may_keep(self.actor, row.association)

    def act(self, row: Property, data: dict[str, Any]) -> Property:
        return transfer_property(
            actor=self.actor,
            property_id=row.pk,
            owner_id=data["owner"],
            from_on=data["from_on"],
        )


class PropertyHistory(HistoryOf):
    """Read what happened to a property, oldest first."""

    rows, key, noun = staticmethod(properties_seen_by), "property_id", "periods.property"
