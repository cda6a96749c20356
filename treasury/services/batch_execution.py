"""Executing a batch: confirmed once, then carried out by workers in chunks, each row for itself.

A chunk is one transaction: its rows and their payments change together or not at all, so that whoever dies
in it leaves no row half done, and whoever comes after takes up what waits. Its worker holds the batch's
lock; a second one that finds it locked leaves it alone.
"""

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet, Sum

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import TRY_AGAIN, after_commit, command
from ledger.models import Account, User
from ledger.money import format_amount
from ledger.refusals import IllegalTransition, InsufficientFunds, Refusal
from payments.services import breaker
from treasury import duties, locks, methods, readiness, segregation
from treasury.dates import Today
from treasury.models import Batch, BatchCode, BatchRow, Incident, Payment
from treasury.queue import wake
from treasury.services.batch_approval import (
    BatchChanged,
    is_unchanged,
    void_changed_batches,
    void_if_changed,
)
from treasury.services.batch_codes import consume_batch_code
from treasury.services.batch_facts import batch_facts, record_batch, take_time
from treasury.services.batch_rows import item_of, refuse
from treasury.services.execution import ProviderUnavailable, carry_out
from treasury.services.passes import attempted, for_each
from treasury.services.payments import LateSuccess
from treasury.services.settlement import Proof, settle_many
from treasury.services.step_up import require_fresh, require_step_up
from treasury.states import BATCH, BatchRowStatus, BatchStatus, require_transition

logger = logging.getLogger(__name__)
CHUNK = 500
# Shorter than the broker waits before it hands a task out again.
LONGEST_RUN = timedelta(seconds=60)
# Whoever pauses or cancels waits for the chunk that is being carried out; a lock is waited for 3 s.
LONGEST_CHUNK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _By:
    """Who executes the batch, as himself and as the one who acts, what date it is, and the code he used."""

    user: User
    executor: Actor
    today: Today
    code: BatchCode | None


def execute_batch(*, actor: Actor, batch_id: UUID) -> Batch:
    """Start an approved batch, using up the executor's verification; workers carry it out.

    Raises ``RoleRequired``, ``SegregationOfDuties``, ``IllegalTransition``, ``BatchChanged``,
    ``StepUpRequired``, ``CodeRequired``; then nothing is executed, and a set that has changed is submitted again.
    """
    try:
        return _start(actor=actor, batch_id=batch_id)
    except BatchChanged:
        void_if_changed(actor=actor, batch_id=batch_id)
        raise


@command("batch.execute")
def _start(*, actor: Actor, batch_id: UUID) -> Batch:
    take_time()
    batch = locks.lock_batch(batch_id)
    user = duties.may_execute_batch(actor, batch)
    if batch.status != BatchStatus.APPROVED:
        raise IllegalTransition(f"A batch that is {batch.status} cannot be executed.")
    if not is_unchanged(batch):
        raise BatchChanged("A part of it has changed: it is to be approved again, as it is now.")
    _require_second_factor(batch, actor)
    before = batch_facts(batch)
    if consume_batch_code(batch, user) is None:
        raise readiness.CodeRequired("This batch needs a code that you have verified.")
    batch.status, batch.executor = BatchStatus.EXECUTING, user
    batch.executor_ip, batch.executor_agent = actor.ip_address, actor.user_agent
    batch.started_at = database_now()
    batch.save(update_fields=["status", "executor", "executor_ip", "executor_agent", "started_at"])
    record_batch(actor, "batch.execute", batch, before=before)
    _wake_after_commit(batch)
    return batch


def _require_second_factor(batch: Batch, actor: Actor) -> None:
    """Ask for it above the threshold, by the total now, and where one of the payments does."""
    require_step_up(actor, company_id=batch.company_id, currency=batch.currency, amount=batch.total)
    waiting = batch.rows.filter(status=BatchRowStatus.WAITING)
    if waiting.filter(payment__step_up_required=True).exists():
        require_fresh(actor)


@command("batch.pause")
def pause_batch(*, actor: Actor, batch_id: UUID) -> Batch:
    """Stop a batch after the chunk that is being carried out. Raises ``IllegalTransition``."""
    batch = locks.lock_batch(batch_id)
    duties.may_pause_batch(actor, batch)
    _move(batch, BatchStatus.PAUSED, "batch.pause", actor)
    return batch


@command("batch.resume")
def resume_batch(*, actor: Actor, batch_id: UUID) -> Batch:
    """Let a paused batch go on, under the executor who confirmed it. Raises ``IllegalTransition``."""
    batch = locks.lock_batch(batch_id)
    duties.may_resume_batch(actor, batch)
    if batch.status != BatchStatus.PAUSED:
        raise IllegalTransition(f"A batch that is {batch.status} cannot be resumed.")
    _move(batch, BatchStatus.EXECUTING, "batch.resume", actor)
    _wake_after_commit(batch)
    return batch


