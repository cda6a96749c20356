"""Which events treasury tells: a noun and what became of it."""

from treasury.states import (
    BatchStatus,
    PaymentStatus,
    ReplenishmentStatus,
    RequisitionStatus,
    VarianceStatus,
)

REQUISITION_KINDS = {
    RequisitionStatus.SUBMITTED: "requisition.submitted",
    RequisitionStatus.APPROVED: "requisition.approved",
    RequisitionStatus.REJECTED: "requisition.rejected",
    RequisitionStatus.CANCELLED: "requisition.cancelled",
    RequisitionStatus.PAID: "requisition.paid",
}
PAYMENT_KINDS = {
    PaymentStatus.EXECUTING: "payment.executing",
    PaymentStatus.SUCCESS: "payment.succeeded",
    PaymentStatus.FAILED: "payment.failed",
    PaymentStatus.UNKNOWN: "payment.unknown",
    PaymentStatus.REVIEW: "payment.review",
    PaymentStatus.CANCELLED: "payment.cancelled",
    PaymentStatus.RECONCILED: "payment.reconciled",
    PaymentStatus.REVERSED: "payment.reversed",
}
# How a payment comes to be pending, or changes while it is.
PAYMENT_CREATED = "payment.created"
PAYMENT_EDITED = "payment.edited"
PAYMENT_RETRIED = "payment.retried"
PAYMENT_SCHEDULED = "payment.scheduled"
VARIANCE_KINDS = {
    VarianceStatus.PENDING: "variance.recorded",
    VarianceStatus.APPROVED: "variance.approved",
    VarianceStatus.REJECTED: "variance.rejected",
}
REPLENISHMENT_KINDS = {
    ReplenishmentStatus.PENDING: "replenishment.requested",
    ReplenishmentStatus.APPROVED: "replenishment.approved",
    ReplenishmentStatus.FUNDED: "replenishment.funded",
    ReplenishmentStatus.REJECTED: "replenishment.rejected",
}
BATCH_KINDS = {
    BatchStatus.SUBMITTED: "batch.created",
    BatchStatus.APPROVED: "batch.approved",
    BatchStatus.EXECUTING: "batch.executing",
    BatchStatus.PAUSED: "batch.paused",
    BatchStatus.COMPLETED: "batch.completed",
    BatchStatus.CANCELLED: "batch.cancelled",
}
# Its set has changed: it waits for its approval again.
BATCH_VOIDED = "batch.voided"
KINDS = (
    *REQUISITION_KINDS.values(),
    *PAYMENT_KINDS.values(),
    *(PAYMENT_CREATED, PAYMENT_EDITED, PAYMENT_RETRIED, PAYMENT_SCHEDULED),
    *VARIANCE_KINDS.values(),
    *REPLENISHMENT_KINDS.values(),
    *BATCH_KINDS.values(),
    BATCH_VOIDED,
)
