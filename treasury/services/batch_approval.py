"""Approving a batch: one decision for the whole set, and what it brings about.

Who approves: a CFO always; where a row that raised its own requisition lies above the company's tier, an
approver as well, two persons. What was approved by requisition before needs only the CFO.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ledger import audit
from ledger.actor import Actor
from ledger.audit import Change
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Conflict, RoleRequired
from ledger.roles import Role
from treasury import duties, locks, methods, tiers
from treasury.authority import Authority
from treasury.events import PAYMENT_CREATED
from treasury.models import (
    ApprovalTier,
    Batch,
    BatchApproval,
    BatchRow,
    Payment,
    PaymentPolicy,
    Requisition,
    RequisitionApproval,
)
from treasury.services.approving import AlreadyApproved, authority_to_give
from treasury.services.batch_facts import batch_facts, current_items, record_batch, take_time
from treasury.services.batch_rows import refuse
from treasury.services.calendars import calendar_of
from treasury.services.step_up import require_step_up
from treasury.services.telling import tell_payments, tell_requisitions
from treasury.sets import set_hash
from treasury.states import (
    BATCH,
    BatchRowStatus,
    BatchStatus,
    PaymentStatus,
    RequisitionStatus,
    require_transition,
)
from treasury.texts import optional_text

ROWS_AT_ONCE = 1_000
NOBODY_SAW = "-"
REFRESHED = (
    "digest",
    "amount",
    "payee_name",
    "method",
    "destination_shown",
    "status",
    "error_field",
    "error_code",
    "error_message",
)
BEFORE_EXECUTION = (BatchStatus.SUBMITTED, BatchStatus.APPROVED)


class BatchChanged(Conflict):
    """A row, payment or requisition of the set is not as it was: its approval and code are void."""

    code = "batch_changed"
    title = "Batch changed"


def approve_batch(
    *, actor: Actor, batch_id: UUID, comment: str = "", seen_hash: str | None = None
) -> Batch:
    """Agree to the set as it is now; it is approved with the last approval that it needs.

    For oneself or for whoever delegated it. ``seen_hash`` is the ``set_hash`` that the approver looked at. Raises ``RoleRequired``,
    ``SegregationOfDuties`` for its maker and every requester in it, ``IllegalTransition``, ``BatchChanged``
    when he looked at another set or it has changed without anybody seeing it, ``StepUpRequired`` where its
    total is above the company's threshold, ``AlreadyApproved``.
    """
    if void_if_changed(actor=actor, batch_id=batch_id):
        seen_hash = seen_hash or NOBODY_SAW
    return _approve(actor=actor, batch_id=batch_id, comment=comment, seen_hash=seen_hash)


@command("batch.approve")
def _approve(*, actor: Actor, batch_id: UUID, comment: str, seen_hash: str | None) -> Batch:
    take_time()
    batch = locks.lock_batch(batch_id)
    needs = needed_roles(batch)
    ways = duties.may_approve_batch(actor, batch, roles=needs)
    comment = optional_text(comment, field="comment")
    require_transition(BATCH, batch.status, BatchStatus.APPROVED, noun="batch")
    if actor.user is None:
        raise RoleRequired("A batch is approved by a person.")
    before = batch_facts(batch)
    locks.lock_rows_of_batch(list(batch.rows.filter(status=BatchRowStatus.WAITING)))
    # Nothing can change from here on; what changed since it was last looked at is never agreed to.
    if seen_hash not in (None, batch.set_hash) or not is_unchanged(batch):
        raise BatchChanged("This is not the set that you looked at. Look at it again.")
    if not batch.count:
        raise Conflict("Nothing of this batch can be paid any more.", code="illegal_transition")
    require_step_up(actor, company_id=batch.company_id, currency=batch.currency, amount=batch.total)
    authority = _give(actor.user, ways, batch, needs, comment)
    if not missing_roles(batch, needs):
        _carry_approval(batch, actor)
        batch.status = BatchStatus.APPROVED
        batch.approved_at = database_now()
        batch.save(update_fields=["status", "approved_at"])
    more = {"approved_as": authority.role.value, "comment": comment, **authority.facts()}
    record_batch(actor, "batch.approve", batch, before=before, more=more)
    return batch


def void_if_changed(*, actor: Actor, batch_id: UUID) -> bool:
    """Write the set of a batch that has changed as it is now; its approvals and codes are void.

    Returns whether it had, up to the moment when it is executed. A transaction of its own, committed before whatever asked for it is refused.
    """
    with transaction.atomic(durable=True):
        take_time()
        batch = Batch.objects.filter(pk=batch_id, status__in=BEFORE_EXECUTION).first()
        if batch is None or is_unchanged(batch):
            return False
        batch = locks.lock_batch(batch_id)
        if batch.status not in BEFORE_EXECUTION or is_unchanged(batch):
            return False
        before = batch_facts(batch)
        batch.codes.filter(consumed_at=None, voided_at=None).update(voided_at=DatabaseClock())
        batch.status, batch.approved_at, batch.executor = BatchStatus.SUBMITTED, None, None
        batch.save(update_fields=["status", "approved_at", "executor"])
        _refresh(batch)
        record_batch(actor, "batch.void", batch, before=before)
    return True


def void_changed_batches(*, actor: Actor) -> int:
    """Write every set that is seen to have changed as it is now, approvals void; returns how many."""
    changed = _looks_changed()
    known = Batch.objects.filter(
        Q(status=BatchStatus.APPROVED) | Q(Exists(changed), status=BatchStatus.SUBMITTED)
    ).values_list("pk", flat=True)
    return sum(void_if_changed(actor=actor, batch_id=pk) for pk in list(known))


def _looks_changed() -> QuerySet[BatchRow]:
    """Rows of an outer batch that are not what they show; cheap, and no proof: approving looks at all."""
    asked = Q(requisition__status__in=(RequisitionStatus.SUBMITTED, RequisitionStatus.APPROVED))
    left = F("requisition__amount") - F("requisition__committed")
    return BatchRow.objects.filter(
        ~asked
        | ~Q(payee_name=F("requisition__payee_name"))
        | ~Q(method=F("requisition__method"))
        | Q(raised=True, requisition__version__gt=1)
        | Q(payment__isnull=True, amount__gt=left)
        | Q(payment__isnull=False) & ~Q(payment__status=PaymentStatus.PENDING)
        | Q(payment__isnull=False) & ~Q(payment__amount=F("amount")),
        batch=OuterRef("pk"),
        status=BatchRowStatus.WAITING,
    )


def is_unchanged(batch: Batch) -> bool:
    """Whether the rows that wait are, one by one, those of ``set_hash``."""
    return batch.set_hash == set_hash(batch.pk, [item.digest() for _, item in current_items(batch)])


def needed_roles(batch: Batch) -> frozenset[Role]:
    """Return the roles whose approvals the batch needs: the tiers' by row, and a CFO's in any case."""
    rows = batch.rows.filter(
        status=BatchRowStatus.WAITING,
        raised=True,
        requisition__status=RequisitionStatus.SUBMITTED,
    )
    amounts = set(rows.values_list("requisition__amount", flat=True).distinct())
    known = ApprovalTier.objects.filter(company=batch.company_id, currency=batch.currency)
    table = [tiers.Tier(up_to, needs) for up_to, needs in known.values_list("up_to", "needs")]
    if any(tiers.needed_for(amount, table) != tiers.ONE for amount in amounts):
        return frozenset(tiers.APPROVING_ROLES)
    return frozenset({Role.CFO})


def current_approvals(batch: Batch) -> list[BatchApproval]:
    """Return the approvals of the set as it is now, oldest first."""
    rows = batch.all_approvals.filter(set_hash=batch.set_hash)
    return list(rows.select_related("approver", "on_behalf_of"))


def missing_roles(batch: Batch, needs: frozenset[Role]) -> frozenset[Role]:
    """Return the roles that have not approved the set yet."""
    return needs - {Role(approval.role) for approval in current_approvals(batch)}


def _give(
    user: User, ways: list[Authority], batch: Batch, needs: frozenset[Role], comment: str
) -> Authority:
    """Write the person's approval, in the role that is missing; his own goes before a delegated one."""
    given = current_approvals(batch)
    if any(approval.approver_id == user.pk for approval in given):
        raise AlreadyApproved("You have approved this set; a second person is needed.")
    missing = missing_roles(batch, needs)
    authority = authority_to_give(user, ways, given, missing)
    BatchApproval.objects.create(
        batch=batch,
        set_hash=batch.set_hash,
        maker_id=batch.created_by_id,
        approver=user,
        role=authority.role,
        on_behalf_of_id=authority.on_behalf_of_id,
        delegation=authority.delegation,
        comment=comment,
    )
    return authority


