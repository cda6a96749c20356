"""The two ends of a payment: settled, or released. Plain functions inside a command, on locked rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import IntegrityError

from ledger import idempotency
from ledger.actor import Actor
from ledger.commands import NotAtOnce, require_transaction
from ledger.models import Side
from ledger.rows import join, known_row
from ledger.services import posting
from ledger.services.posting import Line, Posting
from treasury import locks
from treasury.limits import limits_refuse
from treasury.models import BatchCode, OneTimeCode, Payment, PaymentAttempt, PaymentExecution
from treasury.readiness import CodeRequired
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.services.replenishment import request_if_low
from treasury.services.telling import (
    paid_requisition_payload,
    payment_payload,
    tell_payment,
)
from treasury.states import (
    PAYMENT,
    PaymentStatus,
    RequisitionStatus,
    require_transition,
)


class Statement(NamedTuple):
    """What settles: its text, the parameters that come first, and whether it is a transaction by itself."""

    text: str
    first: tuple[Any, ...] = ()
    alone: bool = False


# Made once the payments say that they are paid, for an answer may be kept by it.
Wording = Callable[[], Statement]
# What settling changes on a payment.
SETTLED = ("status", "executor_id", "last_error", "spent_on")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the execution record keeps: who executed from where, the code he verified, the receipt.

    ``releases`` is the reference of the hold that ends with the posting, None where nothing was held;
    ``batch_code`` the code of the set that it went out with, which was used up when the set was started. It
    was executed ``at`` that instant of the database's clock, under the locks; None: when it is settled.
    """

    executor_id: UUID
    ip_address: str | None
    user_agent: str
    code: OneTimeCode | None
    gateway_reference: str = ""
    gateway_status: str = ""
    releases: str | None = None
    batch_code: BatchCode | None = None
    at: datetime | None = None

    @property
    def verified_at(self) -> datetime | None:
        """When the executor verified the code that this payment went out under."""
        used = self.code or self.batch_code
        return used.verified_at if used else None

    @property
    def verified_by_id(self) -> UUID | None:
        used = self.code or self.batch_code
        return used.executor_id if used else None


def settle(payment: Payment, *, proof: Proof, on: date, actor: Actor) -> PaymentExecution:
    """Book a locked payment as paid on the civil date ``on``, and return its execution.

    Posts, writes the execution, marks payment and requisition, uses up a verified code that is not yet, and
    asks for a replenishment when the fund runs low. Raises ``CodeRequired`` when the code ended meanwhile,
    and ``VelocityLimit``, ``CoolingOff`` and ``InsufficientFunds`` where nothing was reserved.
    """
    execution = _execution(payment, proof)
    written = _settled([payment], [execution], proof, on, actor, lambda: Statement(SETTLE_ONE))
    execution.journal_entry_id, execution.created_at = written[payment.pk]
    return execution


def settle_and_answer(payment: Payment, *, proof: Proof, on: date, actor: Actor) -> None:
    """Settle a payment that the running command returns, and keep the command's answer by the same statement.

    As ``settle`` does it; ``proof`` says when. So the payment says all that the answer will before anything
    is written.
    """
    _settle_as_said(
        payment, proof, on, actor, lambda: Statement(*idempotency.completing(SETTLE_ONE, payment))
    )


def settle_as_seen(look: locks.Look, *, proof: Proof, on: date, actor: Actor) -> None:
    """Lock, settle and answer in one statement, a transaction by itself, what was looked at without a lock.

    As ``settle_and_answer`` does it. Raises ``NotAtOnce`` where something stands otherwise than it was seen,
    where the locks took long, and where the request's key is not free; then nothing was written.
    """

    def wording() -> Statement:
        text, first = idempotency.at_once(SETTLE_AS_SEEN, look.payment)
        return Statement(text, (*first, look.payment.pk, actor.user_id, look.standing), alone=True)

    _settle_as_said(look.payment, proof, on, actor, wording)


