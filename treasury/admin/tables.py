"""Tables that several pages of treasury show."""

from collections.abc import Iterable
from typing import Any

from ledger.admin import cells
from ledger.admin.cells import Cell
from ledger.admin.pages import Table
from treasury.admin import tones
from treasury.models import (
    Batch,
    Payment,
    Question,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    VarianceAdjustment,
)

FIGURES = frozenset({"Amount", "Original", "Adjusted", "Difference"})


def requisitions_table(rows: Iterable[Requisition]) -> Table:
    return Table(
        ("Payee", "Purpose", "Amount", "Status", "Requested by", "Requested"),
        [
            (
                cells.link(row, row.payee_name),
                cells.text(row.purpose),
                cells.amount(row.amount, row.currency),
                tones.status_badge(row, tones.REQUISITION),
                cells.text(row.requested_by),
                cells.instant(row.requested_at, row.company),
            )
            for row in rows
        ],
        FIGURES,
    )


def own_requisitions_table(rows: Iterable[Requisition]) -> Table:
    """The person's own: by whom, he knows."""
    return Table(
        ("Payee", "Purpose", "Amount", "Status", "Requested"),
        [
            (
                cells.link(row, row.payee_name),
                cells.text(row.purpose),
                cells.amount(row.amount, row.currency),
                tones.status_badge(row, tones.REQUISITION),
                cells.instant(row.requested_at, row.company),
            )
            for row in rows
        ],
        FIGURES,
    )


def questions_table(rows: Iterable[Question]) -> Table:
    return Table(
        ("Asked by", "Question", "Asked"),
        [
            (
                cells.text(row.asked_by),
                cells.text(row.text),
                cells.instant(row.asked_at, row.company),
            )
            for row in rows
        ],
    )


def batches_table(rows: Iterable[Batch]) -> Table:
    return Table(
        ("Batch", "Payments", "Amount", "Status", "Fund", "Made by", "Made"),
        [
            (
                cells.link(row, row.name),
                cells.text(f"{row.count:,}"),
                cells.amount(row.total, row.currency),
                tones.status_badge(row, tones.BATCH),
                cells.text(row.fund.name),
                cells.text(row.created_by),
                cells.instant(row.created_at, row.company),
            )
            for row in rows
        ],
        FIGURES,
    )


def payments_table(rows: Iterable[Payment]) -> Table:
    return Table(
        ("Payee", "Method", "Amount", "Status", "Executor", "Made"),
        [
            (
                cells.link(row, row.requisition.payee_name),
                tones.method_badge(row),
                cells.amount(row.amount, row.currency),
                tones.status_badge(row, tones.PAYMENT),
                cells.text(row.executor),
                cells.instant(row.created_at, row.company),
            )
            for row in rows
        ],
        FIGURES,
    )


def approvals_table(rows: Iterable[RequisitionApproval], requisition: Requisition) -> Table:
    return Table(
        ("Approved by", "As", "Approved", "Comment", "For"),
        [
            (
                cells.text(row.approver, f"for {row.on_behalf_of}" if row.on_behalf_of else ""),
                cells.Badge(row.get_role_display(), "good"),
                cells.instant(row.approved_at, requisition.company),
                cells.text(row.comment),
                _version(row, requisition),
            )
            for row in rows
        ],
    )


def _version(approval: RequisitionApproval, requisition: Requisition) -> Cell:
    current = approval.version == requisition.version
    note = "" if current else "void: it was edited since"
    return cells.text(f"version {approval.version}", note)


def variances_table(rows: Iterable[VarianceAdjustment]) -> Table:
    return Table(
        ("Variance", "Original", "Adjusted", "Difference", "Status", "Recorded by", "Decided by"),
        [
            (
                cells.link(row, row.reason),
                cells.amount(row.original_amount, row.currency),
                cells.amount(row.adjusted_amount, row.currency),
                cells.amount(row.variance_amount, row.currency),
                tones.status_badge(row, tones.VARIANCE),
                cells.text(row.recorded_by),
                cells.text(row.approved_by or row.rejected_by),
            )
            for row in rows
        ],
        FIGURES,
    )


def replenishments_table(rows: Iterable[ReplenishmentRequest]) -> Table:
    return Table(
        ("Asked", "Fund", "Amount", "Status", "Asked by", "Reason"),
        [
            (
                cells.Link(_when(row), cells.page_of(row)),
                cells.text(row.fund.name),
                cells.amount(row.requested_amount, row.currency),
                tones.status_badge(row, tones.REPLENISHMENT),
                cells.text(row.requested_by or "The fund itself"),
                cells.text(row.reason),
            )
            for row in rows
        ],
        FIGURES,
    )


def _when(row: Any) -> str:
    return cells.Instant(row.created_at, row.company.time_zone).text
