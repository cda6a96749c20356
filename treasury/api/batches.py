"""Batches: many payments made, approved, confirmed and executed as one set."""

from typing import Any, ClassVar

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
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
from ledger.api.resource import Doing, History, Listing, Making, Showing
from ledger.api.serializers import Input, Output
from ledger.roles import Role
from treasury import duties
from treasury.api.payment_actions import OtpInput
from treasury.methods import Method
from treasury.models import Batch, BatchApproval, BatchRow
from treasury.selectors import (
    batch_rows_seen_by,
    batches_awaiting,
    batches_seen_by,
    funds_seen_by,
)
from treasury.services.batch_approval import approve_batch, needed_roles
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import execute_batch, pause_batch, resume_batch
from treasury.services.batches import Draft, Upload, cancel_batch, create_batch
from treasury.sheets import MOST_ROWS
from treasury.states import BatchRowStatus, BatchStatus, PaymentStatus


class BatchApprovalSerializer(Output):
    approver_name = serializers.CharField(source="approver", read_only=True)

    class Meta:
        model = BatchApproval
        fields = ("approver", "approver_name", "role", "comment", "set_hash", "approved_at")


class ProgressSerializer(serializers.Serializer):
    """How many rows are in which state."""

    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class WarningSerializer(serializers.Serializer):
    """Something to look at; it stops nothing."""

    code = serializers.CharField()
    message = serializers.CharField()
    requisition = serializers.CharField(required=False)


class BatchRowSerializer(Output):
    """A row; ``payment_status`` is what became of its payment, read from there."""

    payment_status = serializers.SerializerMethodField()
    warnings = WarningSerializer(many=True, read_only=True)

    class Meta:
        model = BatchRow
        fields = (
            "row_id", "number", "status", "requisition", "raised", "payment", "payment_status",
            "payee_name", "method", "destination_shown", "amount", "currency", "reference",
            "error_field", "error_code", "error_message", "warnings", "processed_at",
        )  # fmt: skip

    @extend_schema_field(serializers.ChoiceField(PaymentStatus.choices, allow_null=True))
    def get_payment_status(self, row: BatchRow) -> str | None:
        return row.payment.status if row.payment else None


class BatchSerializer(Output):
    """A batch; ``set_hash`` names the set that approvals and the code are bound to."""

    approvals = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = (
            "batch_id", "name", "fund", "company", "currency", "source", "file_hash", "status",
            "count", "total", "set_hash", "created_by", "created_at", "approvals", "approved_at",
            "executor", "started_at", "finished_at", "cancelled_by", "cancel_reason", "progress",
        )  # fmt: skip

    @extend_schema_field(BatchApprovalSerializer(many=True))
    def get_approvals(self, batch: Batch) -> Any:
        given = batch.all_approvals.all()
        current = [approval for approval in given if approval.set_hash == batch.set_hash]
        return BatchApprovalSerializer(current, many=True).data

    @extend_schema_field(ProgressSerializer())
    def get_progress(self, batch: Batch) -> Any:
        known: dict[Any, dict[str, int]] | None = self.context.get("progress")
        return (progress_of([batch]) if known is None else known)[batch.pk]


class BatchErrorSerializer(serializers.Serializer):
    """What is wrong with a row that cannot be paid."""

    row = serializers.IntegerField()
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class DraftSerializer(BatchSerializer):
    """A batch as it was made, or with ``dry_run`` as it would be: then without an id, and with its rows."""

    dry_run = serializers.SerializerMethodField()
    errors = BatchErrorSerializer(many=True, read_only=True)  # type: ignore[assignment]
    rows = BatchRowSerializer(many=True, read_only=True, required=False)

    class Meta(BatchSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *BatchSerializer.Meta.fields,
            *("dry_run", "errors", "rows"),
        )

    def get_dry_run(self, batch: Batch) -> bool:
        return batch._state.adding


