"""What people ask for: requisitions, variances, replenishments and batches."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Value

from ledger.access import within_reach
from ledger.models import User
from ledger.roles import Role
from treasury.authority import fund_in_reach
from treasury.awaiting import (
    batches_to_approve,
    replenishments_to_approve,
    requisitions_awaiting,
    variances_awaiting,
)
from treasury.models import Batch, ReplenishmentRequest, Requisition, VarianceAdjustment
from treasury.models.variance import WEIGHT
from treasury.payees import WITHDRAWN
from treasury.risk import LOOKS_TWICE_WITHIN, Risk
from treasury.selectors import (
    batches_seen_by,
    replenishments_seen_by,
    requisitions_seen_by,
    variances_seen_by,
)
from treasury.states import BatchStatus, ReplenishmentStatus, RequisitionStage, VarianceStatus
from treasury.worklist.items import BY_AGE, OWN, Item, Kind, Rows

# --- Requisitions ---------------------------------------------------------------------------------------


def _own_requisitions(user: User) -> Rows:
    mine = requisitions_seen_by(user).filter(requested_by=user, stage=RequisitionStage.WAITING)
    return mine.filter(fund_in_reach(user, Role.APPROVER, Role.CFO))


def _requisition_rows() -> Rows:
    """Requisitions, and whether each looks paid twice, by the index of its payee and amount."""
    twins = (
        Requisition.objects.filter(
            company=OuterRef("company"),
            payee_index=OuterRef("payee_index"),
            amount=OuterRef("amount"),
            currency=OuterRef("currency"),
            requested_at__gt=OuterRef("requested_at") - LOOKS_TWICE_WITHIN,
        )
        .exclude(pk=OuterRef("pk"))
        .exclude(status__in=WITHDRAWN)
    )
    rows: Rows = Requisition.objects.annotate(looks_paid_twice=Exists(twins))
    return rows.select_related("fund__account", "fund__company", "requested_by")


def _requisition(row: Any, user: User) -> Item:
    return Item(
        kind="requisition",
        row=row,
        risk=Risk(row.risk),
        since=row.requested_at,
        amount=row.amount,
        currency=row.currency,
        title=row.payee_name,
        about=row.purpose,
        made_by=str(row.requested_by),
        locked=OWN if row.requested_by_id == user.pk else "",
        looks_paid_twice=row.looks_paid_twice,
    )


# --- Variances ------------------------------------------------------------------------------------------


def _weighed(rows: Rows) -> Rows:
    weighed: Rows = rows.annotate(weight=WEIGHT)
    return weighed


def _own_variances(user: User) -> Rows:
    mine = variances_seen_by(user).filter(recorded_by=user, status=VarianceStatus.PENDING)
    return _weighed(mine.filter(within_reach(user, "payment__fund__", (Role.CFO,))))


def _variance_rows() -> Rows:
    fund = "payment__fund"
    related = ("payment__requisition", f"{fund}__account", f"{fund}__company", "recorded_by")
    return VarianceAdjustment.objects.select_related(*related)


def _variance(row: VarianceAdjustment, user: User) -> Item:
    return Item(
        kind="variance",
        row=row,
        risk=Risk.RAISED if row.variance_amount > 0 else Risk.ORDINARY,
        since=row.created_at,
        amount=row.variance_amount,
        currency=row.currency,
        title=row.payment.requisition.payee_name,
        about=row.reason,
        made_by=str(row.recorded_by),
        locked=OWN if row.recorded_by_id == user.pk else "",
    )


# --- Replenishments -------------------------------------------------------------------------------------


def _own_replenishments(user: User) -> Rows:
    mine = replenishments_seen_by(user).filter(
        requested_by=user, status=ReplenishmentStatus.PENDING
    )
    return mine.filter(fund_in_reach(user, Role.CFO))


def _replenishment_rows() -> Rows:
    rows = ReplenishmentRequest.objects.all()
    return rows.select_related("fund__account", "fund__company", "requested_by")


def _replenishment(row: ReplenishmentRequest, user: User) -> Item:
    return Item(
        kind="replenishment",
        row=row,
        risk=Risk.ORDINARY,
        since=row.created_at,
        amount=row.requested_amount,
        currency=row.currency,
        title=row.fund.name,
        about=row.reason,
        made_by=str(row.requested_by or "The fund itself"),
        locked=OWN if row.requested_by_id == user.pk else "",
    )


# --- Batches --------------------------------------------------------------------------------------------


def _own_batches(user: User) -> Rows:
    mine = batches_seen_by(user).filter(created_by=user, status=BatchStatus.SUBMITTED)
    return mine.filter(fund_in_reach(user, Role.APPROVER, Role.CFO))


def _batch_rows() -> Rows:
    return Batch.objects.select_related("fund__account", "fund__company", "created_by")


def _batch(row: Batch, user: User) -> Item:
    return Item(
        kind="batch",
        row=row,
        risk=Risk.RAISED,
        since=row.created_at,
        amount=row.total,
        currency=row.currency,
        title=row.name,
        about=f"{row.count:,} payments out of {row.fund.name}",
        made_by=str(row.created_by),
        locked="You made this: somebody else decides." if row.created_by_id == user.pk else "",
    )


REQUISITION = Kind(
    name="requisition",
    label="Requisitions",
    for_roles=frozenset({Role.APPROVER, Role.CFO}),
    waiting=requisitions_awaiting,
    own=_own_requisitions,
    rows=_requisition_rows,
    told=_requisition,
    order=("-risk", "requested_at", "pk"),
    since="requested_at",
    risk=F("risk"),
)
VARIANCE = Kind(
    name="variance",
    label="Variances",
    for_roles=frozenset({Role.CFO}),
    waiting=lambda user: _weighed(variances_awaiting(user)),
    own=_own_variances,
    rows=_variance_rows,
    told=_variance,
    order=("-weight", *BY_AGE),
    risk=F("weight"),
    fund="payment__fund",
)
REPLENISHMENT = Kind(
    name="replenishment",
    label="Replenishments",
    for_roles=frozenset({Role.CFO}),
    waiting=replenishments_to_approve,
    own=_own_replenishments,
    rows=_replenishment_rows,
    told=_replenishment,
    risk=Value(int(Risk.ORDINARY)),
)
BATCH = Kind(
    name="batch",
    label="Batches",
    for_roles=frozenset({Role.APPROVER, Role.CFO}),
    waiting=batches_to_approve,
    own=_own_batches,
    rows=_batch_rows,
    told=_batch,
    risk=Value(int(Risk.RAISED)),
)
