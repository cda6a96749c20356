"""Who may do what in treasury: roles first, then segregation of duties.

Each function raises ``RoleRequired`` or ``SegregationOfDuties`` (403) and looks at no input and no state:
services ask under their locks, the API and the admin may ask before they read what was sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from ledger.access import require_role
from ledger.actor import Actor
from ledger.models import Company, User
from ledger.refusals import Refusal, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from payments.models import Provider
from treasury import readiness, segregation
from treasury.authority import Authority, not_for, require_authority
from treasury.locks import Seen
from treasury.models import (
    Batch,
    BatchRow,
    Payment,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    TreasuryFund,
    VarianceAdjustment,
)

# Who records what requisitions are raised for.
RECORDERS = (Role.TREASURER, Role.RECONCILER)


class NotTheExecutor(Refusal):
    """Only the person whom the code was sent to may give it back; no try is spent."""

    status = 403
    code = "not_the_executor"
    title = "Not the executor"


@dataclass(frozen=True, slots=True)
class WholeOf:
    """A company as the place of what concerns all of it."""

    company_id: UUID
    region_id: UUID | None = None
    branch_id: UUID | None = None


def may_request(actor: Actor, fund: TreasuryFund) -> None:
    """A requester asks for money out of this fund."""
    require_role(actor, Role.REQUESTER, place=fund)


def may_change_requisition(actor: Actor, requisition: Requisition) -> None:
    """A requester edits and cancels his own requisition, and brings its evidence; nobody else does.

    What was raised for something is its recorder's, whose role that is not.
    """
    roles = (Role.REQUESTER, *RECORDERS) if requisition.source else (Role.REQUESTER,)
    require_role(actor, *roles, place=requisition.fund)
    if actor.user_id != requisition.requested_by_id:
        raise RoleRequired("Only whoever made this requisition may change it.")


def may_approve_requisition(actor: Actor, requisition: Requisition) -> list[Authority]:
    """An approver or a CFO, or whoever acts for one, where neither of them made it; returns in which ways."""
    found = require_authority(actor, Role.APPROVER, Role.CFO, place=requisition.fund)
    segregation.require_not_requester(
        user_id=actor.user_id, requester_id=requisition.requested_by_id, act="approve"
    )
    return not_for(found, requisition.requested_by_id, act="approve")


def may_reject_requisition(actor: Actor, requisition: Requisition) -> list[Authority]:
    """An approver or a CFO, or whoever acts for one, where neither made it; whoever made it cancels."""
    found = require_authority(actor, Role.APPROVER, Role.CFO, place=requisition.fund)
    segregation.require_not_requester(
        user_id=actor.user_id, requester_id=requisition.requested_by_id, act="reject"
    )
    return not_for(found, requisition.requested_by_id, act="reject")


def may_replenish(actor: Actor, fund: TreasuryFund) -> None:
    """A treasurer asks for a fund to be filled."""
    require_role(actor, Role.TREASURER, place=fund)


def may_approve_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> list[Authority]:
    """A CFO, or whoever acts for one, where neither of them recorded it; returns in which ways."""
    found = require_authority(actor, Role.CFO, place=replenishment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=replenishment.requested_by_id, act="approve"
    )
    return not_for(found, replenishment.requested_by_id, act="approve")


def may_reject_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> list[Authority]:
    """A CFO, or whoever acts for one, where neither of them recorded it; returns in which ways."""
    found = require_authority(actor, Role.CFO, place=replenishment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=replenishment.requested_by_id, act="reject"
    )
    return not_for(found, replenishment.requested_by_id, act="reject")


def may_fund_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> None:
    """A treasurer who did not approve it: a fund that asks by itself has no other second person."""
    require_role(actor, Role.TREASURER, place=replenishment.fund)
    segregation.require_second_person(
        user_id=actor.user_id, first_id=replenishment.approved_by_id, act="fund"
    )
    segregation.require_second_person(
        user_id=actor.user_id, first_id=replenishment.approved_for_id, act="fund"
    )


def may_record_variance(actor: Actor, payment: Payment) -> None:
    """A treasurer or a reconciler."""
    require_role(actor, Role.TREASURER, Role.RECONCILER, place=payment.fund)


def may_approve_variance(actor: Actor, variance: VarianceAdjustment) -> list[Authority]:
    """A CFO, or whoever acts for one, where neither of them recorded it; returns in which ways."""
    found = require_authority(actor, Role.CFO, place=variance.payment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=variance.recorded_by_id, act="approve"
    )
    return not_for(found, variance.recorded_by_id, act="approve")


def may_reject_variance(actor: Actor, variance: VarianceAdjustment) -> list[Authority]:
    """A CFO, or whoever acts for one, where neither of them recorded it; returns in which ways."""
    found = require_authority(actor, Role.CFO, place=variance.payment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=variance.recorded_by_id, act="reject"
    )
    return not_for(found, variance.recorded_by_id, act="reject")


def may_reconcile(actor: Actor, payment: Payment) -> None:
    """A reconciler who did not execute it."""
    require_role(actor, Role.RECONCILER, place=payment.fund)
    segregation.require_not_executor(
        user_id=actor.user_id, executor_id=payment.executor_id, act="reconcile"
    )


def may_keep_funds(actor: Actor, place: TreasuryFund | Company) -> None:
    """A CFO opens funds, sets their levels and the company's policy; for a company, one of all of it."""
    require_role(actor, Role.CFO, place=WholeOf(place.pk) if isinstance(place, Company) else place)


