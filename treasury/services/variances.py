"""Variances: the payee got another amount than the books say; a second person lets the books follow."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.models import Side, User
from ledger.money import format_amount, parse_amount
from ledger.refusals import Conflict, InvalidInput, RoleRequired
from ledger.services import posting
from ledger.services.posting import Line, Posting
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import Payment, VarianceAdjustment
from treasury.selectors import paid_amount
from treasury.services.noting import note
from treasury.services.replenishment import request_if_low
from treasury.services.step_up import require_step_up
from treasury.services.telling import tell_variance
from treasury.states import PAID_PAYMENTS, VARIANCE, VarianceStatus, require_transition
from treasury.texts import require_text

Amount = str | int | Decimal
APPROVED = ("status", "approved_by", "approved_at", "approved_for", "delegation")


class StaleAmount(Conflict):
    """The books say another amount by now than the variance starts from."""

    code = "stale_amount"
    title = "Stale amount"


class VariancePending(Conflict):
    """The payment has a variance that nobody has decided yet."""

    code = "variance_pending"
    title = "Variance pending"


class NotPaid(Conflict):
    """Only what was paid can have been paid in another amount."""

    code = "not_paid"
    title = "Not paid"


@command("payment.record_variance")
def record_variance(
    *,
    actor: Actor,
    payment_id: UUID,
    original_amount: Amount,
    adjusted_amount: Amount,
    reason: str,
) -> VarianceAdjustment:
    """Record that the payee got ``adjusted_amount`` and not ``original_amount``; nothing is posted yet.

    ``original_amount`` is what the books say now; ``adjusted_amount`` may be zero. By a treasurer or a
    reconciler, on a payment that is success or reconciled. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput``, ``NotPaid``, ``VariancePending``, ``StaleAmount``.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_record_variance(actor, payment)
    original = parse_amount(original_amount, payment.currency, field="original_amount")
    adjusted = _adjusted(adjusted_amount, payment.currency)
    if adjusted == original:
        message = "This is what the books say already."
        raise InvalidInput.on("adjusted_amount", message, code="no_variance")
    reason = require_text(reason, field="reason")
    _require_paid(payment)
    if payment.variances.filter(status=VarianceStatus.PENDING).exists():
        raise VariancePending("A variance of this payment is still undecided.")
    _require_current(payment, original)
    variance = VarianceAdjustment(
        payment=payment,
        company_id=payment.company_id,
        currency=payment.currency,
        original_amount=original,
        adjusted_amount=adjusted,
        variance_amount=adjusted - original,
        reason=reason,
        recorded_by=_person(actor),
    )
    variance.save(force_insert=True)
    variance.refresh_from_db(fields=["created_at"])
    _record(actor, "variance.record", variance, before=None)
    tell_variance(variance)
    return variance


@command("variance.approve")
def approve_variance(*, actor: Actor, variance_id: UUID, today: Today) -> VarianceAdjustment:
    """Let the books follow: a positive variance takes money from the fund, a negative one returns it.

    Posted with today's date; the payment's status stays. By a CFO who did not record it. Raises
    ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``, ``IllegalTransition``, ``NotPaid``,
    ``StaleAmount``, ``InsufficientFunds``.
    """
    variance = locks.lock_variance(variance_id)
    authority = next(iter(duties.may_approve_variance(actor, variance)), None)
    _require_step(variance, VarianceStatus.APPROVED)
    require_step_up(
        actor,
        company_id=variance.company_id,
        currency=variance.currency,
        amount=abs(variance.variance_amount),
    )
    payment = variance.payment
    _require_paid(payment)
    _require_current(payment, variance.original_amount)
    before = variance_facts(variance)
    variance.journal_entry_id = _post(variance, actor, today)
    variance.status = VarianceStatus.APPROVED
    variance.approved_by = _person(actor)
    variance.approved_at = database_now()
    if authority and authority.delegation:
        variance.approved_for_id = authority.on_behalf_of_id
        variance.delegation = authority.delegation
    variance.save(update_fields=[*APPROVED, "journal_entry"])
    more = authority.facts() if authority else {}
    _record(actor, "variance.approve", variance, before=before, more=more)
    tell_variance(variance)
    request_if_low(payment.fund, actor)
    return variance


