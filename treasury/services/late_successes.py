"""Ending a success that came after a failure: two people say where the money is.

When the gateway says so, its amount stands in suspense against what is owed to the gateway (``outcomes``).
Recognised, that posting is taken back and the payment is booked as paid; returned, it is taken back and the
fund never paid.
"""

from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.models import JournalEntry, Side, User
from ledger.refusals import Conflict, InvalidInput
from ledger.services import posting
from ledger.services.posting import Line, Posting
from treasury import duties, late_successes, locks
from treasury.dates import Today
from treasury.models import Incident, LateSuccess, Payment, PaymentAttempt
from treasury.services import findings
from treasury.services.codes import void_codes
from treasury.services.noting import note_payment
from treasury.services.outcomes import LONGEST_STATUS
from treasury.services.payments import take_day_away
from treasury.services.resolution import ResolutionDiffers
from treasury.services.settlement import Proof, settle
from treasury.states import PaymentStatus
from treasury.texts import readable, require_text

# A payment that can still become paid by what was paid; any other has its own end already.
BECOMES_PAID = frozenset({PaymentStatus.PENDING, PaymentStatus.FAILED})


class NoLateSuccess(Conflict):
    """No attempt of the payment succeeded after it had failed, or two people have ended that."""

    code = "no_late_success"
    title = "No late success"


@command("payment.clear_late_success")
def clear_late_success(
    *, actor: Actor, payment_id: UUID, outcome: str, evidence: str, today: Today
) -> Payment:
    """Propose how a late success ends, or confirm what another person proposed; returns the payment.

    ``outcome`` is recognised (the payee has it: a pending or failed payment becomes paid) or returned (the
    provider gave it back: the payment may be tried again). Proposed by a treasurer or CFO, confirmed by a
    CFO, never by its requester, nor confirmed by its executor. Raises ``RoleRequired``,
    ``SegregationOfDuties``, ``InvalidInput``, ``NoLateSuccess``, ``ResolutionDiffers``,
    ``InsufficientFunds`` where the fund has less than what was paid.
    """
    payment = locks.lock_payment(payment_id)
    user = duties.may_clear_late_success(actor, payment)
    if outcome not in LateSuccess.Outcome.values:
        raise InvalidInput.on("outcome", "This is either recognised or returned.")
    text = require_text(evidence, field="evidence")
    incident = late_successes.undecided(payment.incidents.all()).first()
    if incident is None:
        raise NoLateSuccess("There is no success after a failure to decide about.")
    proposal = locks.lock_open_late_success(incident)
    if proposal is None or not findings.by_second_person(proposal, user):
        _propose(payment, incident, proposal, outcome=outcome, evidence=text, user=user)
        _note(actor, "payment.propose_late_success", payment, outcome, text)
        return payment
    if proposal.outcome != outcome:
        raise ResolutionDiffers(f"Another person proposed {proposal.outcome}.")
    findings.confirm(proposal, user=user, evidence=text)
    _end(payment, incident, outcome, today, actor, user)
    _note(actor, "payment.clear_late_success", payment, outcome, text)
    return payment


def _propose(
    payment: Payment,
    incident: Incident,
    earlier: LateSuccess | None,
    *,
    outcome: str,
    evidence: str,
    user: User,
) -> None:
    finding = LateSuccess(
        payment=payment,
        attempt=incident.attempt,
        incident=incident,
        company_id=payment.company_id,
        requester_id=payment.requester_id,
        executor_id=incident.attempt.executor_id,
        outcome=outcome,
        evidence=evidence,
    )
    same = earlier is not None and earlier.outcome == outcome
    findings.propose(finding, earlier=earlier, user=user, same=same)


def _end(
    payment: Payment,
    incident: Incident,
    outcome: str,
    today: Today,
    actor: Actor,
    user: User,
) -> None:
    attempt = incident.attempt
    reference = f"{attempt.hold_reference}:late_success"
    posting.reverse(
        journal_entry_id=JournalEntry.objects.values_list("pk", flat=True).get(reference=reference),
        reference=f"{reference}:{outcome}",
        description=f"Success after failure, {outcome}",
        effective_on=today(payment.fund.company),
        posted_by_id=user.pk,
    )
    if outcome == LateSuccess.Outcome.RETURNED:
        return
    if payment.status in BECOMES_PAID and payment.amount == attempt.amount:
        _settle(payment, incident, today, actor)
    else:
        _spend(payment, attempt, today, user)


def _settle(payment: Payment, incident: Incident, today: Today, actor: Actor) -> None:
    """The payment is the one that was paid, after all, by whoever executed that attempt."""
    attempt = incident.attempt
    void_codes(payment)
    if payment.status == PaymentStatus.PENDING:
        take_day_away(payment)  # it has left: no day is too early for it
    proof = Proof(
        executor_id=attempt.executor_id,
        ip_address=attempt.ip_address,
        user_agent=attempt.user_agent,
        code=attempt.code,
        batch_code=attempt.batch_code,
        gateway_reference=attempt.gateway_reference,
        gateway_status=readable(incident.detail, longest=LONGEST_STATUS),
    )
    settle(payment, proof=proof, on=today(payment.fund.company), actor=actor)


def _spend(payment: Payment, attempt: PaymentAttempt, today: Today, user: User) -> None:
    """The payment has ended otherwise or is another by now: this was spent besides, its status stays."""
    fund = payment.fund
    posting.post(
        Posting(
            company_id=payment.company_id,
            reference=f"{attempt.hold_reference}:late_success:spent",
            description=f"Paid besides to {payment.requisition.payee_name}",
            effective_on=today(fund.company),
            lines=(
                Line(payment.debited_account_id, Side.DEBIT, attempt.amount, attempt.currency),
                Line(fund.account_id, Side.CREDIT, attempt.amount, attempt.currency),
            ),
            posted_by_id=user.pk,
        )
    )


def _note(actor: Actor, action: str, payment: Payment, outcome: str, evidence: str) -> None:
    more = {"outcome": outcome, "evidence": evidence}
    note_payment(actor, action, payment, before=None, more=more)
