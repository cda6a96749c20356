"""Opening balances: what an association that starts in mid-life brings along."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.fields import MoneyText
from ledger.api.resource import Doing
from ledger.api.serializers import Input
from ledger.refusals import InvalidInput, NotFound
from periods import duties
from periods.api.fields import PeriodsOutput, SignedAmountField, currency_of_association
from periods.models import Association, OpeningBalances, OwnerOpening
from periods.selectors import associations_seen_by, opening_balances_seen_by
from periods.services.opening_balances import record_opening_balances

MOST_OWNERS = 5000


class OwnerOpeningSerializer(serializers.ModelSerializer):
    """What the association owed one owner; negative: he owed it."""

    owner_id = serializers.UUIDField(read_only=True)
    amount = MoneyText(currency="opening.association.currency")

    class Meta:
        model = OwnerOpening
        fields = ("owner_id", "amount")


class OpeningBalancesSerializer(PeriodsOutput):
    """What was brought along, the day before the first period; ``equity`` belongs to all of them."""

    currency = currency_of_association()
    balances = OwnerOpeningSerializer(source="lines", many=True, read_only=True)

    class Meta:
        model = OpeningBalances
        fields = (
            "id", "association", "on", "cash", "equity", "currency", "balances", "journal_entry",
            "recorded_by", "recorded_at",
        )  # fmt: skip


class OwnerOpeningInput(Input):
    owner_id = serializers.UUIDField()
    amount = SignedAmountField()


class OpeningBalancesInput(Input):
    cash = SignedAmountField()
    balances = OwnerOpeningInput(many=True, max_length=MOST_OWNERS)  # type: ignore[call-arg]


class OpeningBalancesDetail(Doing):
    """GET: Show what an association brought along; 404 where it brought nothing
    POST: Record the cash an association had before its first period, and what it owed each owner
    """

    rows, results = staticmethod(associations_seen_by), staticmethod(opening_balances_seen_by)
    key, noun, action = "association_id", "periods.association", "association.record_openings"
    Input, Output, status_code = OpeningBalancesInput, OpeningBalancesSerializer, 201
    refusals = {409: "no_open_period, openings_recorded, too_late_for_openings"}

    def get(self, request: Request, **path: Any) -> Response:
        rows = opening_balances_seen_by(self.user).filter(association=path["association_id"])
        found = rows.first()
        if found is None:
            raise NotFound("There is no such thing.")
        return Response(self.shown(found))

    def permit(self, row: Association) -> None:
        duties.may_keep(self.actor, row)

    def act(self, row: Association, data: dict[str, Any]) -> OpeningBalances:
        balances = {line["owner_id"]: line["amount"] for line in data["balances"]}
        if len(balances) != len(data["balances"]):
            raise InvalidInput.on("balances", "An owner stands here twice.")
        return record_opening_balances(
            actor=self.actor, association_id=row.pk, cash=data["cash"], balances=balances
        )