@command("variance.reject")
def reject_variance(*, actor: Actor, variance_id: UUID, reason: str) -> VarianceAdjustment:
    """Refuse a variance, saying why; the books stay as they are. By a CFO who did not record it.

    Raises ``NotFound``, ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``, ``IllegalTransition``.
    """
    variance = locks.lock_variance(variance_id)
    ways = duties.may_reject_variance(actor, variance)
    reason = require_text(reason, field="reason")
    _require_step(variance, VarianceStatus.REJECTED)
    before = variance_facts(variance)
    variance.status = VarianceStatus.REJECTED
    variance.rejected_by = _person(actor)
    variance.rejected_at = database_now()
    variance.rejection_reason = reason
    variance.save(update_fields=["status", "rejected_by", "rejected_at", "rejection_reason"])
    _record(actor, "variance.reject", variance, before=before, more=ways[0].facts())
    tell_variance(variance)
    return variance


def variance_facts(variance: VarianceAdjustment) -> dict[str, Any]:
    """Return the variance as the audit trail keeps it."""
    currency = variance.currency
    return {
        "status": str(variance.status),
        "payment": str(variance.payment_id),
        "original_amount": format_amount(variance.original_amount, currency),
        "adjusted_amount": format_amount(variance.adjusted_amount, currency),
        "currency": currency,
        "reason": variance.reason,
        "rejection_reason": variance.rejection_reason,
    }


def _adjusted(value: Amount, currency: str) -> Decimal:
    """Read what the payee got, which may be nothing."""
    if value in (0, "0") or (isinstance(value, str) and value.strip("0") == "."):
        return Decimal(0)
    return parse_amount(value, currency, field="adjusted_amount")


def _require_paid(payment: Payment) -> None:
    if payment.status not in PAID_PAYMENTS:
        raise NotPaid(f"A payment that is {payment.status} has no variance.")


def _require_current(payment: Payment, original: Decimal) -> None:
    paid = paid_amount(payment)
    if paid != original:
        shown = format_amount(paid, payment.currency)
        raise StaleAmount(f"The books say {payment.currency} {shown} now.")


def _post(variance: VarianceAdjustment, actor: Actor, today: Today) -> UUID:
    fund, amount = variance.payment.fund, abs(variance.variance_amount)
    requisition = variance.payment.requisition
    # What was raised for something is settled with it, to the amount that the payee got.
    other_account = requisition.debit_account_id or fund.variance_account_id
    takes = variance.variance_amount > 0
    fund_side, other_side = (Side.CREDIT, Side.DEBIT) if takes else (Side.DEBIT, Side.CREDIT)
    return posting.post(
        Posting(
            company_id=variance.company_id,
            reference=variance.reference,
            description=f"Variance of a payment to {requisition.payee_name}",
            effective_on=today(fund.company),
            lines=(
                Line(other_account, other_side, amount, variance.currency),
                Line(fund.account_id, fund_side, amount, variance.currency),
            ),
            posted_by_id=actor.user_id,
        )
    )


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise RoleRequired("A variance is recorded and decided by people.")
    return actor.user


def _require_step(variance: VarianceAdjustment, target: VarianceStatus) -> None:
    require_transition(VARIANCE, variance.status, target, noun="variance")


def _record(
    actor: Actor,
    action: str,
    variance: VarianceAdjustment,
    *,
    before: dict[str, Any] | None,
    more: dict[str, str] | None = None,
) -> None:
    note(actor, action, variance, variance_facts(variance) | (more or {}), before=before)
