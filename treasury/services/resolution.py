"""Ending a review: one person says what happened and why, another agrees."""

from dataclasses import dataclass
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Conflict, IllegalTransition, InvalidInput
from treasury import duties, locks, segregation
from treasury.dates import Today
from treasury.models import Payment, PaymentAttempt, Resolution
from treasury.services import outcomes
from treasury.services.noting import note_payment
from treasury.states import PaymentStatus
from treasury.texts import require_text


class ResolutionDiffers(Conflict):
    """Somebody proposed the other outcome; two people must agree."""

    code = "resolution_differs"
    title = "Another outcome is proposed"


@command("payment.resolve")
def resolve_payment(
    *, actor: Actor, payment_id: UUID, outcome: str, evidence: str, today: Today
) -> Payment:
    """Propose how a payment in review ended, or confirm what another person proposed.

    ``outcome`` is paid or not_paid, ``evidence`` says how that is known. By treasurers and CFOs, never the
    requester, and whoever executed it does not confirm. Confirmed, it is settled or released. Raises
    ``RoleRequired``, ``SegregationOfDuties``, ``InvalidInput``, ``IllegalTransition``, ``ResolutionDiffers``.
    """
    payment = locks.lock_payment(payment_id)
    user = duties.may_resolve(actor, payment)
    finding = _read(outcome, evidence)
    attempt = locks.lock_live_attempt(payment)
    proposal = locks.lock_open_resolution(payment)
    if payment.status != PaymentStatus.REVIEW or attempt is None:
        raise IllegalTransition("Only a payment in review is resolved.")
    attempt.payment = payment
    if proposal is not None and proposal.proposed_by_id != user.pk:
        _confirm(attempt, proposal, finding, user, actor, today)
        return payment
    if proposal is not None:
        _withdraw(proposal, finding, user)
    _propose(attempt, finding, user, actor)
    return payment


@dataclass(frozen=True, slots=True)
class Finding:
    """What a person says happened, and how he knows."""

    outcome: Resolution.Outcome
    evidence: str


def _read(outcome: str, evidence: str) -> Finding:
    if outcome not in Resolution.Outcome.values:
        raise InvalidInput.on("outcome", "This is either paid or not_paid.")
    return Finding(Resolution.Outcome(outcome), require_text(evidence, field="evidence"))


def _propose(attempt: PaymentAttempt, finding: Finding, user: User, actor: Actor) -> None:
    Resolution.objects.create(
        payment=attempt.payment,
        attempt=attempt,
        outcome=finding.outcome,
        evidence=finding.evidence,
        proposed_by=user,
    )
    _record(actor, "payment.propose_resolution", attempt.payment, finding)


def _withdraw(earlier: Resolution, finding: Finding, user: User) -> None:
    """The proposer thinks again; repeating himself is no second person."""
    if earlier.outcome == finding.outcome:
        segregation.require_second_person(
            user_id=user.pk, first_id=earlier.proposed_by_id, act="confirm"
        )
    earlier.withdrawn_at = database_now()
    earlier.save(update_fields=["withdrawn_at"])


def _confirm(
    attempt: PaymentAttempt,
    proposal: Resolution,
    finding: Finding,
    user: User,
    actor: Actor,
    today: Today,
) -> None:
    if proposal.outcome != finding.outcome:
        raise ResolutionDiffers(f"Another person proposed {proposal.outcome}.")
    proposal.confirmed_by = user
    proposal.confirmed_at = database_now()
    proposal.confirming_evidence = finding.evidence
    proposal.save(update_fields=["confirmed_by", "confirmed_at", "confirming_evidence"])
    said = f"resolved by two people as {finding.outcome}"
    if finding.outcome == Resolution.Outcome.PAID:
        outcomes.conclude_success(attempt, receipt="", said=said, today=today, actor=actor)
    else:
        outcomes.conclude_failure(attempt, said=said, actor=actor)
    _record(actor, "payment.confirm_resolution", attempt.payment, finding)


def _record(actor: Actor, action: str, payment: Payment, finding: Finding) -> None:
    more = {"outcome": finding.outcome.value, "evidence": finding.evidence}
    note_payment(actor, action, payment, before=None, more=more)
