"""Limits of a day, how long a payee's new destination waits, and the days on which nothing goes out."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from ledger.access import companies_of, require_role_somewhere
from ledger.api.fields import AmountField, DayField, Reference, TextField, WholeNumberField
from ledger.api.filters import AnyOf, CharFilter, DateFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, Editing, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.models import Company, User
from ledger.refusals import InvalidInput
from ledger.roles import Role
from ledger.selectors import companies_seen_by
from treasury import duties
from treasury.api.inputs import EditInput
from treasury.calendar import Roll
from treasury.models import Holiday, LimitScope, PaymentRules, SpendingLimit
from treasury.models.limit import LONGEST_COOLING_OFF_H
from treasury.selectors import funds_seen_by, holidays_seen_by, limits_seen_by
from treasury.services.calendars import LONGEST_NAME, add_holiday, remove_holiday
from treasury.services.limits import MOST_PAYMENTS, rules_of, set_payment_rules, set_spending_limit


class SpendingLimitSerializer(Output):
    """What may leave in a civil day; null is no limit."""

    class Meta:
        model = SpendingLimit
        fields = (
            "limit_id", "company", "currency", "scope", "fund", "most_payments", "most_amount",
        )  # fmt: skip


class LimitFilter(FilterSet):
    company = UUIDFilter("company_id")
    currency = CharFilter("currency")
    scope = AnyOf("scope", LimitScope.choices)
    fund = UUIDFilter("fund_id")


class LimitInput(Input):
    company = Reference(companies_seen_by, noun="company", required=False)
    currency = TextField(required=False, max_length=3)
    scope = serializers.ChoiceField(LimitScope.choices)
    fund = Reference(funds_seen_by, noun="fund", required=False, allow_null=True)
    most_payments = WholeNumberField(required=False, allow_null=True, least=1, most=MOST_PAYMENTS)
    most_amount = AmountField(required=False, allow_null=True)


class LimitList(Listing, Making):
    """GET: List the limits of a day
    POST: Set the limit of a scope, or of one fund; there is one of each in a company and currency
    """

    rows = staticmethod(limits_seen_by)
    action, Input, Output = "limit.set", LimitInput, SpendingLimitSerializer
    filterset_class = LimitFilter
    ordering = ("scope", "currency", "limit_id")
    ordering_fields = ("scope", "currency")

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.CFO)
        if company := self.named("company"):
            duties.may_keep_funds(self.actor, company)

    def make(self, data: dict[str, Any]) -> SpendingLimit:
        company = data.pop("company", None) or _only_company(self.user)
        fund = data.pop("fund", None)
        data.setdefault("currency", company.currency)
        return set_spending_limit(
            actor=self.actor, company_id=company.pk, fund_id=fund and fund.pk, **data
        )


def _only_company(user: User) -> Company:
    """Return the company in which the person is a CFO, where there is one."""
    companies = list(companies_of(user, Role.CFO)[:2])
    if len(companies) != 1:
        raise InvalidInput.on("company", "Say in which company.")
    return companies[0]


class LimitEditInput(EditInput):
    most_payments = WholeNumberField(required=False, allow_null=True, least=1, most=MOST_PAYMENTS)
    most_amount = AmountField(required=False, allow_null=True)


class LimitDetail(Showing, Editing):
    """GET: Show a limit
    PATCH: Change a limit; with neither number it is off
    """

    rows, key, noun = staticmethod(limits_seen_by), "limit_id", "treasury.limit"
    action, Input, Output = "limit.set", LimitEditInput, SpendingLimitSerializer

    def permit(self, row: SpendingLimit) -> None:
        duties.may_keep_funds(self.actor, row.company)

    def act(self, row: SpendingLimit, data: dict[str, Any]) -> SpendingLimit:
        most = {"most_payments": row.most_payments, "most_amount": row.most_amount} | data
        return set_spending_limit(
            actor=self.actor,
            company_id=row.company_id,
            currency=row.currency,
            scope=row.scope,
            fund_id=row.fund_id,
            **most,
        )


class PaymentRulesSerializer(Output):
    """How a company pays, whatever the currency."""

    company = serializers.UUIDField(source="company_id", read_only=True)

    class Meta:
        model = PaymentRules
        fields = ("company", "cooling_off_hours", "weekend", "cut_off", "roll")


class PaymentRulesInput(EditInput):
    cooling_off_hours = WholeNumberField(required=False, least=0, most=LONGEST_COOLING_OFF_H)
    weekend = serializers.ListField(
        child=WholeNumberField(least=0, most=6),
        required=False,
        max_length=6,
        help_text="Weekdays on which scheduled payments do not go out; 0 is Monday.",
    )
    cut_off = serializers.TimeField(
        required=False,
        allow_null=True,
        help_text="Local time from which a scheduled payment waits for the next business day.",
    )
    roll = serializers.ChoiceField(
        [roll.value for roll in Roll],
        required=False,
        help_text="Where a payment goes that is due on no business day.",
    )


class PaymentRulesDetail(Showing, Editing):
    """GET: Show how a company pays
    PATCH: Change how a company pays
    """

    rows, key, noun = staticmethod(companies_seen_by), "company_id", "treasury.company"
    action, Input, Output = "payment_rules.set", PaymentRulesInput, PaymentRulesSerializer

    def permit(self, row: Company) -> None:
        duties.may_keep_funds(self.actor, row)

    def act(self, row: Company, data: dict[str, Any]) -> PaymentRules:
        return set_payment_rules(actor=self.actor, company_id=row.pk, **data)

    def shown(self, row: Company) -> Any:
        return super().shown(rules_of(row))


class HolidaySerializer(Output):
    """A civil date on which scheduled payments do not go out."""

    class Meta:
        model = Holiday
        fields = ("holiday_id", "company", "on", "name")


class HolidayFilter(FilterSet):
    company = UUIDFilter("company_id")
    on_from = DateFilter("on", "gte")
    on_to = DateFilter("on", "lte")


class HolidayInput(Input):
    company = Reference(companies_seen_by, noun="company", required=False)
    on = DayField()
    name = TextField(max_length=LONGEST_NAME)


class HolidayList(Listing, Making):
    """GET: List holidays
    POST: Make a day a holiday; what was due on it moves
    """

    rows = staticmethod(holidays_seen_by)
    action, Input, Output = "holiday.add", HolidayInput, HolidaySerializer
    filterset_class = HolidayFilter
    ordering = ("on", "holiday_id")
    ordering_fields = ("on",)

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.CFO)
        if company := self.named("company"):
            duties.may_keep_funds(self.actor, company)

    def make(self, data: dict[str, Any]) -> Holiday:
        company = data.pop("company", None) or _only_company(self.user)
        return add_holiday(actor=self.actor, company_id=company.pk, **data)


class HolidayRemove(Doing):
    """Make a holiday an ordinary day again."""

    rows, key, noun = staticmethod(holidays_seen_by), "holiday_id", "treasury.holiday"
    action, Output = "holiday.remove", HolidaySerializer

    def permit(self, row: Holiday) -> None:
        duties.may_keep_funds(self.actor, row.company)

    def act(self, row: Holiday, data: dict[str, Any]) -> Holiday:
        return remove_holiday(actor=self.actor, holiday_id=row.pk)

    def perform(self) -> Response:
        """Do it, or give the answer again that was kept when it was done: then there is no row to ask."""
        holiday_id: UUID = self.kwargs[self.key]
        if Holiday.objects.filter(pk=holiday_id).exists():
            return super().perform()
        return self.answer(lambda: remove_holiday(actor=self.actor, holiday_id=holiday_id))

    def before_replay(self) -> None:
        require_role_somewhere(self.actor, Role.CFO)

    def result_shown(self, result: Holiday) -> Any:
        return self.shown(result)
