"""Requisitions: somebody asks for money, edits or withdraws it, and others agree or refuse."""

from dataclasses import astuple
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.refusals import Conflict, IllegalTransition, InvalidInput, RoleRequired
from treasury import duties, locks, tiers
from treasury.models import (
    Payment,
    Requisition,
    RequisitionApproval,
    TreasuryFund,
)
from treasury.services.approving import authority_of_approval
from treasury.services.codes import void_codes
from treasury.services.facts import payment_facts, requisition_facts
from treasury.services.noting import note_payment, note_requisition
from treasury.services.payments import require_late_success_decided
from treasury.services.requisition_content import (
    CONTENT,
    Amount,
    Content,
    tiers_of,
    write_requisition,
)
from treasury.services.step_up import require_step_up
from treasury.services.telling import tell_payment, tell_requisition
from treasury.states import (
    PAYMENT,
    REQUISITION,
    BatchRowStatus,
    BatchStatus,
    PaymentStatus,
    RequisitionStatus,
    require_transition,
)
from treasury.texts import optional_text, require_text


class PaymentStarted(Conflict):
    """A payment of the requisition has left pending: what was approved can no longer change."""

    code = "payment_started"
    title = "Payment started"


class InBatch(Conflict):
    """A row of a batch that waits pays this: it is decided and paid with the batch."""

    code = "in_batch"
    title = "In a batch already"


class FollowsSource(Conflict):
    """What it was raised for says the amount; it is changed there, and raised again."""

    code = "follows_source"
    title = "Amount follows its source"


class ChangedSince(Conflict):
    """It was edited after it lay before whoever decides on it now."""

    code = "changed_since"
    title = "Changed since"


@command("requisition.create")
def create_requisition(
    *,
    actor: Actor,
    fund_id: UUID,
    amount: Amount,
    purpose: str,
    payee_name: str,
    method: str,
    destination: str,
    currency: str | None = None,
) -> Requisition:
    """Ask for an amount out of a fund, in the fund's currency, and return the submitted requisition.

    Raises ``InvalidInput`` on the field (an unknown fund, another currency than the fund's, an amount or
    destination that the method cannot carry), ``RoleRequired`` unless the actor is a requester there.
    """
    fund = TreasuryFund.objects.filter(pk=fund_id).first()
    if fund is None:
        raise InvalidInput.on("fund", "There is no such fund.")
    duties.may_request(actor, fund)
    content = Content(amount, currency, purpose, payee_name, method, destination)
    return submit_requisition(actor=actor, fund=fund, content=content)


@command("requisition.edit")
def edit_requisition(
    *,
    actor: Actor,
    requisition_id: UUID,
    amount: Amount | None = None,
    currency: str | None = None,
    purpose: str | None = None,
    payee_name: str | None = None,
    method: str | None = None,
    destination: str | None = None,
) -> Requisition:
    """Change a requisition, which makes its next version: submitted again, its approvals void.

    Its pending payments were made for the version before and are cancelled, their codes dead. By its
    requester. Raises ``RoleRequired``, ``InvalidInput``, ``FollowsSource`` for another amount of what a
    floor above raised, ``IllegalTransition``, ``PaymentStarted`` once a payment has left pending, and
    ``LateSuccess``.
    """
    requisition = locks.lock_requisition(requisition_id)
    duties.may_change_requisition(actor, requisition)
    wanted = Content(amount, currency, purpose, payee_name, method, destination)
    if all(given is None for given in astuple(wanted)):
        raise InvalidInput.on("body", "Say what is to change.")
    before, amount = requisition_facts(requisition), requisition.amount
    write_requisition(requisition, wanted)
    if requisition.source and requisition.amount != amount:
        raise FollowsSource("This was raised for something else; its amount is changed there.")
    if requisition.status != RequisitionStatus.SUBMITTED:
        _require_step(requisition, RequisitionStatus.SUBMITTED)
    _withdraw_payments(requisition, actor)
    requisition.status = RequisitionStatus.SUBMITTED
    requisition.approved_at = None
    requisition.version += 1
    requisition.save(update_fields=[*CONTENT, "status", "approved_at", "version"])
    note_requisition(actor, "requisition.edit", requisition, before=before)
    tell_requisition(requisition)
    return _fresh(requisition)