def may_make_payment(actor: Actor, requisition: Requisition) -> None:
    """A treasurer makes payments of a requisition."""
    require_role(actor, Role.TREASURER, place=requisition.fund)


def may_change_payment(actor: Actor, payment: Payment) -> None:
    """A treasurer edits, cancels and retries payments."""
    require_role(actor, Role.TREASURER, place=payment.fund)


def may_execute(actor: Actor, payment: Payment, *, seen: Seen | None = None) -> User:
    """A treasurer who did not request it nor, where the company separates the two, approve it.

    ``seen`` is what was read under the payment's lock; without it the database is asked.
    """
    require_role(actor, Role.TREASURER, place=payment.fund, held=seen.roles if seen else None)
    if actor.user is None:
        raise RoleRequired("A payment is executed by a person.")
    readiness.require_duties(payment, actor.user.pk, seen.approvers if seen else None)
    return actor.user


def may_verify_code(actor: Actor, payment: Payment) -> User:
    """The treasurer whom the code was sent to, as long as he may execute."""
    require_role(actor, Role.TREASURER, place=payment.fund)
    if actor.user is None or payment.executor_id != actor.user_id:
        raise NotTheExecutor("The code was sent to somebody else.")
    return may_execute(actor, payment)


def may_resolve(actor: Actor, payment: Payment) -> User:
    """A treasurer or a CFO who did not request it, and not the proposer or the executor to confirm it."""
    require_role(actor, Role.TREASURER, Role.CFO, place=payment.fund)
    if actor.user is None:
        raise RoleRequired("A review is ended by people.")
    segregation.require_not_requester(
        user_id=actor.user.pk, requester_id=payment.requester_id, act="resolve"
    )
    proposers = payment.resolutions.filter(confirmed_at=None, withdrawn_at=None).values_list(
        "proposed_by_id", flat=True
    )
    if any(proposer != actor.user.pk for proposer in proposers):
        segregation.require_not_executor(
            user_id=actor.user.pk, executor_id=payment.executor_id, act="confirm what became of"
        )
    return actor.user


def may_make_bank_file(actor: Actor, provider: Provider) -> User:
    """A treasurer of the whole company: a file holds payments of all its funds."""
    require_role(actor, Role.TREASURER, place=provider)
    if actor.user is None:
        raise RoleRequired("A bank file is made by a person.")
    return actor.user


def may_read_bank_file(actor: Actor, provider: Provider) -> None:
    """Whoever carries files to the bank, decides about money or audits: a file holds whole accounts."""
    require_role(actor, Role.TREASURER, Role.CFO, Role.AUDITOR, place=provider)


def may_bring_bank_report(actor: Actor, provider: Provider) -> User:
    """A treasurer or reconciler of the whole company."""
    require_role(actor, Role.TREASURER, Role.RECONCILER, place=provider)
    if actor.user is None:
        raise RoleRequired("A bank's report is brought by a person.")
    return actor.user


def may_reverse(actor: Actor, payment: Payment) -> User:
    """Whoever sees that money came back proposes; a CFO who did not execute it confirms; never its requester."""
    proposer = _proposer(payment.reversals.filter(confirmed_at=None, withdrawn_at=None))
    confirms = proposer is not None and proposer != actor.user_id
    roles = (Role.CFO,) if confirms else (Role.TREASURER, Role.RECONCILER, Role.CFO)
    return _may_find(actor, payment, proposer, roles=roles, executor=payment.executor_id)


def may_clear_late_success(actor: Actor, payment: Payment) -> User:
    """A treasurer or a CFO, a CFO to confirm; never its requester, nor to confirm whoever executed it."""
    open_ones = payment.late_successes.filter(confirmed_at=None, withdrawn_at=None)
    proposer = _proposer(open_ones)
    confirms = proposer is not None and proposer != actor.user_id
    roles = (Role.CFO,) if confirms else (Role.TREASURER, Role.CFO)
    executor = open_ones.values_list("executor_id", flat=True).first()
    return _may_find(actor, payment, proposer, roles=roles, executor=executor)


