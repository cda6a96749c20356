"""Service charges: what one owner alone is charged."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from ledger.api.fields import AmountField, DayField, TextField
from ledger.api.filters import AnyOf
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from ledger.clock import today
from periods.api.common import ActingOnRecord, HistoryOf, Recording
from periods.api.contributions import OwnersRecordFilter, OwnersRecords
from periods.api.fields import LoginField, PeriodsOutput, currency_of_association
from periods.exports import CHARGES
from periods.models import ServiceCharge
from periods.selectors import charges_seen_by
from periods.services.charges import (
    LONGEST_DESCRIPTION,
    edit_charge,
    record_charge,
    void_charge,
)
from periods.states import ChargeKind
from treasury.api.inputs import EditInput, ReasonInput


class ChargeSerializer(PeriodsOutput):
    """A charge; what follows from a reading, a due date or an earlier period has another ``kind``."""

    owner_id = serializers.UUIDField(read_only=True)
    currency = currency_of_association()

    class Meta:
        model = ServiceCharge
        fields = (
            "id", "association", "period", "owner_id", "kind", "description", "amount", "currency",
            "date", "reading", "version", "journal_entry", "recorded_by", "recorded_at",
            "voided_by", "voided_at", "void_reason",
        )  # fmt: skip


class ChargeFilter(OwnersRecordFilter):
    kind = AnyOf("kind", ChargeKind.choices)


class ChargeInput(Input):
    owner_id = serializers.UUIDField(required=False)
    user_id = LoginField(
        required=False, help_text="In place of `owner_id`: the owner's login, by id or user name."
    )
    description = TextField(max_length=LONGEST_DESCRIPTION)
    amount = AmountField()
    date = DayField(
        required=False, help_text="Today, or the day of the period nearest to it, when left out."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"owner_id", "user_id"} & set(attrs):
            raise serializers.ValidationError({"owner_id": ["Say who is charged."]})
        return attrs


class ChargeList(Recording, OwnersRecords):
    """GET: List a period's charges, oldest first; with `owner_id` also their total
    POST: Charge one owner an amount
    """

    rows = staticmethod(charges_seen_by)
    action, Input, Output = "charge.record", ChargeInput, ChargeSerializer
    filterset_class, export = ChargeFilter, CHARGES
    by_id, by_login = "owner_id", "user_id"
    refusals = {400: "date_outside_period, amount_precision, …", 409: "period_closed"}

    def record(self, period_id: UUID, data: dict[str, Any]) -> ServiceCharge:
        return record_charge(actor=self.actor, period_id=period_id, today=today, **data)


class ChargeEditInput(EditInput):
    description = TextField(required=False, max_length=LONGEST_DESCRIPTION)
    amount = AmountField(required=False)
    date = DayField(required=False)


class ChargeDetail(Showing, ActingOnRecord, Editing):
    """GET: Show a charge
    PATCH: Change a charge of an open period; its posting is reversed and made anew
    """

    rows, key, noun = staticmethod(charges_seen_by), "charge_id", "periods.charge"
    action, Input, Output = "charge.edit", ChargeEditInput, ChargeSerializer
    refusals = {
        400: "date_outside_period, …",
        409: "period_closed, already_void, charge_follows",
    }

    def act(self, row: ServiceCharge, data: dict[str, Any]) -> ServiceCharge:
        return edit_charge(actor=self.actor, charge_id=row.pk, **data)


class ChargeVoid(ActingOnRecord, Doing):
    """Take a charge of an open period out of the books, saying why."""

    rows, key, noun = staticmethod(charges_seen_by), "charge_id", "periods.charge"
    action, Input, Output = "charge.void", ReasonInput, ChargeSerializer
    refusals = {409: "period_closed, already_void, charge_follows"}

    def act(self, row: ServiceCharge, data: dict[str, Any]) -> ServiceCharge:
        return void_charge(actor=self.actor, charge_id=row.pk, **data)


class ChargeHistory(HistoryOf):
    """Read what happened to a charge, oldest first."""

    rows, key, noun = staticmethod(charges_seen_by), "charge_id", "periods.charge"
