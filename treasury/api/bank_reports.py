"""Bank reports: what banks say about files, kept as it came, with a result for each row."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.access import require_role_somewhere
from ledger.api.fields import Reference
from ledger.api.filters import CharFilter, FilterSet, InstantFrom, InstantTo, UUIDFilter
from ledger.api.resource import History, Listing, Making, Resource, Showing
from ledger.api.serializers import Input, Output
from ledger.roles import Role
from payments.selectors import providers_seen_by
from treasury import duties
from treasury.bank_selectors import bank_reports_seen_by, bank_rows_of
from treasury.models import BankReport, BankReportRow
from treasury.services.bank_reports import Kept, import_bank_report


class BankReportSerializer(Output):
    """A report; ``waiting`` rows are acted on by a worker within seconds."""

    rows = serializers.IntegerField(source="row_count", read_only=True)
    waiting = serializers.IntegerField(read_only=True)

    class Meta:
        model = BankReport
        fields = (
            "report_id", "company", "provider", "file", "message_id", "original_message_id",
            "status", "sha256", "size", "rows", "waiting", "uploaded_by", "uploaded_at",
        )  # fmt: skip


class BankReportFilter(FilterSet):
    company = UUIDFilter("company_id")
    provider = UUIDFilter("provider_id")
    bank_file = UUIDFilter("file_id")
    message_id = CharFilter("message_id")
    uploaded_from = InstantFrom("uploaded_at")
    uploaded_to = InstantTo("uploaded_at")


class BankReportInput(Input):
    provider = Reference(providers_seen_by, noun="provider")
    file = serializers.FileField(help_text="A pain.002 of any version, up to 5 MB.")


class BankReportList(Listing, Making):
    """GET: List bank reports, newest first
    POST: Bring a bank's report (pain.002)

    Its rows are acted on by a worker, within seconds.
    """

    rows = staticmethod(bank_reports_seen_by)
    action, Input, Output = "bank_report.keep", BankReportInput, BankReportSerializer
    filterset_class = BankReportFilter
    ordering = ("-uploaded_at", "-report_id")
    ordering_fields = ("uploaded_at",)
    status_code, also_answers = 202, {200: "This very report was brought before."}
    refusals = {400: "report_unreadable, report_too_large", 409: "report_differs"}

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.TREASURER, Role.RECONCILER)
        if provider := self.named("provider"):
            duties.may_bring_bank_report(self.actor, provider)

    def make(self, data: dict[str, Any]) -> Kept:
        return import_bank_report(
            actor=self.actor, provider_id=data["provider"].pk, data=data["file"].read()
        )

    def status_of(self, result: Kept) -> int:
        return 202 if result.is_new else 200

    def result_shown(self, result: Kept) -> Any:
        return super().result_shown(result.report)


class BankReportDetail(Showing):
    """Show a bank report."""

    rows, key, Output = staticmethod(bank_reports_seen_by), "report_id", BankReportSerializer


class BankReportHistory(History):
    """Read what happened to a bank report, oldest first."""

    rows, key, noun = staticmethod(bank_reports_seen_by), "report_id", "treasury.bank_report"


class BankReportRowSerializer(Output):
    """What is said of one payment, and what came of it.

    ``outcome`` is what it means for the money; ``objection`` why it is not taken at its word.
    """

    payment = serializers.SerializerMethodField()

    class Meta:
        model = BankReportRow
        fields = (
            "number", "listed", "end_to_end_id", "uetr", "status", "reasons", "text",
            "bank_reference", "outcome", "payment", "attempt", "objection", "effect", "applied_at",
        )  # fmt: skip

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_payment(self, row: BankReportRow) -> Any:
        return row.attempt.payment_id if row.attempt else None


class BankReportRows(Resource):
    """List what a bank report says of each payment, in its order, with the result of each."""

    rows, key, Output = staticmethod(bank_reports_seen_by), "report_id", BankReportRowSerializer
    ordering = ("number",)

    def get(self, request: Request, **path: Any) -> Response:
        page = self.paginate_queryset(bank_rows_of(self.found()))
        return self.get_paginated_response([self.shown(row) for row in page or ()])
