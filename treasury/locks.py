"""Every row lock of treasury, in the one global order; no other file of this app takes one.

Idempotency key, company, batch, fund(s) by id, requisition, payment, attempt, code, variance or replenishment
or resolution, accounts by id. A delegation, a question and a code for many decisions are locked alone. A function here locks a row together with whatever comes before it, in one
statement: PostgreSQL takes the locks in the order of ``of``. Rows of tables that are merely joined may be
older than the locks; read an account's balance only after what it depends on is locked.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from ledger.idempotency import Claiming
from ledger.models import Company
from ledger.refusals import NotFound
from ledger.roles import Role
from ledger.rows import Columns, join, known_row, rows_of
from treasury.models import (
    Batch,
    BatchCode,
    BatchRow,
    DecisionCode,
    Delegation,
    Incident,
    LateSuccess,
    OneTimeCode,
    Payment,
    PaymentAttempt,
    Question,
    ReplenishmentRequest,
    Requisition,
    Resolution,
    Reversal,
    TreasuryFund,
    VarianceAdjustment,
)

Row = TypeVar("Row", bound=Model)


def lock_company(company_id: UUID) -> Company:
    """Lock one company, for what must be decided once for all of it."""
    return _the_one(Company.objects.select_for_update(no_key=True).filter(pk=company_id), "company")


def lock_batch(batch_id: UUID) -> Batch:
    """Lock one batch."""
    rows = Batch.objects.select_related("fund__company").filter(pk=batch_id)
    return _the_one(rows.select_for_update(of=("self",), no_key=True).order_by(), "batch")


def lock_free_batch(batch_id: UUID) -> Batch | None:
    """Lock one batch; None when somebody else holds it, or there is none."""
    rows = Batch.objects.select_related("fund__company", "executor").filter(pk=batch_id)
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by().first()


def lock_live_batch_code(batch: Batch) -> BatchCode | None:
    """Lock the code, if any, that is neither used nor void, of a locked batch."""
    rows = BatchCode.objects.filter(batch=batch, consumed_at=None, voided_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def lock_fund(fund_id: UUID) -> TreasuryFund:
    """Lock one fund; its ``account`` is read after the lock, so balances are those of now."""
    fund = _the_one(TreasuryFund.objects.select_for_update(no_key=True).filter(pk=fund_id), "fund")
    return TreasuryFund.objects.select_related("account", "company").get(pk=fund.pk)


def lock_funds(fund_ids: Collection[UUID]) -> list[TreasuryFund]:
    """Lock funds in the order of their ids."""
    rows = TreasuryFund.objects.select_for_update(no_key=True).filter(pk__in=fund_ids)
    return list(rows.order_by("pk"))


def lock_requisition(requisition_id: UUID) -> Requisition:
    """Lock fund and requisition."""
    rows = Requisition.objects.select_related("fund__company").filter(pk=requisition_id)
    return _the_one(
        rows.select_for_update(of=("fund", "self"), no_key=True).order_by(), "requisition"
    )


def lock_requisitions(requisition_ids: Collection[UUID]) -> list[Requisition]:
    """Lock the fund and the requisitions, which are all of one, in the order of their ids."""
    rows = Requisition.objects.select_related("fund__company").filter(pk__in=requisition_ids)
    rows = rows.select_for_update(of=("fund", "self"), no_key=True)
    return list(rows.order_by("pk"))


def lock_rows_of_batch(rows: Sequence[BatchRow]) -> dict[UUID, Payment]:
    """Lock what rows of a locked batch pay: fund, requisitions, payments by id; returns the payments.

    Rows without a payment have their requisition locked.
    """
    if not rows:
        return {}
    requisitions = [row.requisition_id for row in rows if row.requisition_id]
    wanted = [row.payment_id for row in rows if row.payment_id]
    return lock_payments_of_fund(rows[0].batch.fund_id, requisitions, wanted)


# What paying does not read of a requisition, and of a payment.
ASKING = (
    *("destination", "purpose", "payee_note", "requested_at", "approved_at"),
    *("rejected_by", "rejected_at", "rejection_reason", "cancelled_at"),
)
HISTORY = (
    *("otp_sent_timestamp", "otp_verified_timestamp", "created_by", "created_at"),
    *("scheduled_by", "next_try_at", "body_hash"),
)


def lock_payments_of_fund(
    fund_id: UUID, requisition_ids: Collection[UUID], payment_ids: Collection[UUID]
) -> dict[UUID, Payment]:
    """Lock a fund, requisitions of it, and payments of these, by id; returns the payments.

    What hundreds of payments have in common is read once: they share fund, company and requisitions. What
    paying does not ask about stays in the database until somebody does.
    """
    funds = TreasuryFund.objects.select_related("company").filter(pk=fund_id)
    fund = _the_one(funds.select_for_update(of=("self",), no_key=True).order_by(), "fund")
    asked = Requisition.objects.defer(*ASKING).filter(pk__in=requisition_ids)
    asked = asked.select_for_update(no_key=True).order_by("pk")
    requisitions = {requisition.pk: requisition for requisition in asked}
    found = Payment.objects.defer(*HISTORY).filter(pk__in=payment_ids)
    found = found.select_for_update(no_key=True).order_by("pk")
    payments = {payment.pk: payment for payment in found}
    for payment in payments.values():
        payment.requisition = requisitions[payment.requisition_id]
        payment.fund = payment.requisition.fund = fund
    return payments


def lock_payment(payment_id: UUID) -> Payment:
    """Lock fund, requisition and payment."""
    rows = Payment.objects.select_related("fund__company", "requisition").filter(pk=payment_id)
    return _the_one(
        rows.select_for_update(of=("fund", "requisition", "self"), no_key=True).order_by(),
        "payment",
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules ask about a locked payment and the person before it, read after its locks.

    ``roles`` are the person's at its fund; ``approvers`` approved its requisition as it is now, or had it
    approved; ``code`` is his, verified and good for this version; ``late_successes`` is whether there is any
    about the requisition. It was seen ``at`` that instant of the database's clock.
    """

    roles: frozenset[Role]
    approvers: frozenset[UUID]
    late_successes: bool
    code: OneTimeCode | None
    at: datetime


