"""Contributions: what owners pay in."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from rest_framework import serializers

from ledger.api.fields import AmountField, DayField, TextField
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    BooleanFilter,
    DateFilter,
    FilterSet,
    UUIDFilter,
)
from ledger.api.resource import Doing, Editing, Showing
from ledger.api.serializers import Input
from periods.api.common import (
    OLDEST_FIRST,
    ActingOnRecord,
    HistoryOf,
    OfPeriod,
    PagesWithTotal,
    Recording,
    owner_named,
)
from periods.api.fields import LoginField, PeriodsOutput, currency_of_association
from periods.exports import CONTRIBUTIONS
from periods.models import Contribution
from periods.selectors import contributions_seen_by
from periods.services.contributions import (
    LONGEST_COMMENT,
    edit_contribution,
    record_contribution,
    void_contribution,
)
from treasury.api.inputs import EditInput, ReasonInput


class RecordFilter(FilterSet):
    """What the lists of a period's records have in common."""

    date_from = DateFilter("date", "gte")
    date_to = DateFilter("date", "lte")
    amount_min = AmountFrom("amount")
    amount_max = AmountTo("amount")
    void = BooleanFilter("voided_at", "isnull", exclude=True)


class OwnersRecordFilter(RecordFilter):
    owner_id = UUIDFilter(method="of_owner")

    def of_owner(self, rows: QuerySet[Any], name: str, wanted: Any) -> QuerySet[Any]:
        """Keep what is this owner's, named by his id or by that of his login."""
        return rows.filter(Q(owner=wanted) | Q(owner__user=wanted))


class OwnersRecords(OfPeriod):
    """Records that are one owner's each."""

    ordering, ordering_fields = OLDEST_FIRST, ("date", "amount", "recorded_at")
    filterset_class, pagination_class = OwnersRecordFilter, PagesWithTotal
    totalled = "owner_id"

    def sum_of(self, rows: QuerySet[Any]) -> Decimal:
        return rows.filter(voided_at=None).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


class ContributionSerializer(PeriodsOutput):
    """A contribution; a void one counts for nothing."""

    owner_id = serializers.UUIDField(read_only=True)
    currency = currency_of_association()

    class Meta:
        model = Contribution
        fields = (
            "id", "association", "period", "owner_id", "amount", "currency", "date", "comment",
            "version", "journal_entry", "recorded_by", "recorded_at", "voided_by", "voided_at",
            "void_reason",
        )  # fmt: skip


class ContributionInput(Input):
    owner_id = serializers.UUIDField(required=False)
    user_id = LoginField(
        required=False, help_text="In place of `owner_id`: the owner's login, by id or user name."
    )
    amount = AmountField()
    date = DayField()
    comment = TextField(required=False, allow_blank=True, max_length=LONGEST_COMMENT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"owner_id", "user_id"} & set(attrs):
            raise serializers.ValidationError({"owner_id": ["Say whose it is."]})
        return attrs


class ContributionList(Recording, OwnersRecords):
    """GET: List a period's contributions, oldest first; with `owner_id` also their total
    POST: Record what an owner paid in
    """

    rows = staticmethod(contributions_seen_by)
    action, Input, Output = "contribution.record", ContributionInput, ContributionSerializer
    export, by_id, by_login = CONTRIBUTIONS, "owner_id", "user_id"
    refusals = {400: "date_outside_period, amount_precision, …", 409: "period_closed"}

    def record(self, period_id: UUID, data: dict[str, Any]) -> Contribution:
        return record_contribution(actor=self.actor, period_id=period_id, **data)


class ContributionEditInput(EditInput):
    owner_id = serializers.UUIDField(required=False)
    user_id = LoginField(required=False)
    amount = AmountField(required=False)
    date = DayField(required=False)
    comment = TextField(required=False, allow_blank=True, max_length=LONGEST_COMMENT)


class ContributionDetail(Showing, ActingOnRecord, Editing):
    """GET: Show a contribution
    PATCH: Change a contribution of an open period; its posting is reversed and made anew
    """

    rows, key = staticmethod(contributions_seen_by), "contribution_id"
    noun, action = "periods.contribution", "contribution.edit"
    Input, Output = ContributionEditInput, ContributionSerializer
    refusals = {400: "date_outside_period, …", 409: "period_closed, already_void"}

    def act(self, row: Contribution, data: dict[str, Any]) -> Contribution:
        owner_named(row.association, data, "owner_id", "user_id")
        return edit_contribution(actor=self.actor, contribution_id=row.pk, **data)


class ContributionVoid(ActingOnRecord, Doing):
    """Take a contribution of an open period out of the books, saying why."""

    rows, key = staticmethod(contributions_seen_by), "contribution_id"
    noun, action = "periods.contribution", "contribution.void"
    Input, Output = ReasonInput, ContributionSerializer
    refusals = {409: "period_closed, already_void"}

    def act(self, row: Contribution, data: dict[str, Any]) -> Contribution:
        return void_contribution(actor=self.actor, contribution_id=row.pk, **data)


class ContributionHistory(HistoryOf):
    """Read what happened to a contribution, oldest first."""

    rows, key = staticmethod(contributions_seen_by), "contribution_id"
    noun = "periods.contribution"
