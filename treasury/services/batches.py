"""Making a batch and cancelling it; approving, confirming and executing it have files of their own.

A dry run is the real run, rolled back: whatever it says, the real one does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from ledger import audit, clock, idempotency
from ledger.actor import Actor
from ledger.audit import Change
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command, refusals_recorded
from ledger.models import User
from ledger.refusals import InvalidInput, RoleRequired
from treasury import duties, locks
from treasury.dates import Today
from treasury.events import PAYMENT_KINDS
from treasury.models import Batch, BatchRow, Payment, Requisition, TreasuryFund
from treasury.selectors import funds_seen_by, payments_due_by, requisitions_seen_by
from treasury.services.batch_facts import batch_facts, record_batch, take_time
from treasury.services.batch_rows import Plan, Wanted, plan_rows
from treasury.services.facts import requisition_facts
from treasury.services.telling import tell_payments, tell_requisitions
from treasury.sets import set_hash
from treasury.sheets import MOST_ROWS, Line, read_sheet
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
LONGEST_NAME = 160


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name, for people, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """What making a batch came to: the batch and all its rows; of a dry run nothing is kept."""

    batch: Batch
    rows: Sequence[BatchRow]
    dry_run: bool

    @property
    def pk(self) -> UUID:
        return self.batch.pk


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the batch is to be made of, out of which fund, and its name where none is given."""

    source: Batch.Source
    name: str
    fund: TreasuryFund
    wanted: Sequence[Wanted]


def create_batch(
    *,
    actor: Actor,
    fund_id: UUID | None = None,
    requisitions: Sequence[UUID] | None = None,
    upload: Upload | None = None,
    due_by: date | None = None,
    name: str = "",
    dry_run: bool = False,
    today: Today = clock.today,
) -> Draft:
    """Make a batch of approved requisitions, of the lines of a file, or of the payments due by a civil date.

    It pays out of one fund. Rows that cannot be paid are in it as refused, each with its reason; they block
    no other. Raises ``RoleRequired``, ``InvalidInput`` on ``fund``, ``requisitions``, ``file``, ``due_by``
    or, when no row can be paid, on the rows.
    """
    with refusals_recorded(actor=actor, action="batch.create", subject="batch.create"):
        user = _person(actor)
        if sum(one is not None for one in (requisitions, upload, due_by)) != 1:
            raise InvalidInput.on("body", "Send one of requisitions, file and due_by.")
        asked = _asked(user, fund_id, requisitions, upload, due_by)
        fund = asked.fund
        batch = Batch(
            batch_id=uuid4(),
            name=optional_text(name, field="name", longest=LONGEST_NAME) or asked.name,
            fund=fund,
            company_id=fund.company_id,
            currency=fund.currency,
            source=asked.source,
            file_hash=hashlib.sha256(upload.data).hexdigest() if upload else "",
            separate_executor=fund.company.separate_executor,
            created_by=user,
        )
    if not dry_run:
        return _create(actor=actor, batch=batch, wanted=asked.wanted, dry_run=False, today=today)
    # Of a dry run nothing is kept, an answer under the request's key neither: asked again it is run again.
    with idempotency.answering(None):
        return _create(actor=actor, batch=batch, wanted=asked.wanted, dry_run=True, today=today)


def _asked(
    user: User,
    fund_id: UUID | None,
    requisitions: Sequence[UUID] | None,
    upload: Upload | None,
    due_by: date | None,
) -> _Asked:
    if due_by is not None:
        fund = _fund(user, fund_id, [])
        duties.may_make_batch(Actor.of(user), fund, of_file=False)
        wanted = _due(user, fund, due_by)
        return _Asked(Batch.Source.DUE, f"Due by {due_by:%-d %B %Y}", fund, wanted)
    if upload is not None:
        wanted = [_wanted(line) for line in read_sheet(upload.data)]
        fund = _fund(user, fund_id, wanted)
        return _Asked(Batch.Source.FILE, _name_of_file(upload), fund, wanted)
    wanted = _listed(requisitions or ())
    fund = _fund(user, fund_id, wanted)
    duties.may_make_batch(Actor.of(user), fund, of_file=False)
    return _Asked(Batch.Source.REQUISITIONS, _name_of_list(wanted), fund, wanted)


