"""What waits for a person: for his role, in his scope, and for somebody else than who acted first."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.access import within_reach
from ledger.clock import CivilDate
from ledger.looking_up import LooksUp
from ledger.models import User
from ledger.roles import Role
from treasury.authority import acts_for, fund_in_reach
from treasury.models import (
    Batch,
    BatchApproval,
    BatchRow,
    Delegation,
    LateSuccess,
    Payment,
    Question,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    Reversal,
    VarianceAdjustment,
)
from treasury.selectors import (
    batches_seen_by,
    payments_seen_by,
    questions_seen_by,
    replenishments_seen_by,
    requisitions_seen_by,
    variances_seen_by,
)
from treasury.states import (
    BatchStatus,
    PaymentStatus,
    ReplenishmentStatus,
    RequisitionStage,
    VarianceStatus,
)


def requisitions_awaiting(user: User) -> QuerySet[Requisition]:
    """Submitted requisitions that lack the approval of a role that the user has, and that he may give.

    In his own role, or in that of a colleague who delegated it to him today; never where either of the two
    asked for it or has approved it.
    """
    given = RequisitionApproval.objects.filter(
        requisition=OuterRef("pk"), version=OuterRef("version")
    )
    waiting = requisitions_seen_by(user).filter(stage=RequisitionStage.WAITING)
    waiting = waiting.exclude(requested_by=user).exclude(LooksUp(given.filter(_by(user))))
    # What a batch raised is decided with the batch.
    in_batch = BatchRow.objects.filter(requisition=OuterRef("pk"), raised=True, status="waiting")
    waiting = waiting.exclude(LooksUp(in_batch))
    lacking = Q(pk__in=())
    for role in (Role.APPROVER, Role.CFO):
        reach = fund_in_reach(user, role)
        lacking |= reach & ~Q(LooksUp(given.filter(role=role.value)))
    for delegation in acts_for(user):
        reach = _reach_under(delegation) & ~Q(requested_by=delegation.delegator_id)
        taken = given.filter(Q(role=delegation.role) | _by(delegation.delegator))
        lacking |= reach & ~Q(LooksUp(taken))
    return waiting.filter(lacking)


def payments_awaiting(user: User) -> QuerySet[Payment]:
    """Payments that the user can move on; what is scheduled for a later day waits for nobody yet.

    A treasurer executes what is pending, retries or cancels what failed, and resolves what is in review;
    a CFO resolves as well, and confirms what came back and how a late success ends; a reconciler reconciles
    what somebody else executed.
    """
    approvals = RequisitionApproval.objects.filter(
        requisition=OuterRef("requisition"), version=OuterRef("requisition__version")
    )
    approved_it = Q(Exists(approvals.filter(_by(user))), separate_executor=True)
    to_execute = Q(status__in=(PaymentStatus.PENDING, PaymentStatus.FAILED)) & ~approved_it
    to_execute &= Q(due_on=None) | Q(due_on__lte=CivilDate("company__time_zone"))
    to_reconcile = Q(status=PaymentStatus.SUCCESS) & ~Q(executor=user)
    return payments_seen_by(user).filter(
        _to_resolve(user)
        | fund_in_reach(user, Role.TREASURER) & to_execute & ~Q(requester=user)
        | fund_in_reach(user, Role.CFO) & _found_by_another(user) & ~Q(requester=user)
        | fund_in_reach(user, Role.RECONCILER) & to_reconcile
    )


def payments_to_resolve(user: User) -> QuerySet[Payment]:
    """Those of them whose end nobody knows, and two people say."""
    return payments_seen_by(user).filter(_to_resolve(user))


def _to_resolve(user: User) -> Q:
    in_review = Q(status=PaymentStatus.REVIEW) & ~Q(requester=user)
    return fund_in_reach(user, Role.TREASURER, Role.CFO) & in_review


def _found_by_another(user: User) -> Q:
    """What somebody else proposed about money that moved, and this person may confirm."""
    waiting = Q(confirmed_at=None, withdrawn_at=None, payment=OuterRef("pk"))
    fits = waiting & ~Q(proposed_by=user) & ~Q(executor=user)
    return Q(Exists(Reversal.objects.filter(fits))) | Q(Exists(LateSuccess.objects.filter(fits)))


def batches_awaiting(user: User) -> QuerySet[Batch]:
    """Batches that the user can move on: a CFO or approver approves, a treasurer executes or resumes.

    In his own role or under a delegation. Nobody what he made (to approve) or asked for a part of, nor what he
    approved (to execute); neither what whoever he acts for made, asked for or approved.
    """
    mine = LooksUp(_given_to_batch().filter(_by(user)))
    to_run = Q(status__in=(BatchStatus.APPROVED, BatchStatus.PAUSED))
    to_run &= Q(separate_executor=False) | ~Q(mine)
    moving = fund_in_reach(user, Role.TREASURER) & to_run | _approves_batch(user)
    return _not_asked_for(batches_seen_by(user), user).filter(moving)


def batches_to_approve(user: User) -> QuerySet[Batch]:
    """Those of them that wait for an approval."""
    return _not_asked_for(batches_seen_by(user), user).filter(_approves_batch(user))


def _approves_batch(user: User) -> Q:
    """The condition that a batch lacks an approval that the user may give, for himself or a colleague."""
    given = _given_to_batch()
    submitted = Q(status=BatchStatus.SUBMITTED) & ~Q(created_by=user)
    submitted &= ~Q(LooksUp(given.filter(_by(user))))
    raised = BatchRow.objects.filter(batch=OuterRef("pk"), raised=True, status="waiting")
    lacking = {
        Role.APPROVER: Q(LooksUp(raised)) & ~Q(LooksUp(given.filter(role=Role.APPROVER.value))),
        Role.CFO: ~Q(LooksUp(given.filter(role=Role.CFO.value))),
    }
    approving = Q(pk__in=())
    for role, lacks in lacking.items():
        approving |= fund_in_reach(user, role) & lacks
    for delegation in acts_for(user):
        principal = delegation.delegator
        asked = BatchRow.objects.filter(batch=OuterRef("pk"), requester=principal)
        apart = ~Q(created_by=principal) & ~Q(LooksUp(asked))
        apart &= ~Q(LooksUp(given.filter(_by(principal))))
        approving |= _reach_under(delegation) & lacking[Role(delegation.role)] & apart
    return submitted & approving


def _given_to_batch() -> QuerySet[BatchApproval]:
    return BatchApproval.objects.filter(batch=OuterRef("pk"), set_hash=OuterRef("set_hash"))


def _not_asked_for(batches: QuerySet[Batch], user: User) -> QuerySet[Batch]:
    own = BatchRow.objects.filter(batch=OuterRef("pk"), requester=user)
    return batches.exclude(LooksUp(own))


def variances_awaiting(user: User) -> QuerySet[VarianceAdjustment]:
    """Pending variances where the user is a CFO, or acts for one, and neither recorded them."""
    deciding = within_reach(user, "payment__fund__", (Role.CFO,))
    for delegation in acts_for(user, Role.CFO):
        reach = within_reach(delegation.delegator, "payment__fund__", (Role.CFO,))
        reach &= Q(payment__fund__company=delegation.company_id)
        deciding |= reach & ~Q(recorded_by=delegation.delegator_id)
    rows = variances_seen_by(user).filter(deciding, status=VarianceStatus.PENDING)
    return rows.exclude(recorded_by=user)


def replenishments_awaiting(user: User) -> QuerySet[ReplenishmentRequest]:
    """Requests that a CFO is to approve, or a treasurer to fund, who has taken no other part in them."""
    approved = Q(status=ReplenishmentStatus.APPROVED) & ~Q(approved_by=user)
    approved &= ~Q(approved_for=user)
    return replenishments_seen_by(user).filter(
        _approves_replenishment(user) | fund_in_reach(user, Role.TREASURER) & approved
    )


def replenishments_to_approve(user: User) -> QuerySet[ReplenishmentRequest]:
    """Those of them that wait for an approval."""
    return replenishments_seen_by(user).filter(_approves_replenishment(user))


def _approves_replenishment(user: User) -> Q:
    """The condition that the user is a CFO there, or acts for one, and neither asked for it."""
    deciding = fund_in_reach(user, Role.CFO)
    for delegation in acts_for(user, Role.CFO):
        deciding |= _reach_under(delegation) & ~Q(requested_by=delegation.delegator_id)
    return deciding & Q(status=ReplenishmentStatus.PENDING) & ~Q(requested_by=user)


def _by(user: User) -> Q:
    """The condition that the user gave the approval, or somebody for him."""
    return Q(approver=user) | Q(on_behalf_of=user)


def _reach_under(delegation: Delegation) -> Q:
    """The condition that a row's fund lies where the delegator has the role that he delegated."""
    reach = fund_in_reach(delegation.delegator, Role(delegation.role))
    return reach & Q(company=delegation.company_id)


def questions_awaiting(user: User) -> QuerySet[Question]:
    """Questions that the user has not answered yet."""
    return questions_seen_by(user).filter(asked_of=user, answered_at=None)
