"""Batches: many payments made, approved, confirmed and executed as one set; making and reading them."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from ledger.access import require_role_somewhere
from ledger.api.fields import DayField, Reference, TextField
from ledger.api.filters import (
    AmountFrom,
    AmountTo,
    AnyOf,
    AwaitingFilter,
    BooleanFilter,
    FilterSet,
    InstantFrom,
    InstantTo,
    UUIDFilter,
)
from ledger.api.resource import History, Listing, Making, Showing
from ledger.api.serializers import Input
from ledger.roles import Role
from treasury import duties
from treasury.api.batch_shapes import (
    BatchRowSerializer,
    BatchSerializer,
    DraftSerializer,
    progress_of,
)
from treasury.awaiting import (
    batches_awaiting,
)
from treasury.exports import BATCH_ROWS
from treasury.methods import Method
from treasury.models import Batch, BatchRow
from treasury.selectors import (
    batch_rows_seen_by,
    batches_seen_by,
    funds_seen_by,
)
from treasury.services.batches import Draft, Upload, create_batch
from treasury.sheets import MOST_ROWS
from treasury.states import BatchRowStatus, BatchStatus, PaymentStatus


class BatchFilter(FilterSet):
    status = AnyOf("status", BatchStatus.choices)
    source = AnyOf("source", Batch.Source.choices)
    fund = UUIDFilter("fund_id")
    company = UUIDFilter("company_id")
    created_by = UUIDFilter("created_by_id")
    executor = UUIDFilter("executor_id")
    total_min = AmountFrom("total")
    total_max = AmountTo("total")
    created_from = InstantFrom("created_at")
    created_to = InstantTo("created_at")
    awaiting = AwaitingFilter(batches_awaiting)


class BatchInput(Input):
    requisitions = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=MOST_ROWS,
        help_text="Approved requisitions of one fund.",
    )
    file = serializers.FileField(required=False, help_text="CSV in UTF-8, or XLSX; up to 5 MB.")
    due_by = DayField(
        required=False, help_text="What `/api/payments/?due_by=` lists of the fund on this day."
    )
    fund = Reference(
        funds_seen_by,
        noun="fund",
        required=False,
        help_text="That of the first requisition, or the only one, if left out.",
    )
    name = TextField(required=False, allow_blank=True, max_length=160)
    dry_run = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("requisitions", "file", "due_by")) != 1:
            raise serializers.ValidationError("Send one of requisitions, file and due_by.")
        return attrs


class BatchList(Listing, Making):
    """GET: List batches, newest first
    POST: Make a batch of approved requisitions, of a file or of what is due, or try it with `dry_run`
    """

    rows = staticmethod(batches_seen_by)
    action, Input, Output = "batch.create", BatchInput, DraftSerializer
    ListOutput = BatchSerializer
    filterset_class = BatchFilter
    ordering = ("-created_at", "-batch_id")
    ordering_fields = ("created_at", "total")
    also_answers: ClassVar[dict[int, str]] = {200: "A dry run: nothing was kept."}
    refusals = {
        400: "file_unreadable, file_too_large, too_many_rows, unknown_column, missing_column;"
        " where no row can be paid, the code of the first"
    }

    def get(self, request: Any, **path: Any) -> Any:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "progress": progress_of(list(page))}
        return self.get_paginated_response(self.ListOutput(page, many=True, context=context).data)

    def permit_making(self) -> None:
        require_role_somewhere(self.actor, Role.TREASURER, Role.REQUESTER)
        if fund := self.named("fund"):
            duties.may_make_batch(self.actor, fund)

    def make(self, data: dict[str, Any]) -> Draft:
        fund, file = data.get("fund"), data.get("file")
        return create_batch(
            actor=self.actor,
            fund_id=fund.pk if fund else None,
            requisitions=data.get("requisitions"),
            upload=Upload(file.name or "", file.read()) if file else None,
            due_by=data.get("due_by"),
            name=data.get("name", ""),
            dry_run=data["dry_run"],
        )

    def status_of(self, result: Draft) -> int:
        return 200 if result.dry_run else 201

    def result_shown(self, result: Draft) -> Any:
        """The batch, what is wrong with rows, and for a dry run the rows themselves."""
        batch = result.batch if result.dry_run else batches_seen_by(self.user).get(pk=result.pk)
        context = {**self.get_serializer_context(), "progress": {batch.pk: counted(result)}}
        shown = dict(BatchSerializer(batch, context=context).data)
        shown["dry_run"] = result.dry_run
        shown["errors"] = [
            {
                "row": row.number,
                "field": row.error_field,
                "code": row.error_code,
                "message": row.error_message,
            }
            for row in result.rows
            if row.status == BatchRowStatus.REFUSED
        ]
        if result.dry_run:
            shown |= {"batch_id": None, "approvals": [], "created_at": None}
            # One serializer for all: making its fields anew for each of 10,000 rows takes longer than the rest.
            rows = BatchRowSerializer(result.rows, many=True).data
            shown["rows"] = [
                {**told, "row_id": None, "requisition": _known(row)}
                for told, row in zip(rows, result.rows, strict=True)
            ]
        return shown


def _known(row: BatchRow) -> str | None:
    return str(row.requisition_id) if row.requisition_id and not row.raised else None


def counted(draft: Draft) -> dict[str, int]:
    """How many rows of a draft are in which state."""
    counts = dict.fromkeys(BatchRowStatus.values, 0)
    for row in draft.rows:
        counts[row.status] += 1
    return counts


class BatchDetail(Showing):
    """Show a batch and how far it is."""

    rows, key, Output = staticmethod(batches_seen_by), "batch_id", BatchSerializer


class BatchRowFilter(FilterSet):
    status = AnyOf("status", BatchRowStatus.choices)
    payment_status = AnyOf("payment__status", PaymentStatus.choices)
    method = AnyOf("method", Method.choices)
    raised = BooleanFilter("raised")


class BatchRows(Listing):
    """List the rows of a batch with what came of each."""

    key, Output = "batch_id", BatchRowSerializer
    export = BATCH_ROWS
    filterset_class = BatchRowFilter
    ordering = ("number", "row_id")
    ordering_fields = ("number",)

    @staticmethod
    def rows(user: Any) -> Any:
        return batches_seen_by(user)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return BatchRow.objects.none()
        batch = get_object_or_404(self.rows(self.user), pk=self.kwargs[self.key])
        return batch_rows_seen_by(self.user).filter(batch=batch)


class BatchHistory(History):
    """Read what happened to a batch, oldest first."""

    rows, key, noun = staticmethod(batches_seen_by), "batch_id", "treasury.batch"