def _settle_as_said(
    payment: Payment, proof: Proof, on: date, actor: Actor, wording: Wording
) -> None:
    """Settle a payment that says all that an answer will before anything is written."""
    assert proof.at
    execution = _execution(payment, proof)
    execution.created_at = proof.at
    said = execution.journal_entry_id, execution.created_at
    written = _settled([payment], [execution], proof, on, actor, wording)
    if written[payment.pk] != said:
        raise RuntimeError(f"{payment.reference} was settled otherwise than its answer says.")


def settle_many(payments: Sequence[Payment], *, proof: Proof, on: date, actor: Actor) -> None:
    """Book locked payments of one fund as paid, all or none, under one proof.

    One round trip to ``treasury_settle`` (``sql/settlement.sql``), however many there are. A code or a hold
    is for one payment, so a proof that names either settles one. Raises as ``settle`` does; then nothing was
    written, and the objects say what they said before.
    """
    if len(payments) > 1 and (proof.code or proof.releases):
        raise ValueError("A code, or a hold, is for one payment.")
    if payments:
        text = SETTLE_ONE if len(payments) == 1 else SETTLE
        ids = [_Ids(uuid4(), uuid4()) for _ in payments]
        _settled(payments, ids, proof, on, actor, lambda: Statement(text))


class _Ids(NamedTuple):
    """The ids of an execution to be, where nobody asks for the execution itself."""

    pk: UUID
    journal_entry_id: UUID


def _settled(
    payments: Sequence[Payment],
    executions: Sequence[PaymentExecution | _Ids],
    proof: Proof,
    on: date,
    actor: Actor,
    wording: Wording,
) -> dict[UUID, tuple[UUID, datetime]]:
    """Settle, under these ids and by this statement; return for each payment its journal entry and when."""
    for payment in payments:
        require_transition(PAYMENT, payment.status, PaymentStatus.SUCCESS, noun="payment")
    were = [[getattr(payment, name) for name in SETTLED] for payment in payments]
    pairs = list(zip(payments, executions, strict=True))
    settlements = [_settlement(payment, execution.pk, proof, on) for payment, execution in pairs]
    postings = [_posting(payment, execution, proof, on) for payment, execution in pairs]
    try:
        return _write(payments, settlements, postings, proof, actor, wording())
    except Exception:
        for payment, values in zip(payments, were, strict=True):
            vars(payment).update(zip(SETTLED, values, strict=True))
        raise


def release(
    payment: Payment, attempt: PaymentAttempt, *, error: str, burns_retry: bool, actor: Actor
) -> None:
    """Give a locked payment's held money back to its fund: it failed, nothing is in the books."""
    require_transaction()
    require_transition(PAYMENT, payment.status, PaymentStatus.FAILED, noun="payment")
    before = payment_facts(payment)
    posting.release(reference=attempt.hold_reference)
    payment.status = PaymentStatus.FAILED
    payment.last_error = error
    payment.retry_count += int(burns_retry)
    payment.spent_on = None
    payment.save(update_fields=["status", "last_error", "retry_count", "spent_on"])
    tell_payment(payment)
    note_payment(actor, "payment.fail", payment, before=before)


SETTLED_ARE = "SELECT payment, journal_entry, executed_at, requisition_paid, available FROM "
SETTLE = SETTLED_ARE + "treasury_settle(%s, %s, %s, %s, %s)"
# The same for one, straight through (``sql/settling_one.sql``).
SETTLE_ONE = SETTLED_ARE + "treasury_settle_one(%s, %s, %s, %s, %s)"
# The same again, with the locks, if all stands as it was seen (``sql/as_seen.sql``).
SETTLE_AS_SEEN = SETTLED_ARE + "treasury_settle_as_seen({id}, %s, %s, %s, %s, %s, %s, %s)"


