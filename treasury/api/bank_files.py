"""Bank files: what waits for a bank, collected once, and downloaded as often as needed."""

from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.access import require_role_somewhere
from ledger.api.fields import InstantField, MoneyText, Reference
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    CharFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import History, Listing, Making, Resource, Showing
from ledger.api.serializers import Input, Output
from ledger.clock import today
from ledger.roles import Role
from payments.selectors import providers_seen_by
from treasury import duties
from treasury.bank_selectors import bank_files_seen_by, bank_lines_of
from treasury.models import BankFile, BankFileLine
from treasury.selectors import batches_seen_by
from treasury.services.bank_files import download_bank_file, make_bank_file


class BankFileSerializer(Output):
    """A file; ``sha256`` is that of what ``content/`` hands out, ``message_id`` the file's own id."""

    class Meta:
        model = BankFile
        fields = (
            "file_id", "company", "provider", "message_id", "currency", "payments", "total",
            "execute_on", "sha256", "size", "made_by", "made_at",
        )  # fmt: skip


class BankFileFilter(FilterSet):
    company = UUIDFilter("company_id")
    provider = UUIDFilter("provider_id")
    currency = CharFilter("currency")
    message_id = CharFilter("message_id")
    amount_min = AmountFrom("total")
    amount_max = AmountTo("total")
    made_from = InstantFrom("made_at")
    made_to = InstantTo("made_at")


class BankFileInput(Input):
    provider = Reference(providers_seen_by, noun="provider")
    execute_on = serializers.DateField(
        required=False, help_text="Today, if left out; moved on to a day on which the company pays."
    )
    batch = Reference(
        batches_seen_by, noun="batch", required=False, help_text="All that waits, if left out."
    )


class BankFileList(Listing, Making):
    """GET: List bank files, newest first
    POST: Collect the payments that wait for a bank into one file
    """

    rows = staticmethod(bank_files_seen_by)
    action, Input, Output = "bank_file.make", BankFileInput, BankFileSerializer
    filterset_class = BankFileFilter
    ordering = ("-made_at", "-file_id")
    ordering_fields = ("made_at", "total")
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "nothing_waiting, provider_unavailable",
    }

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.TREASURER)
        if provider := self.named("provider"):
            duties.may_make_bank_file(self.actor, provider)

    def make(self, data: dict[str, Any]) -> BankFile:
        batch = data.get("batch")
        return make_bank_file(
            actor=self.actor,
            provider_id=data["provider"].pk,
            execute_on=data.get("execute_on"),
            batch_id=batch.pk if batch else None,
            today=today,
        )


class BankFileDetail(Showing):
    """Show a bank file, without its bytes."""

    rows, key, Output = staticmethod(bank_files_seen_by), "file_id", BankFileSerializer


class BankFileHistory(History):
    """Read what happened to a bank file, downloads included, oldest first."""

    rows, key, noun = staticmethod(bank_files_seen_by), "file_id", "treasury.bank_file"


class BankFileContent(Resource):
    """Download a bank file (pain.001.001.09): the same bytes for ever. By a treasurer, CFO or auditor."""

    rows, key = staticmethod(bank_files_seen_by), "file_id"
    Output, produces = OpenApiTypes.BINARY, ("application/xml",)
    refusals = reading_refusals = {403: "role_required"}

    def get(self, request: Request, **path: Any) -> HttpResponse:
        found = self.found()
        duties.may_read_bank_file(self.actor, found.provider)
        file = download_bank_file(actor=self.actor, bank_file_id=found.pk)
        answer = HttpResponse(bytes(file.content), content_type="application/xml")
        answer.headers["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=file.name
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


class BankFileLineSerializer(Output):
    """One payment in a file; ``end_to_end_id`` is what the bank repeats."""

    payment = serializers.UUIDField(source="attempt.payment_id", read_only=True)
    end_to_end_id = serializers.CharField(source="attempt.reference.hex", read_only=True)
    payee_name = serializers.CharField(
        source="attempt.payment.requisition.payee_name", read_only=True
    )
    amount = MoneyText(source="attempt.amount")
    state = serializers.CharField(source="attempt.state", read_only=True)
    finished_at = InstantField(source="attempt.finished_at", allow_null=True)

    class Meta:
        model = BankFileLine
        fields = (
            "number", "attempt", "payment", "end_to_end_id", "payee_name", "amount", "currency",
            "state", "finished_at",
        )  # fmt: skip


class BankFileLines(Resource):
    """List what is in a bank file, in its order."""

    rows, key, Output = staticmethod(bank_files_seen_by), "file_id", BankFileLineSerializer
    ordering = ("number",)

    def get(self, request: Request, **path: Any) -> Response:
        page = self.paginate_queryset(bank_lines_of(self.found()))
        return self.get_paginated_response([self.shown(row) for row in page or ()])