def _due(user: User, fund: TreasuryFund, day: date) -> list[Wanted]:
    """What the fund is to pay by the day, but for what the user asked for or what waits in a batch."""
    waiting = BatchRow.objects.filter(status=BatchRowStatus.WAITING, payment__isnull=False)
    due = payments_due_by(user, fund.company, day).filter(fund=fund).exclude(requester=user)
    due = due.exclude(pk__in=waiting.values("payment"))
    ids = list(due.values_list("requisition", "pk")[:MOST_ROWS])
    if not ids:
        raise InvalidInput.on("due_by", "Nothing of this fund is due by then.")
    return [
        Wanted(number, str(requisition), payment_id=payment)
        for number, (requisition, payment) in enumerate(ids, start=1)
    ]


def _wanted(line: Line) -> Wanted:
    return Wanted(line.number, line.cells.get("requisition", ""), line=line)


def _listed(ids: Sequence[UUID]) -> list[Wanted]:
    if not 1 <= len(ids) <= MOST_ROWS:
        raise InvalidInput.on("requisitions", f"Name from 1 to {MOST_ROWS:,} requisitions.")
    return [Wanted(number, str(pk)) for number, pk in enumerate(ids, start=1)]


def _fund(user: User, fund_id: UUID | None, wanted: Sequence[Wanted]) -> TreasuryFund:
    """The fund that is named, else that of the first requisition, else the only one in sight."""
    seen = funds_seen_by(user)
    if fund_id is not None:
        fund = seen.filter(pk=fund_id).first()
        if fund is None:
            raise InvalidInput.on("fund", "There is no such fund.")
        return fund
    for one in wanted:
        try:
            named = requisitions_seen_by(user).filter(pk=UUID(one.requisition_id)).first()
        except ValueError:
            break
        if named is not None:
            return named.fund
    funds = list(seen[:2])
    if len(funds) == 1:
        return funds[0]
    if wanted and all(one.requisition_id for one in wanted):
        place = f"rows.{wanted[0].number}.requisition"
        raise InvalidInput.on(place, "There is no such requisition.")
    raise InvalidInput.on("fund", "Say which fund pays.")


@command("batch.create")
def _create(
    *,
    actor: Actor,
    batch: Batch,
    wanted: Sequence[Wanted],
    dry_run: bool,
    today: Today,
) -> Draft:
    duties.may_make_batch(actor, batch.fund)
    take_time()
    plan = plan_rows(batch, wanted, actor=actor, on=today(batch.fund.company))
    _require_some(plan)
    payable = plan.payable
    batch.count = len(payable)
    batch.total = sum((row.amount or Decimal(0) for row in payable), start=Decimal(0))
    batch.set_hash = set_hash(batch.pk, [row.digest for row in payable])
    _write(plan, actor)
    if dry_run:
        transaction.set_rollback(True)
    return Draft(batch, plan.rows, dry_run)


def _name_of_list(wanted: Sequence[Wanted]) -> str:
    return f"{len(wanted)} requisitions" if len(wanted) > 1 else "1 requisition"


def _name_of_file(upload: Upload) -> str:
    last = upload.name.replace("\\", "/").rpartition("/")[2]
    text = "".join(c for c in last if c.isprintable()).strip()
    return text[:LONGEST_NAME] or "Upload"


def _require_some(plan: Plan) -> None:
    """A batch in which nothing can be paid is refused, naming each row."""
    if plan.payable:
        return
    errors: dict[str, list[str]] = {}
    for row in plan.rows:
        place = f"rows.{row.number}.{row.error_field or 'row'}"
        errors.setdefault(place, []).append(row.error_message)
    first = plan.rows[0]
    raise InvalidInput(first.error_message, code=first.error_code, errors=errors)