def _write(
    payments: Sequence[Payment],
    settlements: Sequence[dict[str, Any]],
    postings: Sequence[Posting],
    proof: Proof,
    actor: Actor,
    statement: Statement,
) -> dict[UUID, tuple[UUID, datetime]]:
    """Write everything, mark what is paid on the objects, and have a fund that runs low filled."""
    by = {
        "executor_id": str(proof.executor_id),
        "ip_address": proof.ip_address,
        "user_agent": proof.user_agent,
        "gateway_reference": proof.gateway_reference,
        "gateway_status": proof.gateway_status,
        "actor_id": str(actor.user_id) if actor.user_id else None,
        "actor_name": actor.name[:160],
        "request_id": actor.request_id,
        "executed_at": proof.at.isoformat() if proof.at else None,
    }
    with _spent_code_refused(), limits_refuse(payments[0]):
        rows = posting.call_with_postings(
            statement.text, postings, settlements, by, before=statement.first, alone=statement.alone
        )
    if not rows:
        raise NotAtOnce
    written = {row[0]: row[1:] for row in rows}
    for payment in payments:
        _, _, requisition_paid, available = written[payment.pk]
        if requisition_paid:
            payment.requisition.status = RequisitionStatus.PAID
        fund = payment.fund
    if available < fund.reorder_level:
        request_if_low(fund, actor)
    return {payment_id: (entry, at) for payment_id, (entry, at, *_) in written.items()}


@contextmanager
def _spent_code_refused() -> Iterator[None]:
    """Put into words that the code ended between the look at it and its use."""
    try:
        yield
    except IntegrityError as error:
        law = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if law != "treasury_code_good":
            raise
        raise CodeRequired("This payment needs a code that you have verified.") from error


def _settlement(payment: Payment, execution: UUID, proof: Proof, on: date) -> dict[str, Any]:
    """Mark the payment paid, on the object, and return what ``treasury_settle`` is told of it."""
    code, before = proof.code, payment_facts(payment)
    payment.status = PaymentStatus.SUCCESS
    payment.executor_id = proof.executor_id
    payment.last_error = ""
    # What was reserved was counted on the day it was reserved.
    payment.spent_on = payment.spent_on or on
    return {
        "payment": str(payment.pk),
        "execution": str(execution),
        "spent_on": payment.spent_on.isoformat(),
        "code": str(code.pk) if code and code.consumed_at is None else None,
        "code_verified_at": proof.verified_at.isoformat() if proof.verified_at else None,
        "code_verified_by": str(proof.verified_by_id) if proof.verified_by_id else None,
        "before": before,
        "after": payment_facts(payment),
        "event": payment_payload(payment),
        "requisition_event": paid_requisition_payload(payment.requisition),
    }


def _execution(payment: Payment, proof: Proof) -> PaymentExecution:
    execution = known_row(
        PaymentExecution,
        execution_id=uuid4(),
        payment_id=payment.pk,
        company_id=payment.company_id,
        requester_id=payment.requester_id,
        executor_id=proof.executor_id,
        gateway_reference=proof.gateway_reference,
        gateway_status=proof.gateway_status,
        otp_verified_at=proof.verified_at,
        otp_verified_by_id=proof.verified_by_id,
        ip_address=proof.ip_address,
        user_agent=proof.user_agent,
        journal_entry_id=uuid4(),
    )
    join(execution, payment=payment)
    join(payment, execution=execution)
    return execution


def _posting(
    payment: Payment, execution: PaymentExecution | _Ids, proof: Proof, on: date
) -> Posting:
    fund = payment.fund
    return Posting(
        company_id=payment.company_id,
        reference=payment.reference,
        description=f"Payment to {payment.requisition.payee_name}",
        effective_on=on,
        lines=(
            Line(payment.debited_account_id, Side.DEBIT, payment.amount, payment.currency),
            Line(fund.account_id, Side.CREDIT, payment.amount, payment.currency),
        ),
        posted_by_id=proof.executor_id,
        releases=proof.releases,
        id=execution.journal_entry_id,
    )