def _refresh(batch: Batch) -> None:
    """Write a locked, submitted batch's set as it is now; rows that can no longer be paid drop out."""
    changed: list[BatchRow] = []
    digests: list[str] = []
    total = Decimal(0)
    for row, item in current_items(batch):
        digest = item.digest()
        if not item.open:
            refuse(row, BatchChanged("Its requisition or payment is no longer open."))
            changed.append(row)
            continue
        if digest != row.digest:
            row.digest, row.amount = digest, item.amount
            _show(row)
            changed.append(row)
        digests.append(digest)
        total += item.amount
    BatchRow.objects.bulk_update(changed, REFRESHED, batch_size=ROWS_AT_ONCE)
    batch.count, batch.total = len(digests), total
    batch.set_hash = set_hash(batch.pk, digests)
    batch.save(update_fields=["count", "total", "set_hash"])


def _show(row: BatchRow) -> None:
    """Write on the row, as an object, whom it pays now."""
    requisition = row.requisition
    assert requisition is not None
    row.payee_name, row.method = requisition.payee_name, requisition.method
    row.destination_shown = methods.shown(
        method=requisition.method, destination=requisition.destination
    )


def _carry_approval(batch: Batch, actor: Actor) -> None:
    """Approve what the rows raised, and make the payments; a handful of statements."""
    raised = list(
        Requisition.objects.filter(
            batch_rows__batch=batch,
            batch_rows__status=BatchRowStatus.WAITING,
            batch_rows__raised=True,
            status=RequisitionStatus.SUBMITTED,
        ).defer("destination")
    )
    RequisitionApproval.objects.bulk_create(
        (
            RequisitionApproval(
                requisition=requisition,
                version=requisition.version,
                requester_id=requisition.requested_by_id,
                approver=approval.approver,
                role=approval.role,
                on_behalf_of_id=approval.on_behalf_of_id,
                delegation_id=approval.delegation_id,
                comment=f"With batch {batch.name}"[:2000],
            )
            for requisition in raised
            for approval in current_approvals(batch)
        ),
        batch_size=ROWS_AT_ONCE,
        ignore_conflicts=True,
    )
    Requisition.objects.filter(pk__in=[one.pk for one in raised]).update(
        status=RequisitionStatus.APPROVED, approved_at=DatabaseClock()
    )
    tell_requisitions(raised, RequisitionStatus.APPROVED)
    facts = {"status": "approved", "batch": str(batch.pk)}
    changes = [Change(one.reference, after=facts) for one in raised]
    audit.record_many(
        actor=actor, action="requisition.approve", company_id=batch.company_id, changes=changes
    )
    _make_payments(batch, actor)


