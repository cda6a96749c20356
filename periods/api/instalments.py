"""Instalments: what owners are asked to have paid by when, and what paying late costs them."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from rest_framework import serializers

from ledger.api.fields import (
    AmountField,
    DayField,
    InstantField,
    MoneyText,
    TextField,
    WholeNumberField,
)
from ledger.api.filters import DateFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from ledger.clock import today
from periods import duties
from periods.api.charges import ChargeSerializer
from periods.api.common import ActingOnRecord, HistoryOf, OfPeriod, PagesWithTotal
from periods.api.contributions import OwnersRecordFilter, OwnersRecords
from periods.api.fields import NumberField, PeriodsOutput, currency_of_association
from periods.exports import CHARGES
from periods.models import Association, Instalment, InstalmentPlan, LateFeeRule, ServiceCharge
from periods.selectors import (
    associations_seen_by,
    charges_seen_by,
    instalment_plans_seen_by,
    instalments_seen_by,
)
from periods.services.charges import within
from periods.services.instalments import (
    LONGEST_DESCRIPTION,
    MOST_INSTALMENTS,
    MOST_MONTHS,
    plan_instalments,
    withdraw_instalments,
)
from periods.services.late_fees import MOST_DAYS, charge_late_fees, set_late_fee_rule
from periods.states import ChargeKind
from treasury.api.inputs import EditInput


class InstalmentSerializer(PeriodsOutput):
    """What one owner is asked to have paid by a day."""

    owner_id = serializers.UUIDField(read_only=True)
    description = serializers.CharField(source="plan.description", read_only=True)
    currency = currency_of_association()
    withdrawn_at = InstantField(source="plan.withdrawn_at", allow_null=True)

    class Meta:
        model = Instalment
        fields = (
            "id", "plan", "owner_id", "number", "description", "due_on", "amount", "currency",
            "withdrawn_at",
        )  # fmt: skip


class PlanSerializer(PeriodsOutput):
    """An amount that owners are asked for in instalments; ``parts`` are each owner's."""

    currency = currency_of_association()
    parts = InstalmentSerializer(many=True, read_only=True)

    class Meta:
        model = InstalmentPlan
        fields = (
            "id", "association", "period", "budget_item", "description", "amount", "currency",
            "instalments", "parts", "recorded_by", "recorded_at", "withdrawn_at",
        )  # fmt: skip


class InstalmentFilter(FilterSet):
    owner_id = UUIDFilter("owner_id")
    plan = UUIDFilter("plan_id")
    due_from = DateFilter("due_on", "gte")
    due_to = DateFilter("due_on", "lte")


class PlanInput(Input):
    amount = AmountField()
    instalments = WholeNumberField(least=1, most=MOST_INSTALMENTS)
    first_due_on = DayField()
    description = TextField(max_length=LONGEST_DESCRIPTION)
    every_months = WholeNumberField(
        required=False, least=1, most=MOST_MONTHS, help_text="1 when left out."
    )
    budget_item = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Shared as this item is; by the weight of all when left out.",
    )


class InstalmentList(OfPeriod):
    """GET: List what a period's owners are asked for, by the day it is due; with `owner_id` also the total
    POST: Ask the owners for an amount in instalments: each by his share, and then in time
    """

    rows, results = staticmethod(instalments_seen_by), staticmethod(instalment_plans_seen_by)
    action, Input, Output = "instalment_plan.create", PlanInput, PlanSerializer
    ListOutput = InstalmentSerializer
    filterset_class, pagination_class = InstalmentFilter, PagesWithTotal
    ordering, ordering_fields = ("due_on", "id"), ("due_on", "amount")
    totalled, place = "owner_id", "plan__period"
    refusals = {400: "amount_precision, …", 409: "period_closed", 422: "no_weight"}

    def make(self, data: dict[str, Any]) -> InstalmentPlan:
        return plan_instalments(actor=self.actor, period_id=self.period.pk, **data)

    def sum_of(self, rows: QuerySet[Any]) -> Decimal:
        live = rows.filter(plan__withdrawn_at=None)
        return live.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


class PlanDetail(Showing):
    """Show what owners are asked for in instalments, with each one's part."""

    rows, key, Output = staticmethod(instalment_plans_seen_by), "plan_id", PlanSerializer


