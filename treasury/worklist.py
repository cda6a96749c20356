"""The queue of those who approve: everything that waits for a person, whatever its kind, in one order.

What is riskiest comes first, then what has waited longest. Each kind is read by an index in that order and
no further than the page needs, so that a page costs the same however many payments there are. What the
person asked for himself stands in the queue too, locked, so that nothing seems to be lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When

from ledger.access import within_reach
from ledger.models import User
from ledger.roles import Role
from treasury.models import (
    Batch,
    Incident,
    Payment,
    Question,
    ReplenishmentRequest,
    Requisition,
    Reversal,
    VarianceAdjustment,
)
from treasury.payees import WITHDRAWN
from treasury.risk import LOOKS_TWICE_WITHIN, Risk
from treasury.selectors import (
    batches_awaiting,
    batches_seen_by,
    payments_awaiting,
    payments_seen_by,
    replenishments_awaiting,
    replenishments_seen_by,
    requisitions_awaiting,
    requisitions_seen_by,
    variances_awaiting,
    variances_seen_by,
)
from treasury.states import (
    BatchStatus,
    PaymentStatus,
    ReplenishmentStatus,
    RequisitionStatus,
    VarianceStatus,
)

PAGE_SIZE = 25
LAST_PAGE = 40
MOST_COUNTED = 100
OWN = "You asked for this: somebody else decides."
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits: what it is, what it is about, since when, and why it is locked, if it is."""

    kind: str
    row: Any
    risk: Risk
    since: datetime
    amount: Decimal
    currency: str
    title: str
    about: str
    made_by: str
    locked: str = ""
    looks_paid_twice: bool = False
    has_question: bool = False

    @property
    def key(self) -> str:
        """Its name on the page and in its addresses."""
        return f"{self.kind}:{self.row.pk}"

    @property
    def fund(self) -> Any:
        return self.row.payment.fund if self.kind == "variance" else self.row.fund

    @property
    def can_be_many(self) -> bool:
        """Whether it can be ticked, to be approved together with others."""
        return not self.locked and self.kind in KINDS_FOR_MANY


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that waits: how its rows are found, ordered and told."""

    name: str
    label: str
    waiting: Callable[[User], Rows]
    own: Callable[[User], Rows]
    told: Callable[[Any, User], Item]
    fund: str
    order: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the queue, and whether there is another."""

    items: Sequence[Item]
    number: int
    more: bool


# --- Requisitions ---------------------------------------------------------------------------------------


def _own_requisitions(user: User) -> Rows:
    mine = requisitions_seen_by(user).filter(requested_by=user, status=RequisitionStatus.SUBMITTED)
    return _with_doubts(mine.filter(within_reach(user, "fund__", (Role.APPROVER, Role.CFO))))


def _with_doubts(rows: Rows) -> Rows:
    """Add what is asked about each row alone; of a page, never of all rows."""
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
    seen: Rows = rows.annotate(looks_paid_twice=Exists(twins)).select_related("fund__account")
    return seen


def _requisition(row: Requisition, user: User) -> Item:
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
        looks_paid_twice=getattr(row, "looks_paid_twice", False),
    )


# --- Variances ------------------------------------------------------------------------------------------


def _weighed(rows: Rows) -> Rows:
    """A variance that takes money from the fund wants to be looked at before one that brings some back."""
    weight = Case(
        When(variance_amount__gt=0, then=Value(int(Risk.RAISED))),
        default=Value(int(Risk.ORDINARY)),
        output_field=IntegerField(),
    )
    weighed: Rows = rows.annotate(weight=weight)
    return weighed.select_related("payment__requisition", "payment__fund__account")


def _own_variances(user: User) -> Rows:
    mine = variances_seen_by(user).filter(recorded_by=user, status=VarianceStatus.PENDING)
    return _weighed(mine.filter(within_reach(user, "payment__fund__", (Role.CFO,))))


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


def _replenishments(user: User) -> Rows:
    rows = replenishments_awaiting(user).filter(status=ReplenishmentStatus.PENDING)
    return rows.select_related("fund__account", "fund__company", "requested_by")


def _own_replenishments(user: User) -> Rows:
    mine = replenishments_seen_by(user).filter(
        requested_by=user, status=ReplenishmentStatus.PENDING
    )
    mine = mine.filter(within_reach(user, "fund__", (Role.CFO,)))
    return mine.select_related("fund__account", "fund__company", "requested_by")


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


# --- Payments in review ---------------------------------------------------------------------------------


def _in_review(user: User) -> Rows:
    rows = payments_awaiting(user).filter(status=PaymentStatus.REVIEW)
    return rows.select_related("requisition", "fund__account", "executor", "requester")


def _own_reviews(user: User) -> Rows:
    mine = payments_seen_by(user).filter(requester=user, status=PaymentStatus.REVIEW)
    mine = mine.filter(within_reach(user, "fund__", (Role.CFO, Role.TREASURER)))
    return mine.select_related("requisition", "fund__account", "executor", "requester")