def run_batch(*, actor: Actor, batch_id: UUID, today: Today) -> int:
    """Carry out chunks until nothing waits, or somebody else has the batch; returns how many.

    After a minute it hands over to a fresh task.
    """
    chunks = 0
    deadline = time.monotonic() + LONGEST_RUN.total_seconds()
    while carry_out_chunk(actor=actor, batch_id=batch_id, today=today):
        chunks += 1
        if time.monotonic() > deadline:
            wake("run_batch", batch_id=str(batch_id))
            break
    return chunks


def continue_batches(*, actor: Actor, today: Today) -> int:
    """Go on with every batch whose worker is gone, and void approvals of sets that have changed."""
    attempted(lambda: bool(void_changed_batches(actor=actor)))
    running = Batch.objects.filter(status=BatchStatus.EXECUTING).order_by("started_at")
    ids = list(running.values_list("pk", flat=True))
    return for_each(ids, lambda pk: run_batch(actor=actor, batch_id=pk, today=today))


@command("batch.carry_out")
def carry_out_chunk(*, actor: Actor, batch_id: UUID, today: Today) -> bool:
    """Carry out the next rows of a batch that is being executed; returns whether there may be more."""
    batch = locks.lock_free_batch(batch_id)
    if batch is None or batch.status != BatchStatus.EXECUTING or batch.executor is None:
        return False
    waiting = batch.rows.filter(status=BatchRowStatus.WAITING).order_by("number")
    # What is scheduled for a later day waits for it, and what goes through a provider that is stopped or does
    # not answer for the provider; the sweeper comes by until then.
    later = Q(payment__due_on__gt=today(batch.fund.company))
    rows = list(waiting.exclude(later).exclude(payment__method__in=_halted(batch))[:CHUNK])
    if not rows:
        if not waiting.exists():
            _complete(batch, actor)
        return False
    executor = Actor.of(
        batch.executor, ip_address=batch.executor_ip, user_agent=batch.executor_agent
    )
    try:
        # The whole was asked about when it was started: about each part again, and about no other.
        numbers = rows[0].number, rows[-1].number
        user = duties.may_execute_batch(executor, batch, numbers=numbers)
    except Refusal as refusal:
        _move(batch, BatchStatus.PAUSED, "batch.pause", actor, reason=refusal.detail)
        return False
    code = batch.codes.filter(consumed_at__isnull=False).first()
    _carry_out_rows(rows, _By(user, executor, today, code))
    if not waiting.exists():
        _complete(batch, actor)
        return False
    return True


def _halted(batch: Batch) -> list[str]:
    """The methods whose provider takes nothing just now."""
    providers = breaker.halted(company_id=batch.company_id, currency=batch.currency)
    return list(providers.values_list("kind", flat=True))


def _carry_out_rows(rows: Sequence[BatchRow], by: _By) -> None:
    """Write on each row what came of it: cash together where that goes through, else one by one."""
    payments = locks.lock_rows_of_batch(rows)
    late = _paid_late(payments)
    ready = [row for row in rows if _is_ready(row, payments, by, late)]
    cash = _affordable([row for row in ready if not _by_gateway(row, payments)], payments)
    alone = [row for row in ready if row.status == BatchRowStatus.WAITING]
    if len(cash) > 1 and _settled_together(cash, payments, by):
        for row in cash:
            row.status = BatchRowStatus.DONE
        alone = [row for row in alone if row.status == BatchRowStatus.WAITING]
    elif len(cash) > 1:
        payments = locks.lock_rows_of_batch(rows)
    until = time.monotonic() + LONGEST_CHUNK.total_seconds()
    for row in alone:
        _carry_out_alone(row, payments, by)
        if time.monotonic() >= until:
            break
    _write_down(rows)


def _write_down(rows: Sequence[BatchRow]) -> None:
    """Write what came of the rows: of those that are done at once, of those refused each for itself."""
    now = database_now()
    done = [row.pk for row in rows if row.status == BatchRowStatus.DONE]
    BatchRow.objects.filter(pk__in=done).update(status=BatchRowStatus.DONE, processed_at=now)
    others = [row for row in rows if row.status == BatchRowStatus.REFUSED]
    for row in others:
        row.processed_at = now
    fields = ["status", "error_field", "error_code", "error_message", "processed_at"]
    BatchRow.objects.bulk_update(others, fields)


