"""The colour of each status; its word stands beside it."""

from collections.abc import Mapping
from typing import Any

from ledger.admin.cells import Badge, Tone

REQUISITION: Mapping[str, Tone] = {
    "submitted": "careful",
    "approved": "busy",
    "rejected": "bad",
    "cancelled": "quiet",
    "paid": "good",
}
PAYMENT: Mapping[str, Tone] = {
    "pending": "careful",
    "executing": "busy",
    "success": "good",
    "failed": "bad",
    "reconciled": "good",
    "unknown": "careful",
    "review": "bad",
    "cancelled": "quiet",
    "reversed": "quiet",
}
ATTEMPT: Mapping[str, Tone] = {
    "waiting": "careful",
    "sending": "busy",
    "accepted": "busy",
    "unknown": "careful",
    "review": "bad",
    "succeeded": "good",
    "failed": "bad",
}
VARIANCE: Mapping[str, Tone] = {"pending": "careful", "approved": "good", "rejected": "bad"}
REPLENISHMENT: Mapping[str, Tone] = {
    "pending": "careful",
    "approved": "busy",
    "funded": "good",
    "rejected": "bad",
}
BATCH: Mapping[str, Tone] = {
    "submitted": "careful",
    "approved": "busy",
    "executing": "busy",
    "paused": "careful",
    "completed": "good",
    "cancelled": "quiet",
}
BATCH_ROW: Mapping[str, Tone] = {
    "waiting": "careful",
    "done": "good",
    "refused": "bad",
    "cancelled": "quiet",
}
METHOD: Mapping[str, Tone] = {"mpesa": "good", "bank": "busy", "cash": "careful"}


def status_badge(row: Any, tones: Mapping[str, Tone]) -> Badge:
    return Badge(row.get_status_display(), tones.get(row.status, "quiet"))


def method_badge(row: Any) -> Badge:
    return Badge(row.get_method_display(), METHOD.get(row.method, "quiet"))
