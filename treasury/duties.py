"""Who may do what to the paper of treasury: roles first, then segregation of duties.

Each function raises ``RoleRequired`` or ``SegregationOfDuties`` (403) and looks at no input and no state:
services ask under their locks, the API and the admin may ask before they read what was sent.
"""

from dataclasses import dataclass
from uuid import UUID

from ledger.access import require_role
from ledger.actor import Actor
from ledger.models import Company
from ledger.refusals import RoleRequired
from ledger.roles import Role
from treasury import segregation
from treasury.models import (
    Payment,
    ReplenishmentRequest,
    Requisition,
    TreasuryFund,
    VarianceAdjustment,
)


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
    """A requester edits and cancels his own requisition, and brings its evidence; nobody else does."""
    require_role(actor, Role.REQUESTER, place=requisition.fund)
    if actor.user_id != requisition.requested_by_id:
        raise RoleRequired("Only whoever made this requisition may change it.")


def may_approve_requisition(actor: Actor, requisition: Requisition) -> None:
    """An approver or a CFO who did not make it."""
    require_role(actor, Role.APPROVER, Role.CFO, place=requisition.fund)
    segregation.require_not_requester(
        user_id=actor.user_id, requester_id=requisition.requested_by_id, act="approve"
    )


def may_reject_requisition(actor: Actor, requisition: Requisition) -> None:
    """An approver or a CFO who did not make it; whoever made it cancels."""
    require_role(actor, Role.APPROVER, Role.CFO, place=requisition.fund)
    segregation.require_not_requester(
        user_id=actor.user_id, requester_id=requisition.requested_by_id, act="reject"
    )


def may_replenish(actor: Actor, fund: TreasuryFund) -> None:
    """A treasurer asks for a fund to be filled."""
    require_role(actor, Role.TREASURER, place=fund)


def may_approve_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> None:
    """A CFO who did not record it."""
    require_role(actor, Role.CFO, place=replenishment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=replenishment.requested_by_id, act="approve"
    )


def may_reject_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> None:
    """A CFO who did not record it."""
    require_role(actor, Role.CFO, place=replenishment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=replenishment.requested_by_id, act="reject"
    )


def may_fund_replenishment(actor: Actor, replenishment: ReplenishmentRequest) -> None:
    """A treasurer who did not approve it: a fund that asks by itself has no other second person."""
    require_role(actor, Role.TREASURER, place=replenishment.fund)
    segregation.require_second_person(
        user_id=actor.user_id, first_id=replenishment.approved_by_id, act="fund"
    )


def may_record_variance(actor: Actor, payment: Payment) -> None:
    """A treasurer or a reconciler."""
    require_role(actor, Role.TREASURER, Role.RECONCILER, place=payment.fund)


def may_approve_variance(actor: Actor, variance: VarianceAdjustment) -> None:
    """A CFO who did not record it."""
    require_role(actor, Role.CFO, place=variance.payment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=variance.recorded_by_id, act="approve"
    )


def may_reject_variance(actor: Actor, variance: VarianceAdjustment) -> None:
    """A CFO who did not record it."""
    require_role(actor, Role.CFO, place=variance.payment.fund)
    segregation.require_not_recorder(
        user_id=actor.user_id, recorder_id=variance.recorded_by_id, act="reject"
    )


def may_reconcile(actor: Actor, payment: Payment) -> None:
    """A reconciler who did not execute it."""
    require_role(actor, Role.RECONCILER, place=payment.fund)
    segregation.require_not_executor(
        user_id=actor.user_id, executor_id=payment.executor_id, act="reconcile"
    )


def may_keep_funds(actor: Actor, place: TreasuryFund | Company) -> None:
    """A CFO opens funds, sets their levels and the company's policy; for a company, one of all of it."""
    require_role(actor, Role.CFO, place=WholeOf(place.pk) if isinstance(place, Company) else place)
