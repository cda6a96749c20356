"""The books as the funds see them: one line for all money that went out of a fund or came in."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from ledger.api.fields import InstantField
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    DateFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import Listing, Showing
from ledger.api.serializers import Output
from ledger.models import LedgerEntry, Side
from treasury.exports import FUND_LINES
from treasury.selectors import fund_lines_seen_by, funds_seen_by

Lines = QuerySet[LedgerEntry]
ENTRY_TYPES = (("debit", "Debit"), ("credit", "Credit"), ("adjustment", "Adjustment"))
DIRECTIONS = (("out", "Out"), ("in", "In"))


class LedgerEntrySerializer(Output):
    """``entry_type``: debit is money out of the fund, credit money in, adjustment a variance."""

    entry_id = serializers.UUIDField(source="id", read_only=True)
    treasury_fund = serializers.UUIDField(source="fund_id", read_only=True)
    payment_execution = serializers.UUIDField(
        source="execution_id", read_only=True, allow_null=True
    )
    entry_type = serializers.ChoiceField(ENTRY_TYPES, read_only=True)
    direction = serializers.ChoiceField(DIRECTIONS, read_only=True)
    reconciled = serializers.BooleanField(source="is_reconciled", read_only=True)
    reconciled_by = serializers.UUIDField(
        source="reconciled_by_id", read_only=True, allow_null=True
    )
    reconciliation_timestamp = InstantField(source="reconciled_at", allow_null=True)
    description = serializers.CharField(source="journal_entry.description", read_only=True)
    created_at = InstantField(source="posted_at")

    class Meta:
        model = LedgerEntry
        fields = (
            "entry_id", "journal_entry", "treasury_fund", "payment_execution", "entry_type",
            "direction", "side", "amount", "currency", "balance_after", "reconciled",
            "reconciled_by", "reconciliation_timestamp", "description", "created_at",
            "effective_on",
        )  # fmt: skip


SIDES = {"out": Side.CREDIT, "in": Side.DEBIT}


class LineFilter(FilterSet):
    """Asks the columns behind what the lines show, for indexes know nothing of expressions."""

    entry_type = ChoiceFilter(choices=ENTRY_TYPES, method="of_type")
    direction = ChoiceFilter(choices=DIRECTIONS, method="going")
    reconciled = BooleanFilter(method="checked")
    currency = CharFilter("currency")
    company = UUIDFilter("company_id")
    amount_min = AmountFrom("amount")
    amount_max = AmountTo("amount")
    effective_from = DateFilter("effective_on", "gte")
    effective_to = DateFilter("effective_on", "lte")
    created_from = InstantFrom("posted_at")
    created_to = InstantTo("posted_at")

    def of_type(self, rows: Lines, name: str, wanted: str) -> Lines:
        """Keep the adjustments, or what else went out or came in."""
        if wanted == "adjustment":
            return rows.filter(journal_entry__variance__isnull=False)
        side = Side.CREDIT if wanted == "debit" else Side.DEBIT
        return rows.filter(journal_entry__variance__isnull=True, side=side)

    def going(self, rows: Lines, name: str, wanted: str) -> Lines:
        """Keep what went out, or what came in."""
        return rows.filter(side=SIDES[wanted])

    def checked(self, rows: Lines, name: str, wanted: Any) -> Lines:
        """Keep the lines of payments that were reconciled, or the others."""
        proof = "journal_entry__payment_execution__payment__reconciliation"
        return rows.filter(**{f"{proof}__isnull": not wanted})


class AnyFundLineFilter(LineFilter):
    fund = UUIDFilter("account__fund")


class LineList(Listing):
    """List the ledger lines of all funds, newest first."""

    rows, Output = staticmethod(fund_lines_seen_by), LedgerEntrySerializer
    filterset_class = AnyFundLineFilter
    ordering = ("-posted_at", "-id")
    ordering_fields = ("created_at",)
    ordering_columns = {"created_at": "posted_at"}
    export = FUND_LINES


class LineDetail(Showing):
    """Show a ledger line of a fund."""

    rows, key, Output = staticmethod(fund_lines_seen_by), "entry_id", LedgerEntrySerializer


class FundQuery(serializers.Serializer):
    fund_id = serializers.UUIDField()


class LinesByFund(LineList):
    """List the ledger lines of one fund, newest first."""

    Query, filterset_class = FundQuery, LineFilter
    refusals = {404: ""}

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        fund = get_object_or_404(funds_seen_by(self.user), pk=self.query()["fund_id"])
        return rows.filter(account=fund.account_id)
