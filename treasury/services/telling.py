"""Telling the outside what became of something: one event in the outbox, under the subject's lock.

What is told names things by their ids and says their status and amount; no destination, payee or purpose.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.money import format_amount
from ledger.outbox import publish, publish_many
from treasury.events import (
    BATCH_KINDS,
    PAYMENT_KINDS,
    REPLENISHMENT_KINDS,
    REQUISITION_KINDS,
    VARIANCE_KINDS,
)
from treasury.models import (
    Batch,
    Payment,
    ReplenishmentRequest,
    Requisition,
    VarianceAdjustment,
)
from treasury.states import (
    BatchStatus,
    PaymentStatus,
    ReplenishmentStatus,
    RequisitionStatus,
    VarianceStatus,
)


def tell_requisition(requisition: Requisition) -> None:
    """Write the event of the status that a locked or new requisition has now."""
    publish(
        kind=REQUISITION_KINDS[RequisitionStatus(requisition.status)],
        subject=requisition.reference,
        company_id=requisition.company_id,
        payload=_requisition_payload(requisition, requisition.status),
    )


def tell_requisitions(requisitions: Iterable[Requisition], status: RequisitionStatus) -> None:
    """Write for each locked or new requisition of one company that it is ``status`` now; one statement."""
    rows = list(requisitions)
    if rows:
        publish_many(
            kind=REQUISITION_KINDS[status],
            company_id=rows[0].company_id,
            events=[(row.reference, _requisition_payload(row, status)) for row in rows],
        )


def tell_payments(payments: Iterable[Payment], kind: str) -> None:
    """Write the event for each locked or new payment of one company, as it is now; one statement."""
    rows = list(payments)
    if rows:
        publish_many(
            kind=kind,
            company_id=rows[0].company_id,
            events=[(row.reference, payment_payload(row)) for row in rows],
        )


def tell_batch(batch: Batch, kind: str | None = None) -> None:
    """Write the event of the status that a locked or new batch has now, or of ``kind``."""
    publish(
        kind=kind or BATCH_KINDS[BatchStatus(batch.status)],
        subject=batch.reference,
        company_id=batch.company_id,
        payload={
            "batch_id": str(batch.pk),
            "count": batch.count,
            **_common(batch.status, batch.total, batch.currency, batch.fund_id),
        },
    )


def paid_requisition_payload(requisition: Requisition) -> dict[str, Any]:
    """Return what the event says of a requisition once it is paid."""
    return _requisition_payload(requisition, RequisitionStatus.PAID)


def _requisition_payload(requisition: Requisition, status: str) -> dict[str, Any]:
    return {
        "requisition_id": str(requisition.pk),
        "version": requisition.version,
        **_common(status, requisition.amount, requisition.currency, requisition.fund_id),
    }


def tell_payment(payment: Payment, kind: str | None = None) -> None:
    """Write the event of the status that a locked or new payment has now; a pending one needs ``kind``."""
    publish(
        kind=kind or PAYMENT_KINDS[PaymentStatus(payment.status)],
        subject=payment.reference,
        company_id=payment.company_id,
        payload=payment_payload(payment),
    )


def payment_payload(payment: Payment) -> dict[str, Any]:
    """Return what an event says of a payment."""
    return {
        "payment_id": str(payment.pk),
        "requisition": str(payment.requisition_id),
        "version": payment.version,
        "method": str(payment.method),
        **_common(payment.status, payment.amount, payment.currency, payment.fund_id),
    }


def tell_variance(variance: VarianceAdjustment) -> None:
    """Write the event of the status that a locked or new variance has now."""
    publish(
        kind=VARIANCE_KINDS[VarianceStatus(variance.status)],
        subject=variance.reference,
        company_id=variance.company_id,
        payload={
            "variance_id": str(variance.pk),
            "payment": str(variance.payment_id),
            **_common(
                variance.status,
                variance.variance_amount,
                variance.currency,
                variance.payment.fund_id,
            ),
        },
    )


def tell_replenishment(request: ReplenishmentRequest) -> None:
    """Write the event of the status that a locked or new replenishment request has now."""
    publish(
        kind=REPLENISHMENT_KINDS[ReplenishmentStatus(request.status)],
        subject=request.reference,
        company_id=request.company_id,
        payload={
            "request_id": str(request.pk),
            **_common(request.status, request.requested_amount, request.currency, request.fund_id),
        },
    )


def _common(status: str, amount: Decimal, currency: str, fund_id: UUID) -> dict[str, Any]:
    return {
        "status": str(status),
        "amount": format_amount(amount, currency),
        "currency": currency,
        "fund": str(fund_id),
    }