# What executing one payment, and the answer about it, do not read either.
RANKING = ("payee_index", "risk", "committed", "stage")
FILLING = (
    *("last_replenished", "created_at", "region", "branch"),
    *("clearing_account", "funding_account", "suspense_account", "variance_account"),
)
PAYMENT = Columns(Payment, without=("body_hash",))
REQUISITION = Columns(Requisition, without=(*ASKING, *RANKING))
FUND = Columns(TreasuryFund, without=FILLING)
COMPANY = Columns(Company, without=("name", "code"))
LOCKED_AND_SEEN = Claiming(
    f"""
    SELECT {PAYMENT.of("(locked.payment)")}, {REQUISITION.of("(locked.requisition)")},
           {FUND.of("(locked.fund)")}, {COMPANY.of("company")}, seen.*
    FROM (SELECT payment, requisition, fund
          FROM treasury_payment payment
          JOIN treasury_requisition requisition ON requisition.requisition_id = payment.requisition_id
          JOIN treasury_treasuryfund fund ON fund.fund_id = payment.fund_id
          WHERE payment.payment_id = {{id}}
          FOR NO KEY UPDATE OF fund, requisition, payment) locked
    JOIN ledger_company company ON company.id = (locked.payment).company_id
    LEFT JOIN LATERAL treasury_seen((locked.payment).payment_id, %s) seen ON true
"""  # noqa: S608 -- column names of our own models
)


def lock_to_execute(payment_id: UUID, user_id: UUID | None) -> tuple[Payment, Seen]:
    """Lock fund, requisition and payment, and read what decides whether this person may execute it.

    One round trip for what ``lock_payment`` and the rules would ask one by one, and for the request's key.
    """
    found = LOCKED_AND_SEEN.first((payment_id, user_id))
    if found is None:
        raise NotFound("There is no such payment.")
    values = iter(found)
    payment = _payment(values)
    return payment, _seen(payment, values)


LOOKED_AT = f"""
    SELECT {PAYMENT.of("(seen.payment)")}, {REQUISITION.of("(seen.requisition)")}, {FUND.of("(seen.fund)")},
           {COMPANY.of("(seen.company)")}, seen.active, seen.superuser, seen.roles, seen.approvers, seen.late_successes,
           seen.code_id, seen.code_bound, seen.code_verified_at, ledger_clock(),
           account.balance - account.held, seen.standing
    FROM treasury_standing seen
    JOIN ledger_account account ON account.id = (seen.fund).account_id
    WHERE seen.payment_id = %s AND seen.user_id = %s
"""  # noqa: S608 -- column names of our own models


@dataclass(frozen=True, slots=True)
class Look:
    """A payment as it stood when nobody had locked it, and what ``lock_to_execute`` would have seen beside it.

    ``standing`` is for ``treasury_settle_as_seen``, which takes the locks and makes sure that all of it still
    stands; ``available`` is what the fund had.
    """

    payment: Payment
    seen: Seen
    available: Decimal
    standing: str


def look_to_execute(payment_id: UUID, user_id: UUID | None) -> Look | None:
    """Read what ``lock_to_execute`` reads, without a lock; None where there is no such payment or person."""
    for found in rows_of(LOOKED_AT, (payment_id, user_id)):
        values = iter(found)
        payment = _payment(values)
        return Look(payment, _seen(payment, values), *values)
    return None


def _payment(values: Iterator[Any]) -> Payment:
    payment, requisition = PAYMENT.read(values), REQUISITION.read(values)
    fund, company = FUND.read(values), COMPANY.read(values)
    join(fund, company=company)
    join(requisition, fund=fund, company=company)
    join(payment, requisition=requisition, fund=fund, company=company)
    return payment