def _write(plan: Plan, actor: Actor) -> None:
    """Write the batch, its rows and the requisitions it raises; few statements, however many rows."""
    batch = plan.batch
    batch.save(force_insert=True)
    Requisition.objects.bulk_create(plan.raised, batch_size=ROWS_AT_ONCE)
    BatchRow.objects.bulk_create(plan.rows, batch_size=ROWS_AT_ONCE)
    tell_requisitions(plan.raised, RequisitionStatus.SUBMITTED)
    audit.record_many(
        actor=actor,
        action="requisition.create",
        company_id=batch.company_id,
        changes=(
            Change(one.reference, after=requisition_facts(one) | {"batch": str(batch.pk)})
            for one in plan.raised
        ),
    )
    refused = len(plan.rows) - batch.count
    record_batch(actor, "batch.create", batch, before=None, more={"rows_refused": refused})


@command("batch.cancel")
def cancel_batch(*, actor: Actor, batch_id: UUID, reason: str = "") -> Batch:
    """Cancel what of a batch was not carried out yet, with the payments and requisitions it made.

    What has gone out stays. By a treasurer, a CFO, or whoever made it. Raises ``IllegalTransition``.
    """
    take_time()
    batch = locks.lock_batch(batch_id)
    duties.may_cancel_batch(actor, batch)
    reason = optional_text(reason, field="reason")
    require_transition(BATCH, batch.status, BatchStatus.CANCELLED, noun="batch")
    before = batch_facts(batch)
    rows = list(batch.rows.filter(status=BatchRowStatus.WAITING))
    locks.lock_rows_of_batch(rows)
    batch.rows.filter(status=BatchRowStatus.WAITING).update(
        status=BatchRowStatus.CANCELLED, processed_at=DatabaseClock()
    )
    _withdraw(batch, rows, actor)
    batch.codes.filter(consumed_at=None, voided_at=None).update(voided_at=DatabaseClock())
    batch.status = BatchStatus.CANCELLED
    batch.finished_at = database_now()
    batch.cancelled_by, batch.cancel_reason = actor.user, reason
    batch.save(update_fields=["status", "finished_at", "cancelled_by", "cancel_reason"])
    record_batch(actor, "batch.cancel", batch, before=before, more={"reason": reason})
    return batch


def _withdraw(batch: Batch, rows: Sequence[BatchRow], actor: Actor) -> None:
    """Cancel the pending payments that the batch made and the requisitions that it raised."""
    made = [row.payment_id for row in rows if row.payment_id and not row.adopted]
    payments = Payment.objects.filter(
        pk__in=made, status=PaymentStatus.PENDING, attempts__isnull=True
    )
    paid_off = list(payments.values_list("pk", flat=True))
    cancelled = Payment.objects.filter(pk__in=paid_off)
    cancelled.update(status=PaymentStatus.CANCELLED)
    tell_payments(cancelled.defer("destination"), PAYMENT_KINDS[PaymentStatus.CANCELLED])
    raised = [row.requisition_id for row in rows if row.raised and row.requisition_id]
    requisitions = Requisition.objects.filter(
        Q(status=RequisitionStatus.SUBMITTED) | Q(status=RequisitionStatus.APPROVED, committed=0),
        pk__in=raised,
    )
    withdrawn = list(requisitions.values_list("pk", flat=True))
    gone = Requisition.objects.filter(pk__in=withdrawn)
    gone.update(status=RequisitionStatus.CANCELLED, cancelled_at=DatabaseClock())
    tell_requisitions(gone.defer("destination"), RequisitionStatus.CANCELLED)
    for action, noun, ids in (
        ("payment.cancel", "payment", paid_off),
        ("requisition.cancel", "requisition", withdrawn),
    ):
        changes = [
            Change(f"treasury.{noun}:{pk}", after={"status": "cancelled", "batch": str(batch.pk)})
            for pk in ids
        ]
        audit.record_many(actor=actor, action=action, company_id=batch.company_id, changes=changes)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise RoleRequired("A batch is made by a person.")
    return actor.user
