"""Ending a review: one person says what happened and why, another agrees."""

from uuid import UUID

from ledger import audit
from ledger.access import require_role
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Conflict, IllegalTransition, InvalidInput, RoleRequired
from ledger.roles import Role
from treasury import locks, segregation
from treasury.dates import Today
from treasury.models import Payment, PaymentAttempt, Resolution
from treasury.services import outcomes
from treasury.services.facts import payment_facts
from treasury.states import PaymentStatus


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
    user = _require_resolver(actor, payment)
    attempt = locks.lock_live_attempt(payment)
    proposal = locks.lock_open_resolution(payment)
    confirming = proposal is not None and proposal.proposed_by_id != user.pk
    if confirming:
        segregation.require_not_executor(
            user_id=user.pk, executor_id=payment.executor_id, act="confirm the resolution of"
        )
    wanted, text = _read(outcome, evidence)
    if payment.status != PaymentStatus.REVIEW or attempt is None:
        raise IllegalTransition("Only a payment in review is resolved.")
    if proposal is None:
        _propose(payment, attempt, wanted, text, user, actor)
    elif not confirming:
        _propose_anew(payment, attempt, proposal, wanted, text, user, actor)
    else:
        _confirm(payment, attempt, proposal, wanted, text, user, actor, today)
    return payment


def _require_resolver(actor: Actor, payment: Payment) -> User:
    require_role(actor, Role.TREASURER, Role.CFO, place=payment.fund)
    if actor.user is None:
        raise RoleRequired("A review is ended by people.")
    segregation.require_not_requester(
        user_id=actor.user.pk, requester_id=payment.requester_id, act="resolve"
    )
    return actor.user


def _read(outcome: str, evidence: str) -> tuple[Resolution.Outcome, str]:
    if outcome not in Resolution.Outcome.values:
        raise InvalidInput.on("outcome", "This is either paid or not_paid.")
    text = evidence.strip()
    if not text:
        raise InvalidInput.on("evidence", "Say how this is known.")
    return Resolution.Outcome(outcome), text


def _propose(
    payment: Payment,
    attempt: PaymentAttempt,
    outcome: Resolution.Outcome,
    evidence: str,
    user: User,
    actor: Actor,
) -> None:
    Resolution.objects.create(
        payment=payment, attempt=attempt, outcome=outcome, evidence=evidence, proposed_by=user
    )
    _record(actor, "payment.propose_resolution", payment, outcome, evidence)


def _propose_anew(
    payment: Payment,
    attempt: PaymentAttempt,
    earlier: Resolution,
    outcome: Resolution.Outcome,
    evidence: str,
    user: User,
    actor: Actor,
) -> None:
    """The proposer thinks again; repeating himself is no second person."""
    segregation.require_second_person(
        user_id=user.pk if earlier.outcome == outcome else None,
        first_id=earlier.proposed_by_id,
        act="confirm",
    )
    earlier.withdrawn_at = database_now()
    earlier.save(update_fields=["withdrawn_at"])
    _propose(payment, attempt, outcome, evidence, user, actor)


def _confirm(
    payment: Payment,
    attempt: PaymentAttempt,
    proposal: Resolution,
    outcome: Resolution.Outcome,
    evidence: str,
    user: User,
    actor: Actor,
    today: Today,
) -> None:
    if proposal.outcome != outcome:
        raise ResolutionDiffers(f"Another person proposed {proposal.outcome}.")
    proposal.confirmed_by = user
    proposal.confirmed_at = database_now()
    proposal.confirming_evidence = evidence
    proposal.save(update_fields=["confirmed_by", "confirmed_at", "confirming_evidence"])
    attempt.payment = payment
    said = f"resolved by two people as {outcome}"
    if outcome == Resolution.Outcome.PAID:
        outcomes.conclude_success(attempt, receipt="", said=said, today=today, actor=actor)
    else:
        outcomes.conclude_failure(attempt, said=said, actor=actor)
    _record(actor, "payment.confirm_resolution", payment, outcome, evidence)


def _record(
    actor: Actor, action: str, payment: Payment, outcome: Resolution.Outcome, evidence: str
) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=payment.reference,
        company_id=payment.company_id,
        after={**payment_facts(payment), "outcome": outcome.value, "evidence": evidence},
    )
