"""Taking a payment back in the books, once the money itself came back."""

from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Conflict
from ledger.services import posting
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import Payment, Reversal
from treasury.services import findings
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.services.telling import tell_payment, tell_requisition
from treasury.states import (
    PAYMENT,
    REQUISITION,
    PaymentStatus,
    RequisitionStatus,
    VarianceStatus,
    require_transition,
)
from treasury.texts import require_text


class VariancePending(Conflict):
    """A variance of the payment waits for its decision."""

    code = "variance_pending"
    title = "Variance pending"


@command("payment.reverse")
def reverse_payment(*, actor: Actor, payment_id: UUID, evidence: str, today: Today) -> Payment:
    """Say that a payment's money came back, or confirm what another said; returns the payment.

    Proposed by a treasurer, a reconciler or a CFO, confirmed by a CFO, by neither its requester nor, to confirm, its
    executor; ``evidence`` says how the return is known. Confirmed, the fund is credited by mirror entries
    dated today, variances included; nothing that was booked is changed. A paid requisition is approved again,
    for what came back may be paid again. Raises ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``,
    ``IllegalTransition``, ``VariancePending``.
    """
    payment = locks.lock_payment(payment_id)
    user = duties.may_reverse(actor, payment)
    text = require_text(evidence, field="evidence")
    require_transition(PAYMENT, payment.status, PaymentStatus.REVERSED, noun="payment")
    if payment.variances.filter(status=VarianceStatus.PENDING).exists():
        raise VariancePending("Decide on the variance of this payment first.")
    proposal = locks.lock_open_reversal(payment)
    if proposal is None or not findings.by_second_person(proposal, user):
        _propose(payment, proposal, text, user, actor)
        return payment
    before = payment_facts(payment)
    findings.confirm(proposal, user=user, evidence=text)
    _book_back(payment, today, user)
    payment.status = PaymentStatus.REVERSED
    payment.save(update_fields=["status"])
    tell_payment(payment)
    _reopen_requisition(payment)
    note_payment(actor, "payment.reverse", payment, before=before, more={"evidence": text})
    return payment


def _propose(
    payment: Payment, earlier: Reversal | None, evidence: str, user: User, actor: Actor
) -> None:
    reversal = Reversal(
        payment=payment,
        company_id=payment.company_id,
        requester_id=payment.requester_id,
        executor_id=payment.execution.executor_id,
        evidence=evidence,
    )
    findings.propose(reversal, earlier=earlier, user=user, same=True)
    more = {"evidence": evidence}
    note_payment(actor, "payment.propose_reversal", payment, before=None, more=more)


def _book_back(payment: Payment, today: Today, user: User) -> None:
    for number, entry_id in enumerate(_entries_of(payment), start=1):
        posting.reverse(
            journal_entry_id=entry_id,
            reference=f"{payment.reference}:reversal:{number}",
            description=f"Money came back from {payment.requisition.payee_name}",
            effective_on=today(payment.fund.company),
            posted_by_id=user.pk,
        )


def _reopen_requisition(payment: Payment) -> None:
    """What came back is left of the requisition again, under the approvals that it has."""
    requisition = payment.requisition
    if requisition.status != RequisitionStatus.PAID:
        return
    require_transition(
        REQUISITION, requisition.status, RequisitionStatus.APPROVED, noun="requisition"
    )
    requisition.status = RequisitionStatus.APPROVED
    requisition.save(update_fields=["status"])
    tell_requisition(requisition)


def _entries_of(payment: Payment) -> list[UUID]:
    """What the payment booked, its own entry first: with that money back, a correction can go out."""
    corrections = payment.variances.filter(journal_entry__isnull=False).order_by("created_at")
    return [
        payment.execution.journal_entry_id,
        *corrections.values_list("journal_entry", flat=True),
    ]
