"""What periods' addresses share: lists within a period, their totals, histories, the caller's association."""

from collections.abc import Collection
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from ledger.access import require_role_somewhere
from ledger.api.fields import WRITTEN_AMOUNT, Reference
from ledger.api.idempotent import has_no_bad_key
from ledger.api.resource import Acting, History, Listing, Making
from ledger.api.serializers import AuditEventSerializer, Input
from ledger.models import AuditEvent, User
from ledger.money import format_amount
from ledger.refusals import InvalidInput, NotFound, Refusal, RoleRequired
from ledger.roles import Role
from periods import duties
from periods.models import Association, Owner, ServicePeriod
from periods.selectors import (
    associations_kept_by,
    associations_seen_by,
    owner_with_login,
    periods_seen_by,
    reads_all_of,
)

OLDEST_FIRST = ("date", "recorded_at", "id")
Pages: Any = api_settings.DEFAULT_PAGINATION_CLASS


def only_association(user: User, roles: Collection[Role]) -> Association:
    """Return the association in which the caller has one of the roles, where there is one alone.

    Raises ``InvalidInput`` on ``association``.
    """
    associations = list(associations_kept_by(user, *roles)[:2])
    if len(associations) != 1:
        raise InvalidInput.on("association", "Say of which association.")
    return associations[0]


def owner_named(association: Association, data: dict[str, Any], by_id: str, by_login: str) -> None:
    """Let the owner be named by his login: put his id under ``by_id`` and take ``by_login`` away.

    Raises ``InvalidInput`` on ``by_login`` when no owner signs in like that, or both name different ones.
    """
    if by_login not in data:
        return
    login = data.pop(by_login)
    owner: Owner | None = None
    if login is not None:
        owner = owner_with_login(association.pk, login)
        if owner is None:
            raise InvalidInput.on(by_login, "There is no such owner.")
    named = owner and owner.pk
    if data.setdefault(by_id, named) != named:
        raise InvalidInput.on(by_login, f"This is another owner than {by_id}.")


class PagesWithTotal(Pages):  # type: ignore[misc]
    """Pages that also carry the ``total`` of all rows, where the view gives one."""

    total: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        self.total = view.total_of(queryset)
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Any:
        answer = super().get_paginated_response(data)
        if self.total is not None:
            answer.data["total"] = self.total
        return answer

    def get_paginated_response_schema(self, schema: Any) -> Any:
        whole = super().get_paginated_response_schema(schema)
        whole["properties"]["total"] = WRITTEN_AMOUNT | {
            "description": "Of all that is listed and not void, where the list is one owner's."
        }
        return whole


class OfAssociationInput(Input):
    """What is added to an association."""

    association = Reference(
        associations_seen_by,
        noun="association",
        required=False,
        help_text="The caller's only one.",
    )


class OfAssociation(Listing, Making):
    """What associations have: ``GET`` lists it, ``POST`` adds more, by those who keep them."""

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, *duties.KEEPERS)
        if association := self.named("association"):
            duties.may_keep(self.actor, association)

    def association_of(self, data: dict[str, Any]) -> Association:
        """Take out of the input which association it is, the caller's only one where he names none."""
        association: Association | None = data.pop("association", None)
        return association or only_association(self.user, duties.KEEPERS)


class OfPeriod(Listing, Making):
    """What is recorded in one period: ``GET`` lists it, ``POST`` records more.

    ``totalled`` is the parameter that makes the list one owner's, so that it has a total; ``place`` leads
    from a row to its period; ``ListOutput`` writes a row where what is made is something else.
    """

    key, noun = "period_id", "periods.period"
    totalled: ClassVar[str] = ""
    place: ClassVar[str] = "period"
    ListOutput: ClassVar[Any] = None

    @cached_property
    def period(self) -> ServicePeriod:
        """The period that the path names, if the caller may see it."""
        rows = periods_seen_by(self.user).prefetch_related(None)
        period = rows.filter(pk=self.kwargs[self.key]).first()
        if period is None:
            raise NotFound("There is no such thing.")
        return period

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.filter(**{self.place: self.period})

    def permit_making(self) -> None:
        duties.may_record(self.actor, self.period.association)

    def total_of(self, rows: QuerySet[Any]) -> str | None:
        """Return the total of the rows, where they are one owner's."""
        if not self.request.query_params.get(self.totalled):
            return None
        return format_amount(self.sum_of(rows.order_by()), self.period.association.currency)

    def sum_of(self, rows: QuerySet[Any]) -> Decimal:
        """Return the sum of the amounts of what is not void."""
        raise AssertionError("a list with a total says how to sum")

    def get(self, request: Request, **path: Any) -> HttpResponseBase:
        if "format" in request.query_params or self.ListOutput is None:
            return super().get(request, **path)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        output = self.ListOutput(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(output.data)


class Recording(OfPeriod):
    """``POST`` by a command that asks for the period and the role before all else (``DoingAtOnce``).

    So nothing is asked before it, but for a body that is to be refused for its form, and for an owner who is
    named ``by_login``, in an association that the caller may have to see first. The answer is written from
    the record that the command returns.
    """

    by_id: ClassVar[str]
    by_login: ClassVar[str]

    def record(self, period_id: UUID, data: dict[str, Any]) -> Any:
        """Make the domain call and return the record."""
        raise AssertionError("each list says what it records")

    def make(self, data: dict[str, Any]) -> Any:
        if self.by_login in data:
            owner_named(self.period.association, data, self.by_id, self.by_login)
        return self.record(self.kwargs[self.key], data)

    def post(self, request: Request, **path: Any) -> Response:
        data = self._in_form()
        if data is None:
            return super().post(request, **path)
        try:
            return self.answer(lambda: self.make(data))
        except (NotFound, RoleRequired):
            self._require_seen()  # to whoever may not see the period both are one 404
            raise

    def before_replay(self) -> None:
        with self.recorded():
            self.permit_making()

    def result_shown(self, result: Any) -> Any:
        return self.shown(result)

    def _require_seen(self) -> ServicePeriod:
        return self.period

    def _in_form(self) -> dict[str, Any] | None:
        """Return what is asked for; None where its form, or a login in it, comes after the role."""
        if not has_no_bad_key(self.request):
            return None
        try:
            data = self.read()
        except (APIException, Refusal):
            return None
        return None if self.by_login in data else data


class ActingOnRecord(Acting):
    """What changes a record of a period; by those who record."""

    def permit(self, row: Any) -> None:
        duties.may_record(self.actor, row.association)


class HistoryEventSerializer(AuditEventSerializer):
    """What happened; to an owner without what is the staff's own."""

    def to_representation(self, instance: AuditEvent) -> dict[str, Any]:
        event: dict[str, Any] = super().to_representation(instance)
        if self.context.get("to_owner"):
            event |= {"before": None, "after": None, "ip_address": None}
            event |= {"user_agent": "", "request_id": ""}
        return event


class HistoryOf(History):
    """History of something of an association; staff read all of it, its owner what was done and when."""

    Output = HistoryEventSerializer

    def get(self, request: Request, **path: Any) -> HttpResponseBase:
        row = get_object_or_404(self.rows(self.user), pk=self.kwargs[self.key])
        association = row if isinstance(row, Association) else row.association
        self.to_owner = not reads_all_of(self.user, association)
        return super().get(request, **path)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "to_owner": getattr(self, "to_owner", True)}
