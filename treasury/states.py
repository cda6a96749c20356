"""The statuses of treasury, and which may follow which.

Each table maps a status to the ones that may come next; the empty text stands for a row that is not there
yet. Services ask ``require_transition``; migrations hand the same tables to the trigger that guards the
column, so that Python and PostgreSQL refuse alike.
"""

from collections.abc import Mapping, Set

from django.db import models

from ledger.refusals import IllegalTransition

Transitions = Mapping[str, Set[str]]


class RequisitionStatus(models.TextChoices):
    SUBMITTED = "submitted", "Submitted"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    PAID = "paid", "Paid"


class RequisitionStage(models.TextChoices):
    """What statuses have in common for whoever looks for some: an approved requisition is still so once paid."""

    WAITING = "waiting", "Waiting"
    AGREED = "agreed", "Agreed"
    WITHDRAWN = "withdrawn", "Withdrawn"


class PaymentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    EXECUTING = "executing", "Executing"
    SUCCESS = "success", "Success"
    FAILED = "failed", "Failed"
    RECONCILED = "reconciled", "Reconciled"
    UNKNOWN = "unknown", "Unknown"
    REVIEW = "review", "Review"
    CANCELLED = "cancelled", "Cancelled"
    REVERSED = "reversed", "Reversed"


class AttemptState(models.TextChoices):
    WAITING = "waiting", "Waiting for a file"
    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted"
    UNKNOWN = "unknown", "Unknown"
    REVIEW = "review", "Review"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class VarianceStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class ReplenishmentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    FUNDED = "funded", "Funded"
    REJECTED = "rejected", "Rejected"


class BatchStatus(models.TextChoices):
    SUBMITTED = "submitted", "Submitted"
    APPROVED = "approved", "Approved"
    EXECUTING = "executing", "Executing"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class BatchRowStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Carried out"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"


REQUISITION: Transitions = {
    "": {"submitted"},
    "submitted": {"approved", "rejected", "cancelled"},
    # An edit sends it back; its approvals were for the version before.
    "approved": {"submitted", "cancelled", "paid"},
    "rejected": set(),
    "cancelled": set(),
    # The money of a payment came back: it may be paid again.
    "paid": {"approved"},
}

PAYMENT: Transitions = {
    "": {"pending"},
    # Cash has nothing between reserving and settling: it goes straight to success.
    "pending": {"executing", "success", "cancelled"},
    "executing": {"success", "failed", "unknown", "review"},
    # Back to executing when the gateway knows nothing of it and the same reference is sent again.
    "unknown": {"executing", "success", "failed", "review"},
    "review": {"success", "failed"},
    # To success only where two people recognise that it was paid after all.
    "failed": {"pending", "cancelled", "success"},
    "success": {"reconciled", "reversed"},
    "reconciled": {"reversed"},
    "cancelled": set(),
    "reversed": set(),
}

ATTEMPT: Transitions = {
    # What goes by file waits for one; it is accepted with the file that holds it.
    "": {"sending", "waiting"},
    "waiting": {"accepted", "review", "failed"},
    "sending": {"accepted", "unknown", "review", "succeeded", "failed"},
    "accepted": {"unknown", "review", "succeeded", "failed"},
    "unknown": {"sending", "review", "succeeded", "failed"},
    "review": {"succeeded", "failed"},
    "succeeded": set(),
    "failed": set(),
}

VARIANCE: Transitions = {
    "": {"pending"},
    "pending": {"approved", "rejected"},
    "approved": set(),
    "rejected": set(),
}

REPLENISHMENT: Transitions = {
    "": {"pending"},
    "pending": {"approved", "rejected"},
    "approved": {"funded", "rejected"},
    "funded": set(),
    "rejected": set(),
}

BATCH: Transitions = {
    "": {"submitted"},
    "submitted": {"approved", "cancelled"},
    # Back to submitted when what was approved has changed.
    "approved": {"submitted", "executing", "cancelled"},
    "executing": {"paused", "completed", "cancelled"},
    "paused": {"executing", "cancelled"},
    "completed": set(),
    "cancelled": set(),
}

BATCH_ROW: Transitions = {
    "": {"waiting", "refused"},
    "waiting": {"done", "refused", "cancelled"},
    "done": set(),
    "refused": set(),
    "cancelled": set(),
}

# The money of these payments counts against what was approved; a failed one may be tried again until it
# is cancelled.
LIVE_PAYMENTS = frozenset(PaymentStatus) - {PaymentStatus.CANCELLED, PaymentStatus.REVERSED}
# The payee has this money.
PAID_PAYMENTS = frozenset({PaymentStatus.SUCCESS, PaymentStatus.RECONCILED})
# The gateway may have this money: the hold stays.
OPEN_PAYMENTS = frozenset({PaymentStatus.EXECUTING, PaymentStatus.UNKNOWN, PaymentStatus.REVIEW})
LIVE_ATTEMPTS = frozenset(AttemptState) - {AttemptState.SUCCEEDED, AttemptState.FAILED}
# Rows of these batches may still be paid.
LIVE_BATCHES = frozenset(BatchStatus) - {BatchStatus.COMPLETED, BatchStatus.CANCELLED}
OPEN_REPLENISHMENTS = frozenset({ReplenishmentStatus.PENDING, ReplenishmentStatus.APPROVED})


def require_transition(transitions: Transitions, source: str, target: str, *, noun: str) -> None:
    """Raise ``IllegalTransition`` (409) unless ``source`` may become ``target``; ``noun`` is for people."""
    if target not in transitions.get(source, frozenset()):
        raise IllegalTransition(f"A {noun} that is {source} cannot become {target}.")
