"""Delegations: who may approve for whom, from which day to which."""

from datetime import date
from typing import Any

from rest_framework import serializers

from ledger.access import companies_of, require_role_somewhere
from ledger.api.fields import Reference, TextField
from ledger.api.filters import BooleanFilter, ChoiceFilter, DateFilter, FilterSet, UUIDFilter
from ledger.api.resource import Doing, History, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.clock import today
from ledger.models import Company, User
from ledger.refusals import InvalidInput
from ledger.roles import Role
from treasury.models import Delegation
from treasury.selectors import delegations_seen_by
from treasury.services.delegations import create_delegation, end_delegation, may_end_delegation


class DelegationSerializer(Output):
    """``delegate`` may approve in ``role`` for ``delegator``, both days included."""

    delegator_name = serializers.CharField(source="delegator", read_only=True)
    delegate_name = serializers.CharField(source="delegate", read_only=True)

    class Meta:
        model = Delegation
        fields = (
            "delegation_id", "company", "role", "delegator", "delegator_name", "delegate",
            "delegate_name", "from_on", "until_on", "reason", "created_at", "ended_at", "ended_by",
        )  # fmt: skip


class DelegationFilter(FilterSet):
    company = UUIDFilter("company_id")
    role = ChoiceFilter(choices=Delegation.DelegatedRole.choices)
    delegator = UUIDFilter("delegator_id")
    delegate = UUIDFilter("delegate_id")
    ended = BooleanFilter("ended_at", "isnull", exclude=True)
    holds_on = DateFilter(method="holding")

    def holding(self, rows: Any, name: str, day: date) -> Any:
        """Keep those that hold on a day."""
        return rows.filter(from_on__lte=day, until_on__gte=day, ended_at=None)


class DelegationInput(Input):
    company = Reference(companies_of, noun="company", required=False)
    role = serializers.ChoiceField(Delegation.DelegatedRole.choices)
    delegate = serializers.UUIDField()
    from_on = serializers.DateField()
    until_on = serializers.DateField()
    reason = TextField(max_length=255)


class DelegationList(Listing, Making):
    """GET: List delegations, newest first
    POST: Let a colleague approve in one's own role for some days
    """

    rows = staticmethod(delegations_seen_by)
    action, Input, Output = "delegation.create", DelegationInput, DelegationSerializer
    filterset_class = DelegationFilter
    ordering = ("-created_at", "-delegation_id")
    ordering_fields = ("created_at", "from_on")

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.APPROVER, Role.CFO)

    def make(self, data: dict[str, Any]) -> Delegation:
        company = data.pop("company", None) or self._only_company(self.user)
        delegate = data.pop("delegate")
        return create_delegation(
            actor=self.actor, company_id=company.pk, delegate_id=delegate, today=today, **data
        )

    def _only_company(self, user: User) -> Company:
        companies = list(companies_of(user)[:2])
        if len(companies) != 1:
            raise InvalidInput.on("company", "Say which company.", code="required")
        return companies[0]


class DelegationDetail(Showing):
    """Show a delegation."""

    rows, key = staticmethod(delegations_seen_by), "delegation_id"
    Output = DelegationSerializer


class DelegationHistory(History):
    """Read what happened to a delegation, oldest first."""

    rows, key, noun = staticmethod(delegations_seen_by), "delegation_id", "treasury.delegation"


class DelegationEnd(Doing):
    """End a delegation before its last day: by either of the two, or a CFO of the company."""

    rows, key, noun = staticmethod(delegations_seen_by), "delegation_id", "treasury.delegation"
    action, Output = "delegation.end", DelegationSerializer
    refusals = {403: "role_required", 409: "delegation_ended"}

    def permit(self, row: Delegation) -> None:
        may_end_delegation(self.actor, row)

    def act(self, row: Delegation, data: dict[str, Any]) -> Delegation:
        return end_delegation(actor=self.actor, delegation_id=row.pk)
