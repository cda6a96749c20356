"""Budget items: what is planned for a period, and how its costs are shared."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import AmountField, TextField
from ledger.api.filters import AnyOf, CharFilter, FilterSet
from ledger.api.resource import Editing, Showing
from ledger.api.serializers import Input
from periods.api.common import ActingOnRecord, HistoryOf, OfPeriod
from periods.api.fields import NumberField, PeriodsOutput, currency_of_association
from periods.models import BudgetItem
from periods.selectors import budget_items_seen_by
from periods.services.budget_items import LONGEST_TYPE, create_budget_item, edit_budget_item
from periods.states import Billing, Fallback, Strategy
from treasury.api.inputs import EditInput

MOST_IN_SCOPE = 5000


class BudgetItemSerializer(PeriodsOutput):
    """How expenses of one payment type are shared; an empty ``scope`` means all active properties."""

    currency = currency_of_association()
    scope: serializers.RelatedField[Any, Any, Any] = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True, pk_field=serializers.UUIDField()
    )

    class Meta:
        model = BudgetItem
        fields = (
            "id", "association", "period", "payment_type", "budgeted_cost", "currency",
            "allocation_strategy", "scope", "base_percent", "fallback", "billing", "recorded_by",
            "recorded_at",
        )  # fmt: skip


class BudgetItemFilter(FilterSet):
    payment_type = CharFilter("payment_type", "iexact")
    allocation_strategy = AnyOf("allocation_strategy", Strategy.choices)


def scope_field() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MOST_IN_SCOPE,
        help_text="The properties that share; all active ones when empty.",
    )


def base_percent_field() -> NumberField:
    return NumberField(
        required=False,
        allow_null=True,
        help_text="USAGE_BASED: this part of each amount is shared by weight first.",
    )


def fallback_field() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        Fallback.choices,
        required=False,
        allow_blank=True,
        help_text="USAGE_BASED: how to share when nothing was consumed; empty refuses the close.",
    )


def billing_field() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        Billing.choices,
        required=False,
        help_text="USAGE_BASED: readings weigh (share), or are charged at their own price (unit_price).",
    )


class BudgetItemInput(Input):
    payment_type = TextField(max_length=LONGEST_TYPE)
    budgeted_cost = AmountField(default="0", help_text="May be zero.")
    allocation_strategy = serializers.ChoiceField(Strategy.choices)
    scope = scope_field()
    base_percent = base_percent_field()
    fallback = fallback_field()
    billing = billing_field()


class BudgetItemList(OfPeriod):
    """GET: List a period's budget items, oldest first
    POST: Plan what is spent on one payment type, and how it is shared
    """

    rows = staticmethod(budget_items_seen_by)
    action, Input, Output = "budget_item.create", BudgetItemInput, BudgetItemSerializer
    filterset_class = BudgetItemFilter
    ordering, ordering_fields = ("recorded_at", "id"), ("payment_type", "recorded_at")
    refusals = {409: "period_closed, budget_item_exists", 422: "no_weight, ownership_gap"}

    def make(self, data: dict[str, Any]) -> BudgetItem:
        return create_budget_item(actor=self.actor, period_id=self.period.pk, **data)


class BudgetItemEditInput(EditInput):
    payment_type = TextField(required=False, max_length=LONGEST_TYPE)
    budgeted_cost = AmountField(required=False, help_text="May be zero.")
    allocation_strategy = serializers.ChoiceField(Strategy.choices, required=False)
    scope = scope_field()
    base_percent = base_percent_field()
    fallback = fallback_field()
    billing = billing_field()


class BudgetItemDetail(Showing, ActingOnRecord, Editing):
    """GET: Show a budget item
    PATCH: Change how costs of an open period are shared
    """

    rows, key, noun = staticmethod(budget_items_seen_by), "item_id", "periods.budget_item"
    action, Input, Output = "budget_item.edit", BudgetItemEditInput, BudgetItemSerializer
    refusals = {409: "period_closed, budget_item_exists", 422: "no_weight, ownership_gap"}

    def act(self, row: BudgetItem, data: dict[str, Any]) -> BudgetItem:
        return edit_budget_item(actor=self.actor, item_id=row.pk, **data)


class BudgetItemHistory(HistoryOf):
    """Read what happened to a budget item, oldest first."""

    rows, key, noun = staticmethod(budget_items_seen_by), "item_id", "periods.budget_item"
