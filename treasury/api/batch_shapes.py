"""How batches and their rows are shown."""

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.api.serializers import Output
from treasury.models import Batch, BatchApproval, BatchRow
from treasury.states import BatchRowStatus, PaymentStatus


class BatchApprovalSerializer(Output):
    approver_name = serializers.CharField(source="approver", read_only=True)

    class Meta:
        model = BatchApproval
        fields = (
            "approver", "approver_name", "role", "on_behalf_of", "comment", "set_hash", "approved_at",
        )  # fmt: skip


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
    risk = serializers.IntegerField(
        source="requisition.risk", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = BatchRow
        fields = (
            "row_id", "number", "status", "requisition", "raised", "payment", "payment_status",
            "payee_name", "method", "destination_shown", "amount", "currency", "reference",
            "scheduled_for", "risk",
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
