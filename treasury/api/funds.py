"""Funds: what they hold, and asking for them to be filled."""

from typing import Any

from django.db.models import F, Q, QuerySet
from rest_framework import serializers

from ledger.api.fields import AmountField, MoneyText, TextField
from ledger.api.filters import BooleanFilter, CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Listing, Showing
from ledger.api.serializers import Input, Output
from treasury import duties
from treasury.api.replenishments import ReplenishmentRequestSerializer
from treasury.models import ReplenishmentRequest, TreasuryFund
from treasury.selectors import funds_seen_by, replenishments_seen_by
from treasury.services.replenishment import replenish


class TreasuryFundSerializer(Output):
    current_balance = MoneyText()
    held = MoneyText()
    available_balance = MoneyText()

    class Meta:
        model = TreasuryFund
        fields: tuple[str, ...] = (
            "fund_id", "name", "company", "region", "branch", "currency", "current_balance", "held",
            "available_balance", "reorder_level", "target_level", "last_replenished",
        )  # fmt: skip


class FundBalanceSerializer(TreasuryFundSerializer):
    reorder_needed = serializers.BooleanField(source="check_reorder_needed", read_only=True)

    class Meta(TreasuryFundSerializer.Meta):
        fields = (*TreasuryFundSerializer.Meta.fields, "reorder_needed")


class FundFilter(FilterSet):
    company = UUIDFilter("company_id")
    region = UUIDFilter("region_id")
    branch = UUIDFilter("branch_id")
    currency = CharFilter("currency")
    name = CharFilter("name", "icontains")
    reorder_needed = BooleanFilter(method="below_reorder_level")

    def below_reorder_level(
        self, rows: QuerySet[TreasuryFund], name: str, wanted: Any
    ) -> QuerySet[TreasuryFund]:
        """Keep the funds that have less available than their reorder level, or those that have not."""
        low = Q(account__balance__lt=F("reorder_level") + F("account__held"))
        return rows.filter(low if wanted else ~low)


class FundList(Listing):
    """List funds."""

    rows = staticmethod(funds_seen_by)
    Output = TreasuryFundSerializer
    filterset_class = FundFilter
    ordering = ("name",)
    ordering_fields = ("name", "currency", "reorder_level")


class FundDetail(Showing):
    """Show a fund."""

    rows, Output, key = staticmethod(funds_seen_by), TreasuryFundSerializer, "fund_id"


class FundBalance(Showing):
    """Read a fund's balance now, and whether it needs to be filled."""

    rows, Output, key = staticmethod(funds_seen_by), FundBalanceSerializer, "fund_id"


class ReplenishInput(Input):
    amount = AmountField()
    reason = TextField(max_length=2000)


class FundReplenish(Doing):
    """Ask for an amount to be added to a fund.

    Nothing is credited before the request is approved and funded.
    """

    rows, results = staticmethod(funds_seen_by), staticmethod(replenishments_seen_by)
    action, noun, key = "fund.replenish", "treasury.fund", "fund_id"
    Input, Output, status_code = ReplenishInput, ReplenishmentRequestSerializer, 201
    refusals = {409: "replenishment_pending"}

    def permit(self, row: TreasuryFund) -> None:
        duties.may_replenish(self.actor, row)

    def act(self, row: TreasuryFund, data: dict[str, Any]) -> ReplenishmentRequest:
        return replenish(actor=self.actor, fund_id=row.pk, **data)