def _review(row: Payment, user: User) -> Item:
    proposed = [one for one in row.resolutions.all() if one.is_open]
    locked = OWN if row.requester_id == user.pk else ""
    if not locked and proposed and proposed[0].proposed_by_id == user.pk:
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
        about=f"{proposed[0].get_outcome_display()}, says {proposed[0].proposed_by}"
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
    rows = rows.filter(within_reach(user, "fund__", (Role.CFO, Role.TREASURER)))
    rows = rows.select_related("requisition", "fund__account", "executor", "requester")
    return rows.prefetch_related("late_successes__proposed_by")


def _returned(user: User) -> Rows:
    """Payments whose money came back, as one person says, until a CFO confirms it."""
    open_ones = Reversal.objects.filter(confirmed_at=None, withdrawn_at=None)
    rows = payments_seen_by(user).filter(pk__in=open_ones.values("payment"))
    rows = rows.filter(within_reach(user, "fund__", (Role.CFO,)))
    rows = rows.select_related("requisition", "fund__account", "executor", "requester")
    return rows.prefetch_related("reversals__proposed_by")


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
    proposed = next(one for one in row.reversals.all() if one.is_open)
    return _finding(row, user, "return", proposed, f"It came back: {proposed.evidence}")


# --- Batches --------------------------------------------------------------------------------------------


def _batches(user: User) -> Rows:
    rows = batches_awaiting(user).filter(status=BatchStatus.SUBMITTED)
    return rows.select_related("fund__account", "fund__company", "created_by")


def _own_batches(user: User) -> Rows:
    mine = batches_seen_by(user).filter(created_by=user, status=BatchStatus.SUBMITTED)
    mine = mine.filter(within_reach(user, "fund__", (Role.APPROVER, Role.CFO)))
    return mine.select_related("fund__account", "fund__company", "created_by")


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


BY_AGE = ("created_at", "pk")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "requisition",
            "Requisitions",
            lambda user: _with_doubts(requisitions_awaiting(user)),
            _own_requisitions,
            _requisition,
            "fund",
            ("-risk", "requested_at", "requisition_id"),
        ),
        Kind(
            "variance",
            "Variances",
            lambda user: _weighed(variances_awaiting(user)),
            _own_variances,
            _variance,
            "payment__fund",
            ("-weight", *BY_AGE),
        ),
        Kind(
            "replenishment",
            "Replenishments",
            _replenishments,
            _own_replenishments,
            _replenishment,
            "fund",
            BY_AGE,
        ),
        Kind("review", "Unknown outcomes", _in_review, _own_reviews, _review, "fund", BY_AGE),
        Kind("batch", "Batches", _batches, _own_batches, _batch, "fund", BY_AGE),
        Kind("late", "Late successes", _late, _nothing, _late_item, "fund", BY_AGE),
        Kind("return", "Returns", _returned, _nothing, _returned_item, "fund", BY_AGE),
    )
}
KINDS_FOR_MANY = frozenset({"requisition", "variance", "replenishment"})


def page_of_queue(
    user: User, *, number: int = 1, kind: str = "", fund_id: UUID | None = None
) -> Page:
    """Return one page of what waits for the user; ``kind`` and ``fund_id`` narrow it."""
    number = min(max(number, 1), LAST_PAGE)
    end = number * PAGE_SIZE
    found: list[Item] = []
    for one in KINDS.values():
        if kind in {"", one.name}:
            found += _first(one, user, fund_id, end + 1)
    found.sort(key=lambda item: (-item.risk, item.since, item.key))
    shown = found[end - PAGE_SIZE : end]
    return Page(_questioned(shown), number, more=len(found) > end and number < LAST_PAGE)


def count_of(user: User, kind: str, *, fund_id: UUID | None = None) -> int:
    """Return how many of a kind wait for the user to decide, no further than a hundred."""
    rows = _of_fund(KINDS[kind], KINDS[kind].waiting(user), fund_id)
    return rows.order_by().values("pk")[:MOST_COUNTED].count()


def find(user: User, kind: str, subject_id: UUID) -> Item | None:
    """Return one thing that waits for the user or is locked for him; None where it is neither."""
    if kind not in KINDS:
        return None
    one = KINDS[kind]
    for rows in (one.waiting(user), one.own(user)):
        row = rows.filter(pk=subject_id).first()
        if row is not None:
            return _questioned([one.told(row, user)])[0]
    return None


def _first(kind: Kind, user: User, fund_id: UUID | None, many: int) -> list[Item]:
    """The first rows of a kind in its order, those of the person himself among them."""
    rows: list[Any] = []
    for source in (kind.waiting(user), kind.own(user)):
        rows += _of_fund(kind, source, fund_id).order_by(*kind.order)[:many]
    return [kind.told(row, user) for row in rows]


def _of_fund(kind: Kind, rows: Rows, fund_id: UUID | None) -> Rows:
    return rows.filter(**{kind.fund: fund_id}) if fund_id else rows


def _questioned(items: Sequence[Item]) -> list[Item]:
    """Mark the items about which a question is still open; one query for all."""
    subjects = {item.row.reference: item for item in items}
    open_ones = Question.objects.filter(subject__in=subjects, answered_at=None)
    asked = set(open_ones.values_list("subject", flat=True))
    return [
        replace(item, has_question=True) if item.row.reference in asked else item for item in items
    ]