def _is_ready(
    row: BatchRow, payments: dict[UUID, Payment], by: _By, late: Collection[UUID]
) -> bool:
    """Whether the row is what was approved and can be paid; refused on the row otherwise."""
    payment = payments.get(row.payment_id) if row.payment_id else None
    try:
        if payment is None or item_of(row, payment.requisition, payment).digest() != row.digest:
            raise BatchChanged("Its requisition or payment is not as it was approved.")
        segregation.require_not_requester(
            user_id=by.user.pk, requester_id=payment.requester_id, act="execute"
        )
        readiness.require_executable_state(payment)
        readiness.require_due(payment, on=by.today(payment.fund.company))
        if payment.requisition_id in late:
            raise LateSuccess("The gateway says that an earlier payment of this did pay.")
    except Refusal as refusal:
        refuse(row, refusal)
        return False
    return True


def _by_gateway(row: BatchRow, payments: dict[UUID, Payment]) -> bool:
    return payments[_paid_by(row)].method in methods.BY_GATEWAY


def _paid_by(row: BatchRow) -> UUID:
    assert row.payment_id is not None
    return row.payment_id


def _affordable(cash: Sequence[BatchRow], payments: dict[UUID, Payment]) -> list[BatchRow]:
    """The rows, in order, that the locked fund has money for; the others are refused."""
    if not cash:
        return []
    fund = payments[_paid_by(cash[0])].fund
    left = Account.objects.get(pk=fund.account_id).available
    found = []
    for row in cash:
        amount = payments[_paid_by(row)].amount
        if amount > left:
            refuse(row, InsufficientFunds("The fund has less available than this amount."))
            continue
        left -= amount
        found.append(row)
    return found


def _settled_together(cash: Sequence[BatchRow], payments: dict[UUID, Payment], by: _By) -> bool:
    """Settle the rows in one go and return True; or, where one of them is refused, none of them."""
    some = [payments[_paid_by(row)] for row in cash]
    agent = by.executor.user_agent
    proof = Proof(by.user.pk, by.executor.ip_address, agent, None, batch_code=by.code)
    try:
        with transaction.atomic():
            settle_many(some, proof=proof, on=by.today(some[0].fund.company), actor=by.executor)
    except Refusal:
        return False
    except DatabaseError as error:
        if _asks_again(error):
            raise
        logger.info("rows of a batch are settled one by one", exc_info=error)
        return False
    return True


def _carry_out_alone(row: BatchRow, payments: dict[UUID, Payment], by: _By) -> None:
    """Pay one row as its payment's own command would; the batch's code stands for the payment's."""
    try:
        with transaction.atomic():
            carry_out(
                payments[_paid_by(row)],
                user=by.user,
                code=None,
                actor=by.executor,
                today=by.today,
                batch_code=by.code,
            )
        row.status = BatchRowStatus.DONE
    except ProviderUnavailable as refusal:
        # Halted since this chunk began: it waits, as the rows after it.
        if payments[_paid_by(row)].method not in _halted(row.batch):
            refuse(row, refusal)
    except Refusal as refusal:
        refuse(row, refusal)
    except DatabaseError as error:
        if _asks_again(error):
            raise
        logger.exception("row %s of batch %s failed", row.number, row.batch_id)
        refuse(row, Refusal("This could not be done; nothing was paid.", code="internal"))


def _asks_again(error: DatabaseError) -> bool:
    """Whether the whole chunk is to be run again: a deadlock, a lock that took too long."""
    return getattr(error.__cause__, "sqlstate", None) in TRY_AGAIN


def _paid_late(payments: dict[UUID, Payment]) -> set[UUID]:
    """The requisitions whose money may have gone already by a payment that had failed."""
    ids = [payment.requisition_id for payment in payments.values()]
    rows = Incident.objects.filter(payment__requisition__in=ids, kind=Incident.Kind.LATE_SUCCESS)
    return set(rows.values_list("payment__requisition", flat=True))


def _complete(batch: Batch, actor: Actor) -> None:
    before = batch_facts(batch)
    require_transition(BATCH, batch.status, BatchStatus.COMPLETED, noun="batch")
    batch.status, batch.finished_at = BatchStatus.COMPLETED, database_now()
    batch.save(update_fields=["status", "finished_at"])
    done = batch.rows.filter(status=BatchRowStatus.DONE)
    more = {"rows_done": done.count(), "amount_done": _sum_of(done, batch.currency)}
    record_batch(actor, "batch.complete", batch, before=before, more=more)


def _sum_of(rows: QuerySet[BatchRow], currency: str) -> str:
    total = rows.aggregate(s=Sum("amount"))["s"] or Decimal(0)
    return format_amount(total, currency)


def _move(
    batch: Batch, target: BatchStatus, action: str, actor: Actor, *, reason: str = ""
) -> None:
    require_transition(BATCH, batch.status, target, noun="batch")
    before = batch_facts(batch)
    batch.status = target
    batch.save(update_fields=["status"])
    more = {"reason": reason} if reason else None
    record_batch(actor, action, batch, before=before, more=more)


def _wake_after_commit(batch: Batch) -> None:
    batch_id = str(batch.pk)
    after_commit(lambda: wake("run_batch", batch_id=batch_id))
