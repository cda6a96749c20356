"""One code for a whole batch, bound to its set; the rules are those of a payment's code.

A try is spent in a transaction of its own before the code is compared; wrong, expired, used and locked are
refused alike.
"""

from uuid import UUID

from django.conf import settings

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command
from ledger.models import User
from ledger.money import Money
from ledger.refusals import IllegalTransition, InvalidInput, TooManyRequests
from treasury import duties, locks, methods, otp
from treasury.messages import BatchCodeMessage, Reader, send_batch_code
from treasury.models import Batch, BatchCode, Payment
from treasury.services.batch_approval import void_if_changed
from treasury.services.batch_facts import batch_facts, record_batch
from treasury.services.codes import HOUR_S, InvalidCode, give_back_try, new_code, spend_try
from treasury.states import BatchRowStatus, BatchStatus

LARGEST_SHOWN = 3


def send_batch_otp(*, actor: Actor, batch_id: UUID) -> Batch:
    """Make the actor the executor of an approved batch, and send him a code for its set after the commit.

    Kills every code sent before. Raises ``RoleRequired``, ``SegregationOfDuties``, ``IllegalTransition``,
    ``NoAddress``, ``TooManyRequests`` within 60 s of his last one and beyond three an hour.
    """
    void_if_changed(actor=actor, batch_id=batch_id)
    return _send(actor=actor, batch_id=batch_id)


@command("batch.send_otp")
def _send(*, actor: Actor, batch_id: UUID) -> Batch:
    batch = locks.lock_batch(batch_id)
    user = duties.may_execute_batch(actor, batch)
    if batch.status != BatchStatus.APPROVED:
        raise IllegalTransition("A code is sent only while the batch is approved.")
    reader = Reader.of(user)
    _require_patience(batch, user)
    before = batch_facts(batch)
    batch.codes.filter(consumed_at=None, voided_at=None).update(voided_at=DatabaseClock())
    text = _new_code(batch, user)
    batch.executor = user
    batch.save(update_fields=["executor"])
    record_batch(actor, "batch.send_otp", batch, before=before)
    message = _message(batch, reader, text)
    after_commit(lambda: send_batch_code(message))
    return batch


def verify_batch_otp(*, actor: Actor, batch_id: UUID, otp: str) -> Batch:
    """Take the code that the executor gives back; the batch may be executed until the code ends.

    Raises ``RoleRequired``, ``NotTheExecutor``, ``SegregationOfDuties``, ``InvalidInput`` for what is not
    six digits, and ``InvalidCode`` for everything else that is not the live code of this set.
    """
    void_if_changed(actor=actor, batch_id=batch_id)
    return _verify(actor=actor, batch_id=batch_id, given=otp)


def _verify(*, actor: Actor, batch_id: UUID, given: str) -> Batch:
    spent = None
    if otp.is_well_formed(given):
        spent = spend_try(actor, table="treasury_batchcode", column="batch_id", about=batch_id)
    return _confirm(actor=actor, batch_id=batch_id, given=given, spent=spent)


@command("batch.verify_otp")
def _confirm(*, actor: Actor, batch_id: UUID, given: str, spent: UUID | None) -> Batch:
    """Compare the code that a try was spent on, under the batch's lock."""
    batch = locks.lock_batch(batch_id)
    duties.may_verify_batch_code(actor, batch)
    if not otp.is_well_formed(given):
        raise InvalidInput.on("otp", "A code has six digits.")
    code = locks.lock_live_batch_code(batch)
    now = database_now()
    if not _is_right(code, batch, given, spent) or code is None or code.expires_at <= now:
        raise InvalidCode.on("otp", "This code is not valid.")
    before = batch_facts(batch)
    code.verified_at = now
    code.save(update_fields=["verified_at"])
    give_back_try(actor)
    record_batch(actor, "batch.verify_otp", batch, before=before)
    return batch


def consume_batch_code(batch: Batch, user: User) -> BatchCode | None:
    """Use up the verification of a locked batch whose set is unchanged; None if there is none that is good now."""
    code = locks.lock_live_batch_code(batch)
    bound = otp.bound_digest(key=settings.BURSAR_OTP_KEY, bound=_bound(batch, user.pk))
    now = database_now()
    if code is None or code.verified_at is None or code.expires_at <= now:
        return None
    if code.executor_id != user.pk or not otp.matches(code.bound_digest, bound):
        return None
    code.consumed_at = now
    code.save(update_fields=["consumed_at"])
    return code


def _is_right(code: BatchCode | None, batch: Batch, text: str, spent: UUID | None) -> bool:
    """Whether this is the live code; a digest is made in every case, so that all take as long."""
    given = otp.digest(
        key=settings.BURSAR_OTP_KEY,
        code_id=code.pk if code else batch.pk,
        bound=_bound(batch, batch.executor_id or batch.pk),
        otp=text,
    )
    expected = code.digest if code else "0" * len(given)
    matches = otp.matches(expected, given)
    return (
        matches
        and code is not None
        and code.pk == spent
        and code.verified_at is None
        and batch.status == BatchStatus.APPROVED
    )


def _require_patience(batch: Batch, user: User) -> None:
    now = database_now()
    live = locks.lock_live_batch_code(batch)
    if live is not None and live.executor_id == user.pk:
        waited = now - live.sent_at
        if waited < otp.BETWEEN_SENDS:
            left = int((otp.BETWEEN_SENDS - waited).total_seconds()) + 1
            raise TooManyRequests("A code was sent a moment ago.", retry_after=left)
    recent = batch.codes.filter(sent_at__gt=now - otp.BETWEEN_SENDS * 60).order_by("sent_at")
    sent = list(recent.values_list("sent_at", flat=True))
    if len(sent) >= otp.MOST_CODES_AN_HOUR:
        left = HOUR_S - int((now - sent[-otp.MOST_CODES_AN_HOUR]).total_seconds()) + 1
        raise TooManyRequests("Three codes were sent within the hour.", retry_after=left)


def _new_code(batch: Batch, user: User) -> str:
    text, kept = new_code(_bound(batch, user.pk))
    BatchCode.objects.create(batch=batch, set_hash=batch.set_hash, executor=user, **kept)
    return text


def _bound(batch: Batch, executor_id: UUID) -> otp.BoundSet:
    return otp.BoundSet(
        batch_id=batch.pk,
        set_hash=batch.set_hash,
        count=batch.count,
        total=batch.total,
        currency=batch.currency,
        executor_id=executor_id,
    )


def _where(payment: Payment) -> str:
    return methods.shown(method=payment.method, destination=payment.destination)


def _message(batch: Batch, reader: Reader, text: str) -> BatchCodeMessage:
    rows = batch.rows.filter(status=BatchRowStatus.WAITING).select_related("payment")
    largest = [
        f"{Money(row.amount, row.currency)} to {row.payee_name}"
        f" ({_where(row.payment)}, {row.payment.get_method_display()})"
        for row in rows.order_by("-amount", "number")[:LARGEST_SHOWN]
        if row.payment and row.amount
    ]
    return BatchCodeMessage(
        to=reader,
        name=batch.name,
        count=batch.count,
        total=str(Money(batch.total, batch.currency)),
        largest=largest,
        otp=text,
    )
