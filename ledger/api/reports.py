"""Reports over a company's books; each reads one snapshot."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.fields import MoneyText
from ledger.api.resource import Resource
from ledger.clock import today
from ledger.models import Company
from ledger.refusals import NotFound
from ledger.reports import one_snapshot
from ledger.selectors import companies_whose_books_are_seen_by, trial_balance


class TrialBalanceQuery(serializers.Serializer):
    on = serializers.DateField(
        required=False, help_text="By effective date; today in the company's time zone if left out."
    )
    company = serializers.UUIDField(
        required=False, help_text="May be left out by who sees only one."
    )


class TrialBalanceRowSerializer(serializers.Serializer):
    account = serializers.UUIDField(source="account.id")
    code = serializers.CharField(source="account.code")
    name = serializers.CharField(source="account.name")
    type = serializers.CharField(source="account.type")
    currency = serializers.CharField(source="account.currency")
    debit = MoneyText(currency="account.currency")
    credit = MoneyText(currency="account.currency")


class TrialBalanceTotalSerializer(serializers.Serializer):
    currency = serializers.CharField()
    debit = MoneyText()
    credit = MoneyText()


class TrialBalanceSerializer(serializers.Serializer):
    company = serializers.UUIDField(source="company.id")
    on = serializers.DateField()
    rows = TrialBalanceRowSerializer(many=True)
    totals = TrialBalanceTotalSerializer(
        many=True, help_text="Per currency, equal in both columns."
    )


class TrialBalance(Resource):
    """Read a company's trial balance at the end of a date."""

    rows, Output = staticmethod(companies_whose_books_are_seen_by), TrialBalanceSerializer
    Query = TrialBalanceQuery
    refusals = {400: "", 404: ""}

    def get(self, request: Request) -> Response:
        query = self.query()
        with one_snapshot():
            company = self._company(query.get("company"))
            report = trial_balance(company, query.get("on") or today(company))
        totals = [
            {"currency": currency, "debit": debit, "credit": credit}
            for currency, (debit, credit) in sorted(report.totals.items())
        ]
        answer = {"company": company, "on": report.on, "rows": report.rows, "totals": totals}
        return Response(self.shown(answer))

    def _company(self, company_id: Any) -> Company:
        """Return the company that is named, or the caller's only one."""
        companies = list(self.get_queryset().order_by("name"))
        if company_id is not None:
            companies = [company for company in companies if company.pk == company_id]
        if not companies:
            raise NotFound("There is no such company.")
        if len(companies) > 1:
            raise ValidationError({"company": ["Name the company: you see several."]})
        company: Company = companies[0]
        return company