def _proposer(findings: QuerySet[Any]) -> UUID | None:
    return findings.values_list("proposed_by_id", flat=True).first()


def _may_find(
    actor: Actor,
    payment: Payment,
    proposer: UUID | None,
    *,
    roles: Collection[Role],
    executor: UUID | None,
) -> User:
    require_role(actor, *roles, place=payment.fund)
    if actor.user is None:
        raise RoleRequired("This is found out by people.")
    segregation.require_not_requester(
        user_id=actor.user.pk, requester_id=payment.requester_id, act="decide about"
    )
    if proposer is not None and proposer != actor.user.pk:
        segregation.require_not_executor(
            user_id=actor.user.pk, executor_id=executor, act="confirm this about"
        )
    return actor.user


def may_make_batch(actor: Actor, fund: TreasuryFund, *, of_file: bool = True) -> None:
    """A treasurer puts payments together; a requester brings a file of payees."""
    roles = (Role.TREASURER, Role.REQUESTER) if of_file else (Role.TREASURER,)
    require_role(actor, *roles, place=fund)


def may_approve_batch(actor: Actor, batch: Batch, *, roles: frozenset[Role]) -> list[Authority]:
    """Who has one of the ``roles`` that it needs, or acts for one who has; returns in which ways.

    Neither of the two made it or asked for any of it.
    """
    found = require_authority(actor, *sorted(roles), place=batch.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=batch.created_by_id, act="approve"
    )
    if batch.rows.filter(requester=actor.user_id).exists():
        raise SegregationOfDuties("Whoever requested a part of this may not approve it.")
    requesters = set(batch.rows.values_list("requester", flat=True).distinct())
    fit = not_for(found, batch.created_by_id, act="approve")
    apart = [one for one in fit if one.on_behalf_of_id not in requesters - {None}]
    if fit and not apart:
        raise SegregationOfDuties("Whoever you act for requested a part of this.")
    return apart


def may_execute_batch(
    actor: Actor, batch: Batch, *, numbers: tuple[int, int] | None = None
) -> User:
    """A treasurer who asked for none of it nor, where the company separates the two, approved any.

    ``numbers`` are the first and the last row of the part that is asked about; all of it, left out.
    """
    require_role(actor, Role.TREASURER, place=batch.fund)
    if actor.user is None:
        raise RoleRequired("A batch is executed by a person.")
    rows = batch.rows.filter(number__range=numbers) if numbers else batch.rows.all()
    if rows.filter(requester=actor.user).exists():
        raise SegregationOfDuties("Whoever requested a part of this may not execute it.")
    if batch.separate_executor and _approved_part(actor.user, batch, rows):
        raise SegregationOfDuties("Whoever approved a part of this may not execute it.")
    return actor.user


def may_verify_batch_code(actor: Actor, batch: Batch) -> User:
    """The treasurer whom the code was sent to, as long as he may execute."""
    require_role(actor, Role.TREASURER, place=batch.fund)
    if actor.user is None or batch.executor_id != actor.user_id:
        raise NotTheExecutor("The code was sent to somebody else.")
    return may_execute_batch(actor, batch)


def may_pause_batch(actor: Actor, batch: Batch) -> None:
    """A treasurer or a CFO stops what runs."""
    require_role(actor, Role.TREASURER, Role.CFO, place=batch.fund)


def may_resume_batch(actor: Actor, batch: Batch) -> None:
    """A treasurer lets it go on, under the executor who confirmed it."""
    require_role(actor, Role.TREASURER, place=batch.fund)


def may_cancel_batch(actor: Actor, batch: Batch) -> None:
    """A treasurer, a CFO, or whoever made it."""
    if actor.user_id is None or actor.user_id != batch.created_by_id:
        require_role(actor, Role.TREASURER, Role.CFO, place=batch.fund)


def _approved_part(user: User, batch: Batch, rows: QuerySet[BatchRow]) -> bool:
    """Whether the person, or somebody for him, approved this set or what a row asks for, as it is now."""
    mine = Q(approver=user) | Q(on_behalf_of=user)
    if batch.all_approvals.filter(mine, set_hash=batch.set_hash).exists():
        return True
    approvals = RequisitionApproval.objects.filter(
        mine,
        version=F("requisition__version"),
        requisition__batch_rows__in=rows.order_by(),
    )
    return approvals.exists()
