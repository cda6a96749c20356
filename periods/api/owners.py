"""Owners: the members of an association."""

from typing import Any

from rest_framework import serializers

from ledger.api.fields import MoneyText, TextField
from ledger.api.filters import CharFilter, FilterSet, UUIDFilter
from ledger.api.resource import Editing, Showing
from periods import duties
from periods.api.common import HistoryOf, OfAssociation, OfAssociationInput
from periods.api.fields import LoginField, PeriodsOutput
from periods.models import Owner
from periods.selectors import owners_seen_by
from periods.services.owners import LONGEST_EMAIL, LONGEST_NAME, add_owner, edit_owner
from treasury.api.inputs import EditInput


class OwnerSerializer(PeriodsOutput):
    """An owner; ``balance`` is what the books say now: above zero the association owes it him."""

    email = serializers.CharField(read_only=True)
    balance = MoneyText(source="account.balance", currency="currency")

    class Meta:
        model = Owner
        fields = (
            "id", "association", "number", "name", "email", "user", "account", "balance", "currency",
            "created_at",
        )  # fmt: skip


class OwnerFilter(FilterSet):
    association = UUIDFilter("association_id")
    name = CharFilter("name", "icontains")
    user = UUIDFilter("user_id")


class OwnerInput(OfAssociationInput):
    name = TextField(max_length=LONGEST_NAME)
    email = TextField(required=False, allow_blank=True, max_length=LONGEST_EMAIL)
    user = LoginField(required=False, allow_null=True, help_text="His login, by id or user name.")


class OwnerList(OfAssociation):
    """GET: List owners
    POST: Add an owner, with an account of his own
    """

    rows = staticmethod(owners_seen_by)
    action, Input, Output = "owner.add", OwnerInput, OwnerSerializer
    filterset_class = OwnerFilter
    ordering = ("association", "number")
    ordering_fields = ("number", "name", "created_at")
    refusals = {400: "user_taken, …"}

    def make(self, data: dict[str, Any]) -> Owner:
        return add_owner(
            actor=self.actor,
            association_id=self.association_of(data).pk,
            user_id=data.pop("user", None),
            **data,
        )


class OwnerEditInput(EditInput):
    name = TextField(required=False, max_length=LONGEST_NAME)
    email = TextField(required=False, allow_blank=True, max_length=LONGEST_EMAIL)
    user = LoginField(
        required=False,
        allow_null=True,
        help_text="His login, by id or user name; null takes it away.",
    )


class OwnerDetail(Showing, Editing):
    """GET: Show an owner
    PATCH: Change an owner's name, address or login
    """

    rows, key, noun = staticmethod(owners_seen_by), "owner_id", "periods.owner"
    action, Input, Output = "owner.edit", OwnerEditInput, OwnerSerializer
    refusals = {400: "user_taken, …"}

    def permit(self, row: Owner) -> None:
        duties.may_keep(self.actor, row.association)

    def act(self, row: Owner, data: dict[str, Any]) -> Owner:
        if "user" in data:
            data["user_id"] = data.pop("user")
        return edit_owner(actor=self.actor, owner_id=row.pk, **data)


class OwnerHistory(HistoryOf):
    """Read what happened to an owner's record, oldest first."""

    rows, key, noun = staticmethod(owners_seen_by), "owner_id", "periods.owner"
