"""Accounts: what they hold, now and then, and their statements."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.fields import InstantField, MoneyText
from ledger.api.filters import CharFilter, ChoiceFilter, FilterSet, UUIDFilter
from ledger.api.resource import Listing, Resource, Showing
from ledger.api.serializers import Output
from ledger.models import Account, AccountType, LedgerEntry
from ledger.reports import one_snapshot
from ledger.selectors import accounts_seen_by, balance_at, balance_on, statement, statement_balances


class AccountSerializer(Output):
    available = MoneyText()

    class Meta:
        model = Account
        fields = (
            "id", "company", "code", "name", "type", "currency", "normal_side", "minimum", "balance",
            "held", "available", "entry_count", "last_posted_at", "created_at",
        )  # fmt: skip


class AccountFilter(FilterSet):
    company = UUIDFilter("company_id")
    type = ChoiceFilter(choices=AccountType.choices)
    currency = CharFilter("currency")
    code = CharFilter("code")


class AccountList(Listing):
    """List accounts."""

    rows = staticmethod(accounts_seen_by)
    Output = AccountSerializer
    filterset_class = AccountFilter
    ordering = ("code",)
    ordering_fields = ("code", "name", "balance", "created_at")


class AccountDetail(Showing):
    """Show an account."""

    rows, Output, key = staticmethod(accounts_seen_by), AccountSerializer, "account_id"


class BalanceQuery(serializers.Serializer):
    at = serializers.DateTimeField(required=False, help_text="An instant, in posting order.")
    on = serializers.DateField(required=False, help_text="The end of a date, by effective date.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) > 1:
            raise serializers.ValidationError({"on": ["Ask with at or with on, not with both."]})
        return attrs


class BalanceSerializer(serializers.Serializer):
    """A balance on the account's normal side; ``held`` and ``available`` are only known for now."""

    account = serializers.UUIDField(source="id")
    currency = serializers.CharField()
    balance = MoneyText()
    # What is read-only would be described as always there.
    held = MoneyText(required=False, read_only=False)
    available = MoneyText(required=False, read_only=False)
    at = InstantField(required=False, read_only=False)
    on = serializers.DateField(required=False)


class AccountBalance(Resource):
    """Read an account's balance.

    Now; or with `at` as it stood at an instant, in posting order; or with `on` at the end of a date, by
    effective date, whenever it was posted.
    """

    rows, Output, key = staticmethod(accounts_seen_by), BalanceSerializer, "account_id"
    Query = BalanceQuery
    refusals = {400: ""}

    def get(self, request: Request, **path: Any) -> Response:
        account: Account = self.found()
        query = self.query()
        answer = {"id": account.pk, "currency": account.currency, **query}
        if "at" in query:
            answer["balance"] = balance_at(account, query["at"])
        elif "on" in query:
            answer["balance"] = balance_on(account, query["on"])
        else:
            for name in ("balance", "held", "available"):
                answer[name] = getattr(account, name)
        return Response(self.shown(answer))


class LineSerializer(Output):
    reference = serializers.CharField(source="journal_entry.reference", read_only=True)
    description = serializers.CharField(source="journal_entry.description", read_only=True)

    class Meta:
        model = LedgerEntry
        fields: tuple[str, ...] = (
            "id", "journal_entry", "reference", "description", "account", "sequence", "side", "amount",
            "currency", "balance_after", "effective_on", "posted_at",
        )  # fmt: skip


class PeriodQuery(serializers.Serializer):
    since = serializers.DateField(required=False, help_text="First effective date.")
    until = serializers.DateField(required=False, help_text="Last effective date.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["until"] < attrs["since"]:
            raise serializers.ValidationError({"until": ["This is before since."]})
        return attrs


class StatementSerializer(serializers.Serializer):
    """One page of a statement, newest line first, between the balances of the whole period."""

    account = serializers.UUIDField()
    currency = serializers.CharField()
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    opening_balance = MoneyText()
    closing_balance = MoneyText()
    results = LineSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AccountStatement(Resource):
    """Read an account's statement.

    Lines in posting order, newest first, each with the balance after it. `since` and `until` bound the
    effective date; `opening_balance` and `closing_balance` are those of the whole period, by effective
    date, so that the lines of all pages are exactly the difference.
    """

    rows, Output, key = staticmethod(accounts_seen_by), StatementSerializer, "account_id"
    Query = PeriodQuery
    paged = True
    refusals = {400: ""}

    def get(self, request: Request, **path: Any) -> Response:
        query = self.query()
        with one_snapshot():
            account: Account = self.found()
            lines: QuerySet[LedgerEntry] = statement(account, **query)
            page = self.paginate_queryset(lines)
            opening, closing = statement_balances(account, **query)
        paged = self.get_paginated_response(page).data
        answer = {"account": account.pk, "currency": account.currency, "since": None, "until": None}
        answer |= {**query, **paged, "opening_balance": opening, "closing_balance": closing}
        return Response(self.shown(answer))
