"""Balance sheets: what a period comes to for all owners, and for one."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.fields import InstantField
from ledger.api.resource import Resource
from ledger.clock import written_instant
from ledger.money import format_amount
from ledger.refusals import NotFound, RoleRequired
from ledger.reports import one_snapshot
from periods.api.fields import AmountText
from periods.models import ServicePeriod
from periods.selectors import owners_seen_by, periods_seen_by, reads_all_of
from periods.sheet_document import COLUMNS, TOTALS
from periods.sheets import ITEM_COLUMNS, PeriodSheet, balance_sheet_of, sheet_version

LARGEST_VERSION = 2**31 - 1


class OwnerLineSerializer(serializers.Serializer):
    """One owner; opening + contributions + expenses_paid - allocated - service_charges = closing."""

    owner_id = serializers.UUIDField()
    name = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {name: AmountText() for name in COLUMNS}


class ItemLineSerializer(serializers.Serializer):
    """One budget item, or none; ``variance`` above zero is overspent, ``weights`` is their sum."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields() | {name: serializers.CharField() for name in ITEM_COLUMNS}
        fields |= {name: AmountText() for name in ("budget", "actual", "variance")}
        return fields | {"budget_item": serializers.UUIDField(allow_null=True)}


class TotalsSerializer(serializers.Serializer):
    """The sums of the columns, and what the association has."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {name: AmountText() for name in TOTALS}


class TieSerializer(serializers.Serializer):
    """Two amounts that must be the same."""

    name = serializers.CharField()
    holds = serializers.BooleanField()
    left = AmountText()
    right = AmountText()


class BalanceSheetSerializer(serializers.Serializer):
    """A balance sheet; without version and hash the preview of an open period's."""

    period = serializers.UUIDField()
    association = serializers.UUIDField()
    currency = serializers.CharField()
    status = serializers.CharField()
    provisional = serializers.BooleanField(
        help_text="It may still change: this period, or one before it, is open."
    )
    version = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField(allow_null=True, help_text="SHA-256 of the sheet as it is kept.")
    rule = serializers.CharField(help_text="The remainder rule it was shared by.")
    generated_at = InstantField(allow_null=True)
    owners = OwnerLineSerializer(many=True)
    items = ItemLineSerializer(many=True)
    totals = TotalsSerializer()
    ties = TieSerializer(many=True)


class SheetQuery(serializers.Serializer):
    version = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_VERSION,
        help_text="As it was handed out under this version; the present one when left out.",
    )


class PeriodBalanceSheet(Resource):
    """Read a period's balance sheet, every owner's line in it; of an open period what it would be now.

    Owners read their own line at `balances/`.
    """

    rows, Output, key = staticmethod(periods_seen_by), BalanceSheetSerializer, "period_id"
    Query = SheetQuery
    refusals = {400: ""}
    reading_refusals = {403: "role_required"}

    def get(self, request: Request, **path: Any) -> Response:
        period: ServicePeriod = self.found()
        if not reads_all_of(self.user, period.association):
            raise RoleRequired("An owner reads his own balance.")
        version = self.query().get("version")
        with one_snapshot(on_primary=True):
            sheet = sheet_version(period, version) if version else balance_sheet_of(period)
        return Response(_written(period, sheet))


class OwnerBalanceSerializer(OwnerLineSerializer):
    """One owner's line of a period's balance sheet."""

    period = serializers.UUIDField()
    currency = serializers.CharField()
    status = serializers.CharField()
    provisional = serializers.BooleanField()
    version = serializers.IntegerField(allow_null=True)


class OwnerBalance(Resource):
    """Read what a period comes to for one owner."""

    rows, Output, key = staticmethod(periods_seen_by), OwnerBalanceSerializer, "period_id"

    def get(self, request: Request, **path: Any) -> Response:
        period: ServicePeriod = self.found()
        owners = owners_seen_by(self.user).filter(association=period.association_id)
        owner = owners.filter(pk=path["owner_id"]).first()
        if owner is None:
            raise NotFound("There is no such owner.")
        with one_snapshot(on_primary=True):
            sheet = balance_sheet_of(period)
        line = sheet.owner(owner.pk)
        amounts = {name: format_amount(getattr(line, name), sheet.currency) for name in COLUMNS}
        of_sheet = _heading(sheet)
        return Response({"owner_id": str(owner.pk), "name": line.name, **amounts, **of_sheet})


def _heading(sheet: PeriodSheet) -> dict[str, Any]:
    return {
        "period": str(sheet.period),
        "currency": sheet.currency,
        "status": sheet.status,
        "provisional": sheet.provisional,
        "version": sheet.version,
    }


def _written(period: ServicePeriod, sheet: PeriodSheet) -> dict[str, Any]:
    written = sheet.as_json()
    for row, line in zip(written["owners"], sheet.owners, strict=True):
        row["name"] = line.name
    at = sheet.generated_at
    return written | {
        "association": str(period.association_id),
        "currency": sheet.currency,
        "rule": sheet.rule,
        "generated_at": written_instant(at) if at else None,
    }
