"""Associations: who shares costs, in which currency, and by which rules."""

from typing import Any

from rest_framework import serializers

from ledger.access import companies_of, require_role_somewhere
from ledger.api.fields import Reference, TextField
from ledger.api.filters import AnyOf, CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Editing, Listing, Making, Showing
from ledger.api.serializers import Input
from ledger.models import Company, User
from ledger.refusals import InvalidInput
from ledger.selectors import branches_seen_by, companies_seen_by
from periods import duties
from periods.api.common import HistoryOf
from periods.api.fields import PeriodsOutput
from periods.models import Association
from periods.selectors import associations_seen_by
from periods.services.associations import LONGEST_NAME, create_association, edit_association
from periods.states import Recalculation, RemainderRule
from treasury.api.inputs import EditInput
from treasury.duties import WholeOf
from treasury.selectors import funds_seen_by


class AssociationSerializer(PeriodsOutput):
    """Owners who share costs; its accounts are those at `/api/ledger/accounts/`."""

    class Meta:
        model = Association
        fields = (
            "id", "name", "company", "region", "branch", "currency", "fund", "remainder_rule",
            "recalculation", "cash_account", "clearing_account", "costs_account",
            "equity_account", "created_at",
        )  # fmt: skip


class AssociationFilter(FilterSet):
    company = UUIDFilter("company_id")
    branch = UUIDFilter("branch_id")
    currency = CharFilter("currency")
    name = CharFilter("name", "icontains")
    recalculation = AnyOf("recalculation", Recalculation.choices)


class AssociationInput(Input):
    name = TextField(max_length=LONGEST_NAME)
    company = Reference(
        companies_seen_by, noun="company", required=False, help_text="The caller's only one."
    )
    branch = Reference(branches_seen_by, noun="branch", required=False, allow_null=True)
    currency = TextField(
        required=False, max_length=3, help_text="The fund's or the company's when left out."
    )
    fund = Reference(
        funds_seen_by,
        noun="fund",
        required=False,
        allow_null=True,
        help_text="Where the association's money is; what it pays itself then goes through treasury.",
    )
    remainder_rule = serializers.ChoiceField(RemainderRule.choices, required=False)
    recalculation = serializers.ChoiceField(Recalculation.choices, required=False)


class AssociationList(Listing, Making):
    """GET: List associations
    POST: Set up an association with its accounts
    """

    rows = staticmethod(associations_seen_by)
    action, Input, Output = "association.create", AssociationInput, AssociationSerializer
    filterset_class = AssociationFilter
    ordering = ("name", "id")
    ordering_fields = ("name", "created_at")
    refusals = {400: "unknown_currency, fund_taken, …", 409: "name_taken"}

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, *duties.KEEPERS)
        branch, company = self.named("branch"), self.named("company")
        if branch:
            duties.may_keep(
                self.actor,
                Association(
                    company_id=branch.region.company_id, region_id=branch.region_id, branch=branch
                ),
            )
        elif company:
            duties.may_keep(self.actor, WholeOf(company.pk))

    def make(self, data: dict[str, Any]) -> Association:
        company = data.pop("company", None) or _only_company(self.user)
        fund, branch = data.pop("fund", None), data.pop("branch", None)
        data.setdefault("currency", fund.currency if fund else company.currency)
        return create_association(
            actor=self.actor,
            company_id=company.pk,
            branch_id=branch and branch.pk,
            fund_id=fund and fund.pk,
            **data,
        )


def _only_company(user: User) -> Company:
    """Return the company in which the caller may set up associations, where there is one alone."""
    companies = list(companies_of(user, *duties.KEEPERS)[:2])
    if len(companies) != 1:
        raise InvalidInput.on("company", "Say in which company.")
    return companies[0]


class AssociationEditInput(EditInput):
    name = TextField(required=False, max_length=LONGEST_NAME)
    remainder_rule = serializers.ChoiceField(RemainderRule.choices, required=False)
    recalculation = serializers.ChoiceField(Recalculation.choices, required=False)


class AssociationDetail(Showing, Editing):
    """GET: Show an association
    PATCH: Rename an association, or change how it shares and corrects from now on
    """

    rows, key, noun = staticmethod(associations_seen_by), "association_id", "periods.association"
    action, Input, Output = "association.edit", AssociationEditInput, AssociationSerializer
    refusals = {409: "name_taken"}

    def permit(self, row: Association) -> None:
        duties.may_keep(self.actor, row)

    def act(self, row: Association, data: dict[str, Any]) -> Association:
        return edit_association(actor=self.actor, association_id=row.pk, **data)


class AssociationHistory(HistoryOf):
    """Read what happened to an association, oldest first."""

    rows, key, noun = staticmethod(associations_seen_by), "association_id", "periods.association"