@command("requisition.approve")
def approve_requisition(
    *, actor: Actor, requisition_id: UUID, comment: str = "", version: int | None = None
) -> Requisition:
    """Agree to the requisition as it is now; it is approved with the last approval that its tier needs.

    Above a tier an approver and a CFO agree, two persons, in either order; a person and his delegate are
    one. What a batch raised is approved with the batch. ``version`` is what lay before the actor, if he says
    so. Raises ``RoleRequired``,
    ``SegregationOfDuties`` for its requester, ``InvalidInput``, ``IllegalTransition``, ``InBatch``, ``ChangedSince``, and
    ``AlreadyApproved`` for whoever agreed before and for a role that has agreed already.
    """
    requisition = locks.lock_requisition(requisition_id)
    ways = duties.may_approve_requisition(actor, requisition)
    comment = optional_text(comment, field="comment")
    # The table lets a paid one be approved again, when its money came back: that is nobody's approval.
    if requisition.status != RequisitionStatus.SUBMITTED:
        raise IllegalTransition(
            f"A requisition that is {requisition.status} cannot become approved."
        )
    _require_in_no_batch(requisition)
    require_step_up(
        actor,
        company_id=requisition.company_id,
        currency=requisition.currency,
        amount=requisition.amount,
    )
    if version is not None and version != requisition.version:
        raise ChangedSince(f"It was edited: this is version {requisition.version} now.")
    if actor.user is None:
        raise RoleRequired("A requisition is approved by a person.")
    before = requisition_facts(requisition)
    given = current_approvals(requisition)
    needs = needed_approvals(requisition)
    authority = authority_of_approval(actor.user, ways, given, needs)
    approval = RequisitionApproval.objects.create(
        requisition=requisition,
        version=requisition.version,
        requester_id=requisition.requested_by_id,
        approver=actor.user,
        role=authority.role,
        on_behalf_of_id=authority.on_behalf_of_id,
        delegation=authority.delegation,
        comment=comment,
    )
    if tiers.is_complete(needs, [*(a.role for a in given), approval.role]):
        requisition.status = RequisitionStatus.APPROVED
        requisition.approved_at = database_now()
        requisition.save(update_fields=["status", "approved_at"])
        tell_requisition(requisition)
    after = {"approved_as": approval.role, "comment": comment, **authority.facts()}
    note_requisition(actor, "requisition.approve", requisition, before=before, more=after)
    return _fresh(requisition)


@command("requisition.reject")
def reject_requisition(*, actor: Actor, requisition_id: UUID, reason: str) -> Requisition:
    """Refuse a submitted requisition for good, saying why.

    Raises ``RoleRequired``, ``SegregationOfDuties`` for its requester, ``InvalidInput`` without a reason,
    ``IllegalTransition``.
    """
    requisition = locks.lock_requisition(requisition_id)
    ways = duties.may_reject_requisition(actor, requisition)
    reason = require_text(reason, field="reason")
    _require_step(requisition, RequisitionStatus.REJECTED)
    if actor.user is None:
        raise RoleRequired("A requisition is rejected by a person.")
    before = requisition_facts(requisition)
    requisition.status = RequisitionStatus.REJECTED
    requisition.rejected_by = actor.user
    requisition.rejected_at = database_now()
    requisition.rejection_reason = reason
    requisition.save(update_fields=["status", "rejected_by", "rejected_at", "rejection_reason"])
    more = {"reason": reason, **ways[0].facts()}
    note_requisition(actor, "requisition.reject", requisition, before=before, more=more)
    tell_requisition(requisition)
    return _fresh(requisition)


@command("requisition.cancel")
def cancel_requisition(*, actor: Actor, requisition_id: UUID) -> Requisition:
    """Withdraw a requisition for good, its pending payments with it; by its requester.

    Raises ``RoleRequired``, ``IllegalTransition``, ``PaymentStarted`` once a payment has left pending, and
    ``LateSuccess``.
    """
    requisition = locks.lock_requisition(requisition_id)
    duties.may_change_requisition(actor, requisition)
    return withdraw(requisition, actor)


