"""Payments that people find out about: unknown outcomes, successes after a failure, money that came back."""

from typing import Any

from django.db.models import Value

from ledger.models import User
from ledger.roles import Role
from treasury.authority import fund_in_reach
from treasury.awaiting import (
    payments_to_resolve,
)
from treasury.models import Incident, Payment, Reversal
from treasury.risk import Risk
from treasury.selectors import (
    payments_seen_by,
)
from treasury.states import PaymentStatus
from treasury.worklist.items import OWN, Item, Kind, Rows


def _rows(findings: str) -> Rows:
    rows = Payment.objects.select_related(
        "requisition", "fund__account", "fund__company", "executor", "requester"
    )
    return rows.prefetch_related(f"{findings}__proposed_by")


# --- Payments in review ---------------------------------------------------------------------------------


def _own_reviews(user: User) -> Rows:
    mine = payments_seen_by(user).filter(requester=user, status=PaymentStatus.REVIEW)
    return mine.filter(fund_in_reach(user, Role.CFO, Role.TREASURER))


def _review(row: Payment, user: User) -> Item:
    proposed = next((one for one in row.resolutions.all() if one.is_open), None)
    locked = OWN if row.requester_id == user.pk else ""
    if not locked and proposed and proposed.proposed_by_id == user.pk:
        locked = "You proposed how it ended: a second person confirms."
    elif not locked and proposed and row.executor_id == user.pk:
        locked = "You executed it: somebody else confirms how it ended."
    return Item(
        kind="review",
        row=row,
        risk=Risk.HIGH,
        since=row.created_at,
        amount=row.amount,
        currency=row.currency,
        title=row.requisition.payee_name,
        about=f"{proposed.get_outcome_display()}, says {proposed.proposed_by}"
        if proposed
        else "Nobody knows yet whether the money has left.",
        made_by=str(row.executor or row.requester),
        locked=locked,
    )


# --- Money that moved against the books -----------------------------------------------------------------


def _late(user: User) -> Rows:
    """Payments that succeeded after they had failed, until two people have said how that ends."""
    unclear = Incident.objects.filter(kind=Incident.Kind.LATE_SUCCESS).exclude(
        late_successes__confirmed_at__isnull=False
    )
    rows = payments_seen_by(user).filter(pk__in=unclear.values("payment"))
    return rows.filter(fund_in_reach(user, Role.CFO, Role.TREASURER))


def _returned(user: User) -> Rows:
    """Payments whose money came back, as one person says, until a CFO confirms it."""
    open_ones = Reversal.objects.filter(confirmed_at=None, withdrawn_at=None)
    rows = payments_seen_by(user).filter(pk__in=open_ones.values("payment"))
    return rows.filter(fund_in_reach(user, Role.CFO))


def _nothing(user: User) -> Rows:
    return Payment.objects.none()


def _finding(row: Payment, user: User, kind: str, proposed: Any, about: str) -> Item:
    """A payment about which one person proposes and another confirms; locked for who took a part."""
    locked = OWN if row.requester_id == user.pk else ""
    if not locked and proposed and proposed.proposed_by_id == user.pk:
        locked = "You proposed this: a second person confirms."
    elif not locked and proposed and proposed.executor_id == user.pk:
        locked = "You executed it: somebody else confirms this."
    return Item(
        kind=kind,
        row=row,
        risk=Risk.HIGH,
        since=row.created_at,
        amount=row.amount,
        currency=row.currency,
        title=row.requisition.payee_name,
        about=about,
        made_by=str(proposed.proposed_by if proposed else row.executor or row.requester),
        locked=locked,
    )


def _late_item(row: Payment, user: User) -> Item:
    proposed = next((one for one in row.late_successes.all() if one.is_open), None)
    about = "The gateway paid it after it had failed."
    if proposed:
        about = f"{proposed.get_outcome_display()}, says {proposed.proposed_by}"
    return _finding(row, user, "late", proposed, about)


def _returned_item(row: Payment, user: User) -> Item:
    proposed = next((one for one in row.reversals.all() if one.is_open), None)
    about = f"It came back: {proposed.evidence}" if proposed else "It came back."
    return _finding(row, user, "return", proposed, about)


HIGH = Value(int(Risk.HIGH))
REVIEW = Kind(
    name="review",
    label="Unknown outcomes",
    for_roles=frozenset({Role.TREASURER, Role.CFO}),
    waiting=payments_to_resolve,
    own=_own_reviews,
    rows=lambda: _rows("resolutions"),
    told=_review,
    risk=HIGH,
)
LATE = Kind(
    name="late",
    label="Late successes",
    for_roles=frozenset({Role.TREASURER, Role.CFO}),
    waiting=_late,
    own=_nothing,
    rows=lambda: _rows("late_successes"),
    told=_late_item,
    risk=HIGH,
)
RETURN = Kind(
    name="return",
    label="Returns",
    for_roles=frozenset({Role.CFO}),
    waiting=_returned,
    own=_nothing,
    rows=lambda: _rows("reversals"),
    told=_returned_item,
    risk=HIGH,
)
