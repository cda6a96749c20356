"""The two ends of a payment: settled, or released. Plain functions inside a command, on locked rows."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger import audit
from ledger.actor import Actor
from ledger.commands import require_transaction
from ledger.models import Side
from ledger.services import posting
from ledger.services.posting import Line, Posting
from treasury.limits import limits_refuse
from treasury.models import OneTimeCode, Payment, PaymentAttempt, PaymentExecution
from treasury.services.facts import payment_facts
from treasury.services.replenishment import request_if_low
from treasury.services.telling import tell_payment, tell_requisition
from treasury.states import (
    PAID_PAYMENTS,
    PAYMENT,
    PaymentStatus,
    RequisitionStatus,
    require_transition,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the execution record keeps: who executed from where, the code he verified, the receipt.

    ``releases`` is the reference of the hold that ends with the posting, None where nothing was held.
    """

    executor_id: UUID
    ip_address: str | None
    user_agent: str
    code: OneTimeCode | None
    gateway_reference: str = ""
    gateway_status: str = ""
    releases: str | None = None


def settle(payment: Payment, *, proof: Proof, on: date, actor: Actor) -> PaymentExecution:
    """Book a locked payment as paid on the civil date ``on``, and return its execution.

    Posts, writes the execution, marks payment and requisition, and asks for a replenishment when the fund
    runs low. Raises ``VelocityLimit``, ``CoolingOff`` and ``InsufficientFunds`` where nothing was reserved.
    """
    require_transaction()
    require_transition(PAYMENT, payment.status, PaymentStatus.SUCCESS, noun="payment")
    before = payment_facts(payment)
    payment.status = PaymentStatus.SUCCESS
    payment.executor_id = proof.executor_id
    payment.last_error = ""
    # What was reserved was counted on the day it was reserved.
    payment.spent_on = payment.spent_on or on
    with limits_refuse(payment):
        payment.save(update_fields=["status", "executor", "last_error", "spent_on"])
    entry_id = _post(payment, proof, on)
    execution = _write_execution(payment, proof, entry_id)
    tell_payment(payment)
    _mark_requisition_paid(payment)
    audit.record(
        actor=actor,
        action="payment.settle",
        subject=payment.reference,
        company_id=payment.company_id,
        before=before,
        after=payment_facts(payment),
    )
    request_if_low(payment.fund, actor)
    return execution


def release(
    payment: Payment, attempt: PaymentAttempt, *, error: str, burns_retry: bool, actor: Actor
) -> None:
    """Give a locked payment's held money back to its fund: it failed, nothing is in the books."""
    require_transaction()
    require_transition(PAYMENT, payment.status, PaymentStatus.FAILED, noun="payment")
    before = payment_facts(payment)
    posting.release(reference=attempt.hold_reference)
    payment.status = PaymentStatus.FAILED
    payment.last_error = error
    payment.retry_count += int(burns_retry)
    payment.spent_on = None
    payment.save(update_fields=["status", "last_error", "retry_count", "spent_on"])
    tell_payment(payment)
    audit.record(
        actor=actor,
        action="payment.fail",
        subject=payment.reference,
        company_id=payment.company_id,
        before=before,
        after=payment_facts(payment),
    )


def _post(payment: Payment, proof: Proof, on: date) -> UUID:
    fund = payment.fund
    return posting.post(
        Posting(
            company_id=payment.company_id,
            reference=payment.reference,
            description=f"Payment to {payment.requisition.payee_name}",
            effective_on=on,
            lines=(
                _line(fund.spending_account_id, Side.DEBIT, payment),
                _line(fund.account_id, Side.CREDIT, payment),
            ),
            posted_by_id=proof.executor_id,
            releases=proof.releases,
        )
    )


def _line(account_id: UUID, side: Side, payment: Payment) -> Line:
    return Line(account_id, side, payment.amount, payment.currency)


def _write_execution(payment: Payment, proof: Proof, entry_id: UUID) -> PaymentExecution:
    code = proof.code
    execution = PaymentExecution(
        payment=payment,
        company_id=payment.company_id,
        requester_id=payment.requester_id,
        executor_id=proof.executor_id,
        gateway_reference=proof.gateway_reference,
        gateway_status=proof.gateway_status,
        otp_verified_at=code.verified_at if code else None,
        otp_verified_by_id=code.executor_id if code else None,
        ip_address=proof.ip_address,
        user_agent=proof.user_agent,
        journal_entry_id=entry_id,
    )
    execution.save(force_insert=True)
    return execution


def _mark_requisition_paid(payment: Payment) -> None:
    """A requisition is paid once payments that went out come to its whole amount."""
    requisition = payment.requisition
    if requisition.status != RequisitionStatus.APPROVED:
        return
    paid = payment.amount
    if paid != requisition.amount:
        amounts = requisition.payments.filter(status__in=PAID_PAYMENTS).values_list(
            "amount", flat=True
        )
        paid = sum(amounts, start=paid * 0)
    if paid == requisition.amount:
        requisition.status = RequisitionStatus.PAID
        requisition.save(update_fields=["status"])
        tell_requisition(requisition)