def _seen(payment: Payment, values: Iterator[Any]) -> Seen:
    active, superuser, roles, approvers, late_successes, code_id, bound, verified_at, at = islice(
        values, 9
    )
    code = None
    if code_id is not None and payment.executor_id is not None:
        code = known_row(
            OneTimeCode,
            code_id=code_id,
            payment_id=payment.pk,
            payment_version=payment.version,
            executor_id=payment.executor_id,
            bound_digest=bound,
            verified_at=verified_at,
            consumed_at=None,
            voided_at=None,
        )
    held = frozenset(Role) if superuser else frozenset(map(Role, roles or ()))
    return Seen(
        roles=held if active else frozenset(),
        approvers=frozenset(filter(None, approvers or ())),
        late_successes=bool(late_successes),
        code=code,
        at=at,
    )


def lock_payments_of(requisition: Requisition) -> list[Payment]:
    """Lock the payments of a locked requisition, in the order of their ids."""
    rows = Payment.objects.filter(requisition=requisition)
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def lock_attempt(attempt_id: UUID) -> PaymentAttempt:
    """Lock fund, requisition, payment and attempt.

    Its codes, which only a settlement reads, are read then: with them PostgreSQL would plan for longer than it
    looks and locks.
    """
    rows = PaymentAttempt.objects.select_related(
        "payment__fund__company", "payment__requisition", "provider"
    ).filter(pk=attempt_id)
    order = ("payment__fund", "payment__requisition", "payment", "self")
    return _the_one(rows.select_for_update(of=order, no_key=True).order_by(), "attempt")


def lock_live_attempt(payment: Payment) -> PaymentAttempt | None:
    """Lock the attempt, if any, that may still move the money of a locked payment."""
    rows = PaymentAttempt.objects.select_related("provider", "code", "batch_code").filter(
        payment=payment, finished_at=None
    )
    return rows.select_for_update(of=("self",), no_key=True).order_by().first()


def lock_due_attempt(due: QuerySet[PaymentAttempt]) -> PaymentAttempt | None:
    """Lock one attempt of ``due`` that nobody else is working on; None when there is none left."""
    return due.select_for_update(of=("self",), no_key=True, skip_locked=True).first()


def lock_attempts(attempt_ids: Collection[UUID]) -> list[PaymentAttempt]:
    """Lock attempts, with everything before them, whose funds are locked already."""
    rows = PaymentAttempt.objects.select_related(
        "payment__fund__company", "payment__requisition", "provider"
    ).filter(pk__in=attempt_ids)
    order = ("payment__requisition", "payment", "self")
    return list(rows.select_for_update(of=order, no_key=True).order_by("created_at", "pk"))


def lock_live_code(payment: Payment) -> OneTimeCode | None:
    """Lock the code, if any, that is neither used nor void, of a locked payment."""
    rows = OneTimeCode.objects.filter(payment=payment, consumed_at=None, voided_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def lock_open_resolution(payment: Payment) -> Resolution | None:
    """Lock the proposal, if any, that waits for a second person, of a locked payment."""
    rows = Resolution.objects.filter(payment=payment, confirmed_at=None, withdrawn_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def lock_open_reversal(payment: Payment) -> Reversal | None:
    """Lock the proposal, if any, that the money of a locked payment came back."""
    rows = Reversal.objects.filter(payment=payment, confirmed_at=None, withdrawn_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def lock_open_late_success(incident: Incident) -> LateSuccess | None:
    """Lock the proposal, if any, on how a late success of a locked payment ends."""
    rows = LateSuccess.objects.filter(incident=incident, confirmed_at=None, withdrawn_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def lock_variance(variance_id: UUID) -> VarianceAdjustment:
    """Lock fund, requisition, payment and variance."""
    rows = VarianceAdjustment.objects.select_related(
        "payment__fund__company", "payment__requisition"
    ).filter(pk=variance_id)
    order = ("payment__fund", "payment__requisition", "payment", "self")
    return _the_one(rows.select_for_update(of=order, no_key=True).order_by(), "variance")


def lock_replenishment(request_id: UUID) -> ReplenishmentRequest:
    """Lock fund and replenishment request."""
    rows = ReplenishmentRequest.objects.select_related("fund__company").filter(pk=request_id)
    return _the_one(
        rows.select_for_update(of=("fund", "self"), no_key=True).order_by(), "replenishment"
    )


def lock_delegation(delegation_id: UUID) -> Delegation:
    """Lock one delegation."""
    rows = Delegation.objects.select_for_update(no_key=True).filter(pk=delegation_id)
    return _the_one(rows, "delegation")


def lock_question(question_id: UUID) -> Question:
    """Lock one question."""
    return _the_one(
        Question.objects.select_for_update(no_key=True).filter(pk=question_id), "question"
    )


def lock_decision_code(user_id: UUID) -> DecisionCode | None:
    """Lock the person's code for many decisions, if any, that is neither used nor void."""
    rows = DecisionCode.objects.filter(user=user_id, used_at=None, voided_at=None)
    return rows.select_for_update(no_key=True).order_by().first()


def _the_one(rows: QuerySet[Row], noun: str) -> Row:
    """Return the only row, or raise ``NotFound`` in words that fit a thing one may not see."""
    row = rows.first()
    if row is None:
        raise NotFound(f"There is no such {noun}.")
    return row