def _require_in_no_batch(requisition: Requisition) -> None:
    """Raise ``InBatch`` for what is to be approved with the batch that raised it, by the same persons."""
    raised = requisition.batch_rows.filter(
        raised=True, status=BatchRowStatus.WAITING, batch__status=BatchStatus.SUBMITTED
    )
    if raised.exists():
        raise InBatch("This is approved with the batch that it belongs to.")


def submit_requisition(
    *,
    actor: Actor,
    fund: TreasuryFund,
    content: Content,
    debit_account_id: UUID | None = None,
    source: str = "",
) -> Requisition:
    """Write and return a new requisition of the actor's. Plain, inside a command that asked who may.

    A floor above may pass ``debit_account_id``, what its payments debit in place of the fund's spending
    account (of the fund's company and currency, no account of a fund), with the ``source`` that it is
    raised for. Raises ``InvalidInput`` on the field, ``RoleRequired`` unless a person asks.
    """
    if actor.user is None:
        raise RoleRequired("Money is asked for by a person.")
    requisition = Requisition(
        fund=fund,
        company_id=fund.company_id,
        currency=fund.currency,
        requested_by=actor.user,
        debit_account_id=debit_account_id,
        source=source,
    )
    write_requisition(requisition, content)
    requisition.save(force_insert=True)
    note_requisition(actor, "requisition.create", requisition, before=None)
    tell_requisition(requisition)
    return _fresh(requisition)


def withdraw(requisition: Requisition, actor: Actor) -> Requisition:
    """Cancel a locked requisition with its pending payments and return it; plain, as above.

    Raises ``IllegalTransition``, ``PaymentStarted``, ``LateSuccess``.
    """
    _require_step(requisition, RequisitionStatus.CANCELLED)
    before = requisition_facts(requisition)
    _withdraw_payments(requisition, actor)
    requisition.status = RequisitionStatus.CANCELLED
    requisition.cancelled_at = database_now()
    requisition.save(update_fields=["status", "cancelled_at"])
    note_requisition(actor, "requisition.cancel", requisition, before=before)
    tell_requisition(requisition)
    return _fresh(requisition)


def current_approvals(requisition: Requisition) -> list[RequisitionApproval]:
    """Return the approvals of the requisition as it is now, oldest first."""
    rows = requisition.all_approvals.filter(version=requisition.version)
    return list(rows.select_related("approver"))


def needed_approvals(requisition: Requisition) -> str:
    """Return which approvals the requisition needs (a value of ``ApprovalTier.Needs``)."""
    known = tiers_of(requisition.company_id, requisition.currency)
    return tiers.needed_for(requisition.amount, known)


def _require_step(requisition: Requisition, target: RequisitionStatus) -> None:
    require_transition(REQUISITION, requisition.status, target, noun="requisition")


def _withdraw_payments(requisition: Requisition, actor: Actor) -> None:
    """Cancel the pending payments of a locked requisition; refuse if any went further."""
    payments = locks.lock_payments_of(requisition)
    standing = {PaymentStatus.PENDING, PaymentStatus.CANCELLED, PaymentStatus.REVERSED}
    if any(payment.status not in standing for payment in payments):
        message = "A payment of this requisition has been started; it can no longer change."
        raise PaymentStarted(message)
    for payment in payments:
        if payment.status == PaymentStatus.PENDING:
            _withdraw_payment(payment, actor)
    requisition.refresh_from_db(fields=["committed"])


def _withdraw_payment(payment: Payment, actor: Actor) -> None:
    require_transition(PAYMENT, payment.status, PaymentStatus.CANCELLED, noun="payment")
    require_late_success_decided(payment)
    before = payment_facts(payment)
    void_codes(payment)
    payment.status = PaymentStatus.CANCELLED
    payment.save(update_fields=["status"])
    tell_payment(payment)
    note_payment(actor, "payment.cancel", payment, before=before)


def _fresh(requisition: Requisition) -> Requisition:
    """Return the requisition as the database has it now, ``committed`` included."""
    return Requisition.objects.select_related("fund", "requested_by").get(pk=requisition.pk)