MAKE_PAYMENTS = """
    WITH target AS (
        SELECT one.row_id, gen_random_uuid() AS payment_id, one.amount, asked.requisition_id,
               asked.company_id, asked.fund_id, asked.requested_by_id, asked.currency, asked.method,
               asked.destination, asked.destination_index, one.scheduled_for, calendar.due_on
        FROM treasury_batchrow one JOIN treasury_requisition asked USING (requisition_id)
        LEFT JOIN unnest(%(days)s::date[], %(due)s::date[]) AS calendar (day, due_on)
            ON calendar.day = one.scheduled_for
        WHERE one.batch_id = %(batch)s AND one.status = 'waiting' AND one.payment_id IS NULL
    ), made AS (
        INSERT INTO treasury_payment (payment_id, requisition_id, company_id, fund_id, requester_id,
            separate_executor, amount, currency, method, destination, destination_index, status,
            version, otp_required, step_up_required, otp_verified, retry_count, max_retries, tries,
            last_error, body_hash, scheduled_for, due_on, scheduled_by_id, created_by_id)
        SELECT payment_id, requisition_id, company_id, fund_id, requested_by_id, %(separate)s, amount,
               currency, method, destination, destination_index, 'pending', 1, amount > %(above)s,
               coalesce(amount > %(step_up)s::numeric, false), false, 0, 3, 0, '', '',
               scheduled_for, due_on, CASE WHEN due_on IS NOT NULL THEN %(maker)s::uuid END, %(maker)s
        FROM target
    )
    SELECT row_id, payment_id FROM target
"""


def _make_payments(batch: Batch, actor: Actor) -> None:
    """Make a pending payment for each row that has none, of the amount approved."""
    policy = PaymentPolicy.objects.filter(company=batch.company_id, currency=batch.currency)
    above, step_up = policy.values_list("code_above", "step_up_above").first() or (None, None)
    due = _due_days(batch)
    with connection.cursor() as cursor:
        cursor.execute(
            MAKE_PAYMENTS,
            {
                "batch": batch.pk,
                "separate": batch.separate_executor,
                "above": Decimal(-1) if above is None else above,
                "step_up": step_up,
                "maker": batch.created_by_id,
                "days": list(due),
                "due": list(due.values()),
            },
        )
        made = cursor.fetchall()
        cursor.execute(
            """
            UPDATE treasury_batchrow SET payment_id = made.payment_id
            FROM unnest(%s::uuid[], %s::uuid[]) AS made (row_id, payment_id)
            WHERE treasury_batchrow.row_id = made.row_id
            """,
            [[row_id for row_id, _ in made], [payment_id for _, payment_id in made]],
        )
    payments = Payment.objects.filter(pk__in=[payment_id for _, payment_id in made])
    tell_payments(payments.defer("destination"), PAYMENT_CREATED)
    facts = {"status": "pending", "batch": str(batch.pk)}
    changes = [Change(f"treasury.payment:{payment_id}", after=facts) for _, payment_id in made]
    audit.record_many(
        actor=actor, action="payment.create", company_id=batch.company_id, changes=changes
    )


def _due_days(batch: Batch) -> dict[date, date]:
    """On which business day each day that rows of the batch name goes out."""
    rows = batch.rows.filter(status=BatchRowStatus.WAITING, payment=None)
    days = rows.exclude(scheduled_for=None).values_list("scheduled_for", flat=True).distinct()
    named = [day for day in days.order_by() if day]
    calendar = calendar_of(batch.fund.company) if named else None
    return {day: calendar.due_on(day) for day in named} if calendar else {}