class PlanWithdraw(ActingOnRecord, Doing):
    """Ask for the rest of a plan no more; late fees that were charged stay."""

    rows, key, noun = staticmethod(instalment_plans_seen_by), "plan_id", "periods.instalment_plan"
    action, Output = "instalment_plan.withdraw", PlanSerializer

    def act(self, row: InstalmentPlan, data: dict[str, Any]) -> InstalmentPlan:
        return withdraw_instalments(actor=self.actor, plan_id=row.pk)


class PlanHistory(HistoryOf):
    """Read what happened to a plan, oldest first."""

    rows, key, noun = staticmethod(instalment_plans_seen_by), "plan_id", "periods.instalment_plan"


class LateFeesInput(Input):
    on = DayField(
        required=False,
        help_text="Up to this day of the period; today or the day nearest to it when left out.",
    )


class LateFeesSerializer(serializers.Serializer):
    """The late fees that were charged now; ``total`` is theirs."""

    results = ChargeSerializer(many=True)
    total = MoneyText()
    currency = serializers.CharField()


class LateFeeList(OwnersRecords):
    """GET: List a period's late fees, oldest first; with `owner_id` also their total
    POST: Charge what paying late costs up to a day; what was charged already is not charged again
    """

    rows = staticmethod(charges_seen_by)
    action, Input, Output = "late_fees.charge", LateFeesInput, LateFeesSerializer
    ListOutput, filterset_class = ChargeSerializer, OwnersRecordFilter
    export = CHARGES
    refusals = {400: "date_outside_period", 409: "period_closed"}

    def get_queryset(self) -> QuerySet[ServiceCharge]:
        if getattr(self, "swagger_fake_view", False):
            return ServiceCharge.objects.none()
        return super().get_queryset().filter(kind=ChargeKind.LATE_FEE)

    def make(self, data: dict[str, Any]) -> list[ServiceCharge]:
        day: date = data.get("on") or within(self.period, today(self.period.association.company))
        return charge_late_fees(actor=self.actor, period_id=self.period.pk, on=day)

    def result_shown(self, result: list[ServiceCharge]) -> Any:
        charges = charges_seen_by(self.user).filter(pk__in=[charge.pk for charge in result])
        total = sum((charge.amount for charge in result), Decimal(0))
        currency = self.period.association.currency
        answer = {"results": charges.order_by(*self.ordering), "total": total}
        return self.shown(answer | {"currency": currency})


class LateFeeRuleSerializer(PeriodsOutput):
    """What an association asks of those who pay late; without a rule nothing."""

    currency = currency_of_association()

    class Meta:
        model = LateFeeRule
        fields = (
            "association", "grace_days", "fixed_fee", "yearly_percent", "legal_yearly_percent",
            "cap", "currency",
        )  # fmt: skip


TERMS = ("grace_days", "fixed_fee", "yearly_percent", "legal_yearly_percent", "cap")


class LateFeeRuleInput(EditInput):
    grace_days = WholeNumberField(required=False, least=0, most=MOST_DAYS)
    fixed_fee = AmountField(required=False, help_text="Once for each instalment; may be zero.")
    yearly_percent = NumberField(required=False, help_text="Simple interest on what is owed.")
    legal_yearly_percent = NumberField(
        required=False, allow_null=True, help_text="The most that the law allows."
    )
    cap = AmountField(required=False, allow_null=True, help_text="The most for an instalment.")


class LateFeeRuleDetail(Showing, Editing):
    """GET: Show what an association asks of those who pay late
    PATCH: Change what an association asks of those who pay late, from now on
    """

    rows, key, noun = staticmethod(associations_seen_by), "association_id", "periods.association"
    action, Input, Output = "late_fee_rule.set", LateFeeRuleInput, LateFeeRuleSerializer

    def permit(self, row: Association) -> None:
        duties.may_keep(self.actor, row)

    def act(self, row: Association, data: dict[str, Any]) -> LateFeeRule:
        now = _rule_of(row)
        kept: dict[str, Any] = {name: getattr(now, name) for name in TERMS}
        return set_late_fee_rule(actor=self.actor, association_id=row.pk, **kept | data)

    def result_shown(self, result: LateFeeRule) -> Any:
        return super().shown(result)

    def shown(self, row: Association) -> Any:
        return super().shown(_rule_of(row))


def _rule_of(association: Association) -> LateFeeRule:
    """Return an association's rule, or one that asks nothing."""
    found = LateFeeRule.objects.filter(association=association).first()
    return found or LateFeeRule(association=association)
