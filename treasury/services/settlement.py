"""The two ends of a payment: settled, or released. Plain functions inside a command, on locked rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError
from psycopg.types.json import Jsonb

from ledger import idempotency
from ledger.actor import Actor
from ledger.chain import padded_keys
from ledger.commands import NotAtOnce, require_transaction
from ledger.ids import new_ids
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


class Facts(NamedTuple):
    """What ``treasury_settle_told`` is told of a payment that is marked paid: the columns of ``treasury_facts``.

    Nothing in it waits for an answer of the database, so the ids of all that will be written are made here.
    """

    payment: UUID
    executor: UUID
    executed_at: datetime | None
    spent_on: date | None
    code: UUID | None
    code_verified_at: datetime | None
    code_verified_by: UUID | None
    gateway_reference: str
    gateway_status: str
    execution: UUID
    journal_entry: UUID
    description: str
    effective_on: date
    releases: str | None
    debit_line: UUID
    debited: UUID
    credit_line: UUID
    credited: UUID
    amount: Decimal
    currency: str
    told: Jsonb
    event: UUID
    requisition_event: UUID
    audit_event: UUID
    actor: UUID | None
    actor_name: str
    ip_address: str | None
    user_agent: str
    request_id: str


FACTS = f"ROW({', '.join(['%s'] * len(Facts._fields))})::treasury_facts"
SETTLE_TOLD = (
    "SELECT journal_entry, executed_at, requisition_paid, available"  # noqa: S608 -- our own names
    f" FROM treasury_settle_told({FACTS}, %s, %s)"
)
# The same with the locks, if all stands as it was seen; what it returns is whether the requisition is paid now.
SETTLE_AS_SEEN = f"treasury_settle_as_seen(%s, {FACTS}, %s, %s)"


def settle(payment: Payment, *, proof: Proof, on: date, actor: Actor) -> PaymentExecution:
    """Book a locked payment as paid on the civil date ``on``, and return its execution.

    Posts, writes the execution, marks payment and requisition, uses up a verified code that is not yet, and
    asks for a replenishment when the fund runs low. Raises ``CodeRequired`` when the code ended meanwhile,
    and ``VelocityLimit``, ``CoolingOff`` and ``InsufficientFunds`` where nothing was reserved.
    """
    execution = _execution(payment, proof)
    written = _settle_told(payment, execution, proof, on, actor, answers=False)
    execution.journal_entry_id, execution.created_at = written
    return execution


def settle_and_answer(payment: Payment, *, proof: Proof, on: date, actor: Actor) -> None:
    """Settle a payment that the running command returns, and keep the command's answer by the same statement.

    As ``settle`` does it; ``proof`` says when. So the payment says all that the answer will before anything
    is written.
    """
    execution = _execution(payment, proof)
    said = execution.journal_entry_id, proof.at
    if _settle_told(payment, execution, proof, on, actor, answers=True) != said:
        raise RuntimeError(f"{payment.reference} was settled otherwise than its answer says.")


def settle_as_seen(look: locks.Look, *, proof: Proof, on: date, actor: Actor) -> None:
    """Lock, settle and answer in one statement, a transaction by itself, what was looked at without a lock.

    As ``settle_and_answer`` does it. Raises ``IntegrityError`` where something stands otherwise than it was seen,
    and where the locks took long, ``NotAtOnce`` where the request's key is not free; then nothing was written.
    """
    payment = look.payment
    execution = _execution(payment, proof)
    with _marked_only_if_settled([payment]):
        facts = _facts(payment, execution, proof, on, actor)
        told = (look.standing, *facts, *padded_keys())
        statement, parameters = idempotency.at_once(SETTLE_AS_SEEN, told, payment)
        ((requisition_paid,),) = posting.call_that_posts(statement, parameters, alone=True)
        if requisition_paid is None:
            raise NotAtOnce
    _mark_requisition(payment, is_paid=requisition_paid)


def _settle_told(
    payment: Payment,
    execution: PaymentExecution,
    proof: Proof,
    on: date,
    actor: Actor,
    *,
    answers: bool,
) -> tuple[UUID, datetime]:
    """Settle one locked payment; return its journal entry and when it was executed."""
    with _marked_only_if_settled([payment]):
        facts = _facts(payment, execution, proof, on, actor)
        statement, first = (
            idempotency.completing(SETTLE_TOLD, payment) if answers else (SETTLE_TOLD, ())
        )
        with _spent_code_refused(), limits_refuse(payment):
            rows = posting.call_that_posts(statement, (*first, *facts, *padded_keys()))
    ((journal_entry, executed_at, requisition_paid, available),) = rows
    _mark_requisition(payment, is_paid=requisition_paid)
    if available < payment.fund.reorder_level:
        request_if_low(payment.fund, actor)
    return journal_entry, executed_at


def settle_many(payments: Sequence[Payment], *, proof: Proof, on: date, actor: Actor) -> None:
    """Book locked payments of one fund as paid, all or none, under one proof.

    One round trip to ``treasury_settle`` (``sql/settlement.sql``), however many there are. A code or a hold
    is for one payment, so a proof that names either settles one. Raises as ``settle`` does; then nothing was
    written, and the objects say what they said before.
    """
    if len(payments) > 1 and (proof.code or proof.releases):
        raise ValueError("A code, or a hold, is for one payment.")
    if not payments:
        return
    with _marked_only_if_settled(payments):
        ids = zip(payments, new_ids(len(payments)), strict=True)
        settlements = [_settlement(payment, pk, proof, on) for payment, pk in ids]
        postings = [_posting(payment, proof, on) for payment in payments]
        with _spent_code_refused(), limits_refuse(payments[0]):
            rows = posting.call_with_postings(SETTLE, postings, settlements, _by(proof, actor))
    written = {payment: told for payment, *told in rows}
    for payment in payments:
        requisition_paid, available = written[payment.pk]
        _mark_requisition(payment, is_paid=requisition_paid)
        fund = payment.fund
    if available < fund.reorder_level:
        request_if_low(fund, actor)


@contextmanager
def _marked_only_if_settled(payments: Sequence[Payment]) -> Iterator[None]:
    """Let the payments be marked paid inside, and say again what they said before when it fails."""
    for payment in payments:
        require_transition(PAYMENT, payment.status, PaymentStatus.SUCCESS, noun="payment")
    were = [[getattr(payment, name) for name in SETTLED] for payment in payments]
    try:
        yield
    except Exception:
        for payment, values in zip(payments, were, strict=True):
            vars(payment).update(zip(SETTLED, values, strict=True))
        raise


def _mark_requisition(payment: Payment, *, is_paid: bool) -> None:
    if is_paid:
        payment.requisition.status = RequisitionStatus.PAID


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


SETTLE = "SELECT payment, requisition_paid, available FROM treasury_settle(%s, %s, %s, %s, %s)"


def _by(proof: Proof, actor: Actor) -> dict[str, Any]:
    """What ``treasury_settle`` is told of who settles."""
    return {
        "executor_id": str(proof.executor_id),
        "ip_address": proof.ip_address,
        "user_agent": proof.user_agent,
        "gateway_reference": proof.gateway_reference,
        "gateway_status": proof.gateway_status,
        "actor_id": str(actor.user_id) if actor.user_id else None,
        "actor_name": actor.name[:160],
        "request_id": actor.request_id,
    }


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


def _facts(
    payment: Payment, execution: PaymentExecution, proof: Proof, on: date, actor: Actor
) -> Facts:
    """Mark the payment paid, on the object, and return what ``treasury_settle_told`` is told of it."""
    code, told = proof.code, _paid_and_told(payment, proof, on)
    debit, credit, event, requisition_event, audit_event = new_ids(5)
    return Facts(
        payment=payment.pk,
        executor=proof.executor_id,
        executed_at=proof.at,
        spent_on=payment.spent_on,
        code=code.pk if code and code.consumed_at is None else None,
        code_verified_at=proof.verified_at,
        code_verified_by=proof.verified_by_id,
        gateway_reference=proof.gateway_reference,
        gateway_status=proof.gateway_status,
        execution=execution.pk,
        journal_entry=execution.journal_entry_id,
        description=_description(payment),
        effective_on=on,
        releases=proof.releases,
        debit_line=debit,
        debited=payment.debited_account_id,
        credit_line=credit,
        credited=payment.fund.account_id,
        amount=payment.amount,
        currency=payment.currency,
        told=Jsonb(told),
        event=event,
        requisition_event=requisition_event,
        audit_event=audit_event,
        actor=actor.user_id,
        actor_name=actor.name[:160],
        ip_address=proof.ip_address,
        user_agent=proof.user_agent,
        request_id=actor.request_id,
    )


def _settlement(payment: Payment, execution: UUID, proof: Proof, on: date) -> dict[str, Any]:
    """Mark the payment paid, on the object, and return what ``treasury_settle`` is told of it."""
    code, told = proof.code, _paid_and_told(payment, proof, on)
    assert payment.spent_on
    return {
        "payment": str(payment.pk),
        "execution": str(execution),
        "spent_on": payment.spent_on.isoformat(),
        "code": str(code.pk) if code and code.consumed_at is None else None,
        "code_verified_at": proof.verified_at.isoformat() if proof.verified_at else None,
        "code_verified_by": str(proof.verified_by_id) if proof.verified_by_id else None,
        **told,
    }


def _paid_and_told(payment: Payment, proof: Proof, on: date) -> dict[str, Any]:
    """Mark the payment paid, on the object, and return what the audit trail and the outbox say of it."""
    before = payment_facts(payment)
    payment.status = PaymentStatus.SUCCESS
    payment.executor_id = proof.executor_id
    payment.last_error = ""
    # What was reserved was counted on the day it was reserved.
    payment.spent_on = payment.spent_on or on
    return {
        "before": before,
        "after": payment_facts(payment),
        "event": payment_payload(payment),
        "requisition_event": paid_requisition_payload(payment.requisition),
    }


def _execution(payment: Payment, proof: Proof) -> PaymentExecution:
    execution_id, journal_entry_id = new_ids(2)
    execution = known_row(
        PaymentExecution,
        execution_id=execution_id,
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
        journal_entry_id=journal_entry_id,
        created_at=proof.at,
    )
    join(execution, payment=payment)
    join(payment, execution=execution)
    return execution


def _posting(payment: Payment, proof: Proof, on: date) -> Posting:
    fund = payment.fund
    return Posting(
        company_id=payment.company_id,
        reference=payment.reference,
        description=_description(payment),
        effective_on=on,
        lines=(
            Line(payment.debited_account_id, Side.DEBIT, payment.amount, payment.currency),
            Line(fund.account_id, Side.CREDIT, payment.amount, payment.currency),
        ),
        posted_by_id=proof.executor_id,
        releases=proof.releases,
    )


def _description(payment: Payment) -> str:
    return f"Payment to {payment.requisition.payee_name}"