def progress_of(batches: list[Batch]) -> dict[Any, dict[str, int]]:
    """Return for each batch how many rows are in which state; one query."""
    found = {batch.pk: dict.fromkeys(BatchRowStatus.values, 0) for batch in batches}
    rows = BatchRow.objects.filter(batch__in=list(found)).order_by()
    for pk, status, many in rows.values_list("batch", "status").annotate(many=Count("pk")):
        found[pk][status] = many
    return found


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
            shown["rows"] = [
                {**BatchRowSerializer(row).data, "row_id": None, "requisition": _known(row)}
                for row in result.rows
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


class BatchAction(Doing):
    """Something done with a batch."""

    rows, key, noun = staticmethod(batches_seen_by), "batch_id", "treasury.batch"
    Output: ClassVar[Any] = BatchSerializer
    refusals = {403: "role_required, segregation_of_duties", 409: "illegal_transition"}


class BatchApproveInput(Input):
    comment = TextField(required=False, allow_blank=True, max_length=2000)
    set_hash = TextField(
        required=False, max_length=64, help_text="The set that you looked at; another is refused."
    )


class BatchApprove(BatchAction):
    """Agree to a batch as it is now.

    A CFO does; where a row of a file lies above the company's tier, an approver as well, two persons.
    """

    action, Input = "batch.approve", BatchApproveInput
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, already_approved, batch_changed",
    }

    def permit(self, row: Batch) -> None:
        duties.may_approve_batch(self.actor, row, roles=needed_roles(row))

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return approve_batch(
            actor=self.actor,
            batch_id=row.pk,
            comment=data.get("comment", ""),
            seen_hash=data.get("set_hash"),
        )


class BatchSendOtp(BatchAction):
    """Become the executor of an approved batch and be sent one code for all of it."""

    action = "batch.send_otp"
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, no_email_address",
        429: "too_many_requests",
    }

    def permit(self, row: Batch) -> None:
        duties.may_execute_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return send_batch_otp(actor=self.actor, batch_id=row.pk)


class BatchVerifyOtp(BatchAction):
    """Give back the code that was sent; wrong, expired, used and locked codes are answered alike."""

    action, Input = "batch.verify_otp", OtpInput
    refusals = {
        400: "otp_invalid",
        403: "role_required, not_the_executor, segregation_of_duties",
    }

    def permit(self, row: Batch) -> None:
        duties.may_verify_batch_code(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return verify_batch_otp(actor=self.actor, batch_id=row.pk, **data)


class BatchExecute(BatchAction):
    """Execute a batch that was confirmed with a code.

    Workers carry it out row by row: ask for the batch and its rows until it is `completed`.
    """

    action, status_code = "batch.execute", 202
    refusals = {
        403: "role_required, segregation_of_duties",
        409: "illegal_transition, otp_required, batch_changed",
    }

    def permit(self, row: Batch) -> None:
        duties.may_execute_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return execute_batch(actor=self.actor, batch_id=row.pk)


class BatchPause(BatchAction):
    """Stop a batch after the rows that are being carried out."""

    action = "batch.pause"

    def permit(self, row: Batch) -> None:
        duties.may_pause_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return pause_batch(actor=self.actor, batch_id=row.pk)


class BatchResume(BatchAction):
    """Let a paused batch go on."""

    action, status_code = "batch.resume", 202

    def permit(self, row: Batch) -> None:
        duties.may_resume_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return resume_batch(actor=self.actor, batch_id=row.pk)


class CancelInput(Input):
    reason = TextField(required=False, allow_blank=True, max_length=2000)


class BatchCancel(BatchAction):
    """Cancel what of a batch was not carried out yet; what has gone out stays."""

    action, Input = "batch.cancel", CancelInput

    def permit(self, row: Batch) -> None:
        duties.may_cancel_batch(self.actor, row)

    def act(self, row: Batch, data: dict[str, Any]) -> Batch:
        return cancel_batch(actor=self.actor, batch_id=row.pk, **data)
