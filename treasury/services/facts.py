"""What the audit trail keeps of requisitions, payments and attempts: enough to retell, nothing secret."""

from typing import Any

from ledger.encryption import mask
from ledger.money import format_amount
from treasury.models import Payment, PaymentAttempt, Requisition


def requisition_facts(requisition: Requisition) -> dict[str, Any]:
    """Return the requisition as the audit trail keeps it, its destination masked."""
    raised = {"source": requisition.source} if requisition.source else {}
    if requisition.debit_account_id:
        raised["debit_account"] = str(requisition.debit_account_id)
    return {
        "status": str(requisition.status),
        "version": requisition.version,
        "amount": format_amount(requisition.amount, requisition.currency),
        "currency": requisition.currency,
        "purpose": requisition.purpose,
        "payee_name": requisition.payee_name,
        "payee_note": requisition.payee_note,
        "method": str(requisition.method),
        "destination": mask(requisition.destination),
        **raised,
    }


def payment_facts(payment: Payment) -> dict[str, Any]:
    """Return the payment as the audit trail keeps it, its destination masked."""
    return {
        "status": str(payment.status),
        "version": payment.version,
        "amount": format_amount(payment.amount, payment.currency),
        "currency": payment.currency,
        "method": str(payment.method),
        "destination": mask(payment.destination),
        "executor": str(payment.executor_id) if payment.executor_id else None,
        "otp_verified": payment.otp_verified,
        "retry_count": payment.retry_count,
        "max_retries": payment.max_retries,
        "last_error": payment.last_error,
        "scheduled_for": str(payment.scheduled_for) if payment.scheduled_for else None,
        "retry_at": payment.retry_at.isoformat() if payment.retry_at else None,
    }


def attempt_facts(attempt: PaymentAttempt) -> dict[str, Any]:
    """Return the attempt as the audit trail keeps it."""
    return {
        "attempt": attempt.number,
        "reference": str(attempt.reference),
        "state": str(attempt.state),
        "gateway_reference": attempt.gateway_reference,
        "gateway_status": attempt.gateway_status,
    }
