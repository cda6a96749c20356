"""Statements: what a period comes to for each owner, sent to him, as a file and as PDF."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.api.fields import InstantField
from ledger.api.filters import CharFilter, FilterSet
from ledger.api.resource import Listing, Resource, Writing
from ledger.clock import written_instant
from ledger.downloads import file_answer
from ledger.exports import CONTENT_TYPES, Column, Export, write_export
from ledger.money import Money, format_amount
from ledger.refusals import NotFound
from ledger.reports import one_snapshot
from periods import duties
from periods.api.sheets import OwnerLineSerializer
from periods.models import Owner, ServicePeriod, Statement
from periods.selectors import owners_seen_by, periods_seen_by
from periods.services.statements import send_statements
from periods.sheet_document import COLUMNS
from periods.sheets import OwnerLine, PeriodSheet, balance_sheet_of
from periods.statements.printing import name_of, statement_pdf

Lines = Mapping[UUID, OwnerLine]
Issued = Mapping[UUID, Statement]
NOTHING = OwnerLine(UUID(int=0), "")


class OwnerStatementSerializer(OwnerLineSerializer):
    """One owner's statement of a period; without ``number`` it was not sent under this version."""

    currency = serializers.CharField()
    status = serializers.CharField()
    provisional = serializers.BooleanField()
    version = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True, help_text="Empty: he has no address.")
    issued_at = InstantField(allow_null=True)
    sent_at = InstantField(allow_null=True, help_text="When the mail went out.")


class SentSerializer(serializers.Serializer):
    """The statements of the present version, all of them issued now."""

    period = serializers.UUIDField()
    version = serializers.IntegerField()
    results = OwnerStatementSerializer(many=True)


class StatementFilter(FilterSet):
    name = CharFilter("name", "icontains")


def export_of(currency: str, lines: Lines, issued: Issued) -> Export:
    """Return the file of a period's statements: one row an owner."""

    def figure(column: str) -> Column:
        return Column(
            column,
            lambda owner: Money(getattr(lines.get(owner.pk, NOTHING), column), currency),
        )

    def number(owner: Owner) -> str:
        return str(issued[owner.pk]) if owner.pk in issued else ""

    return Export(
        "statements",
        (
            Column("owner_id", lambda owner: str(owner.pk)),
            Column("name", lambda owner: owner.name),
            *(figure(column) for column in COLUMNS),
            Column("statement", number),
        ),
    )


class StatementList(Listing, Writing):
    """GET: List each owner's statement of a period, in the order of their numbers
    POST: Issue and send the statements of a closed period that were not sent yet
    """

    rows, key, noun = staticmethod(owners_seen_by), "period_id", "periods.period"
    action, status_code = "statements.send", 201
    filterset_class = StatementFilter
    ordering, ordering_fields = ("number", "id"), ("number", "name")
    export = export_of("KES", {}, {})
    ListOutput, Output = OwnerStatementSerializer, SentSerializer
    refusals = {409: "period_not_closed"}

    def period(self) -> ServicePeriod:
        found = periods_seen_by(self.user).filter(pk=self.kwargs[self.key]).first()
        if found is None:
            raise NotFound("There is no such thing.")
        return found

    def get_queryset(self) -> QuerySet[Owner]:
        if getattr(self, "swagger_fake_view", False):
            return Owner.objects.none()
        return self.rows(self.user).filter(association=self.period().association_id)

    def get(self, request: Request, **path: Any) -> HttpResponseBase:
        if "format" in request.query_params:
            return self._exported(request.query_params["format"])
        period = self.period()
        owners = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(_statements(period, owners))

    def _exported(self, wanted: str) -> HttpResponseBase:
        if wanted not in CONTENT_TYPES:
            return super()._exported(wanted)
        period = self.period()
        owners = self.filter_queryset(self.get_queryset())
        sheet = _sheet_of(period)
        lines = {line.owner_id: line for line in sheet.owners}
        export = export_of(sheet.currency, lines, _issued(sheet))
        return file_answer(write_export(export, owners, wanted), export, wanted)

    def post(self, request: Request, **path: Any) -> Response:
        with self.recorded():
            period = self.period()
            duties.may_keep(self.actor, period.association)
        self.read()
        return self.answer(lambda: send_statements(actor=self.actor, period_id=period.pk))

    def result_shown(self, result: list[Statement]) -> Any:
        period = self.period()
        owners = [statement.owner for statement in result]
        shown = _statements(period, owners)
        return {"period": str(period.pk), "version": period.version, "results": shown}


def _sheet_of(period: ServicePeriod) -> PeriodSheet:
    with one_snapshot(on_primary=True):
        return balance_sheet_of(period)


def _issued(sheet: PeriodSheet) -> Issued:
    """Return the statements that were issued of this version of a sheet, by owner."""
    if sheet.version is None:
        return {}
    rows = Statement.objects.filter(period=sheet.period, sheet__version=sheet.version)
    return {row.owner_id: row for row in rows.defer("facts")}


def _statements(period: ServicePeriod, owners: list[Owner]) -> list[dict[str, Any]]:
    """Write these owners' statements."""
    if not owners:
        return []
    sheet = _sheet_of(period)
    issued = _issued(sheet)
    lines = {line.owner_id: line for line in sheet.owners}
    return [_statement(sheet, owner, lines[owner.pk], issued.get(owner.pk)) for owner in owners]


def _statement(
    sheet: PeriodSheet, owner: Owner, line: OwnerLine, issued: Statement | None
) -> dict[str, Any]:
    sent_at = issued.sent_at if issued else None
    return {
        "owner_id": str(owner.pk),
        "name": owner.name,
        **{name: format_amount(getattr(line, name), sheet.currency) for name in COLUMNS},
        "currency": sheet.currency,
        "status": sheet.status,
        "provisional": sheet.provisional,
        "version": sheet.version,
        "number": str(issued) if issued else None,
        "email": issued.email if issued else None,
        "issued_at": written_instant(issued.issued_at) if issued else None,
        "sent_at": written_instant(sent_at) if sent_at else None,
    }


class StatementFile(Resource):
    """Download one owner's statement of a period as PDF; of an open period it is a preview."""

    rows, key, Output = staticmethod(periods_seen_by), "period_id", OpenApiTypes.BINARY
    produces = ("application/pdf",)

    def get(self, request: Request, **path: Any) -> HttpResponse:
        period = self.found()
        owners = owners_seen_by(self.user).filter(association=period.association_id)
        owner = get_object_or_404(owners, pk=path["owner_id"])
        answer = HttpResponse(statement_pdf(period, owner), content_type="application/pdf")
        answer.headers["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=name_of(period, owner)
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
