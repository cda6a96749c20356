"""Codes: sending one to the executor, and looking at what he gives back.

A try is spent in a transaction of its own before the code is compared, so that any number of parallel
guesses looks at five at most; wrong, expired, used and locked are refused alike.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command
from ledger.models import User
from ledger.money import Money
from ledger.refusals import IllegalTransition, InvalidInput, TooManyRequests
from treasury import duties, locks, methods, otp, readiness
from treasury.duties import NotTheExecutor
from treasury.messages import CodeMessage, Reader, send_code
from treasury.models import FailedTries, OneTimeCode, Payment
from treasury.models.code import MOST_FAILED_TRIES_A_DAY, MOST_TRIES
from treasury.otp import generate_otp, is_well_formed
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.states import PaymentStatus

HOUR_S = 3600


class InvalidCode(InvalidInput):
    """Wrong, expired, used or locked: the answer is the same."""

    code = "otp_invalid"
    title = "Invalid code"


@command("payment.send_otp")
def send_otp(*, actor: Actor, payment_id: UUID) -> Payment:
    """Make the actor the executor of a pending payment, and send him a code for it after the commit.

    Kills every code sent before. Raises ``RoleRequired``, ``SegregationOfDuties``, ``IllegalTransition``,
    ``NotApproved``, ``TooManyRequests`` within 60 s of his last one and beyond three an hour.
    """
    payment = locks.lock_payment(payment_id)
    user = duties.may_execute(actor, payment)
    if payment.status != PaymentStatus.PENDING:
        raise IllegalTransition("A code is sent only while the payment is pending.")
    readiness.require_approved(payment)
    reader = Reader.of(user)
    _require_patience(payment, user)
    before = payment_facts(payment)
    void_codes(payment)
    text, code = _new_code(payment, user)
    payment.executor = user
    payment.otp_sent_timestamp = code.sent_at
    payment.otp_verified = False
    payment.otp_verified_timestamp = None
    payment.save(
        update_fields=[
            "executor",
            "otp_sent_timestamp",
            "otp_verified",
            "otp_verified_timestamp",
        ]
    )
    note_payment(actor, "payment.send_otp", payment, before=before)
    message = _message(payment, reader, text)
    after_commit(lambda: send_code(message))
    return payment


def verify_otp(*, actor: Actor, payment_id: UUID, otp: str) -> Payment:
    """Take the code that the executor gives back; the payment is then verified until the code ends.

    Raises ``RoleRequired``, ``NotTheExecutor``, ``SegregationOfDuties``, ``InvalidInput`` for what is not
    six digits, and ``InvalidCode`` for everything else that is not the live code of this payment.
    """
    spent = None
    if is_well_formed(otp):
        spent = spend_try(
            actor, table="treasury_onetimecode", column="payment_id", about=payment_id
        )
    return _confirm_code(actor=actor, payment_id=payment_id, otp=otp, spent=spent)


def is_otp_expired(payment: Payment) -> bool:
    """Whether the payment's last code is over, by the database's clock; true without one."""
    sent_at = payment.otp_sent_timestamp
    return sent_at is None or otp.is_expired(sent_at=sent_at, now=database_now())


def void_codes(payment: Payment) -> None:
    """Kill the codes of a locked payment."""
    OneTimeCode.objects.filter(payment=payment, consumed_at=None, voided_at=None).update(
        voided_at=DatabaseClock()
    )


def verified_code(payment: Payment, user: User, code: OneTimeCode | None) -> OneTimeCode | None:
    """Return the user's verified code if it is bound to the locked payment as it is now; it is not used up.

    Settling uses it up, once, and only if it is still good then.
    """
    if code is None or not payment.otp_verified or payment.executor_id != user.pk:
        return None
    bound = otp.bound_digest(key=settings.BURSAR_OTP_KEY, bound=_bound(payment, user.pk))
    return code if otp.matches(code.bound_digest, bound) else None


def consume_code(payment: Payment, user: User) -> OneTimeCode | None:
    """Use up the verification of a locked payment; None if there is none that is good for it now."""
    if not payment.otp_verified or payment.executor_id != user.pk:
        return None
    rows = OneTimeCode.objects.raw(
        """
        UPDATE treasury_onetimecode SET consumed_at = ledger_clock()
        WHERE payment_id = %s AND payment_version = %s AND executor_id = %s AND bound_digest = %s
          AND verified_at IS NOT NULL AND consumed_at IS NULL AND voided_at IS NULL
          AND expires_at > ledger_clock()
        RETURNING *
        """,
        [
            payment.pk,
            payment.version,
            user.pk,
            otp.bound_digest(key=settings.BURSAR_OTP_KEY, bound=_bound(payment, user.pk)),
        ],
    )
    return next(iter(rows), None)


def spend_try(actor: Actor, *, table: str, column: str, about: UUID) -> UUID | None:
    """Spend one try of the executor's live code, committed; return the code's id, None without one.

    ``table`` keeps the codes, ``column`` of it says what they are about.
    """
    statement = f"""
        UPDATE {table} SET tries = tries + 1
        WHERE {column} = %s AND executor_id = %s AND tries < %s AND verified_at IS NULL
          AND consumed_at IS NULL AND voided_at IS NULL AND expires_at > ledger_clock()
        RETURNING code_id
    """  # noqa: S608 -- our own names
    return spend(actor, statement, [about, actor.user_id, MOST_TRIES])


def spend(actor: Actor, statement: str, parameters: Sequence[Any]) -> UUID | None:
    """Spend a try by a statement that returns the code's id, and one of the person's day; both, or neither."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        spent = cursor.fetchone()
        if spent is None:
            return None
        cursor.execute(
            """
            INSERT INTO treasury_failedtries AS day (user_id, "on", tries)
            VALUES (%s, (ledger_clock() AT TIME ZONE 'UTC')::date, 1)
            ON CONFLICT (user_id, "on") DO UPDATE SET tries = day.tries + 1 WHERE day.tries < %s
            RETURNING tries
            """,
            [actor.user_id, MOST_FAILED_TRIES_A_DAY],
        )
        if cursor.fetchone() is None:
            transaction.set_rollback(True)
            return None
    code_id: UUID = spent[0]
    return code_id


@command("payment.verify_otp")
def _confirm_code(*, actor: Actor, payment_id: UUID, otp: str, spent: UUID | None) -> Payment:
    """Compare the code that a try was spent on, under the payment's lock."""
    payment = locks.lock_payment(payment_id)
    duties.may_verify_code(actor, payment)
    if not is_well_formed(otp):
        raise InvalidInput.on("otp", "A code has six digits.")
    code = locks.lock_live_code(payment)
    now = database_now()
    if not _is_right(code, payment, otp, spent) or code is None or code.expires_at <= now:
        raise InvalidCode.on("otp", "This code is not valid.")
    before = payment_facts(payment)
    code.verified_at = now
    code.save(update_fields=["verified_at"])
    give_back_try(actor)
    payment.otp_verified = True
    payment.otp_verified_timestamp = now
    payment.save(update_fields=["otp_verified", "otp_verified_timestamp"])
    note_payment(actor, "payment.verify_otp", payment, before=before)
    return payment


def _is_right(code: OneTimeCode | None, payment: Payment, text: str, spent: UUID | None) -> bool:
    """Whether this is the live code; a digest is made in every case, so that all take as long."""
    code_id = code.pk if code else payment.pk
    executor_id = payment.executor_id or payment.pk
    given = otp.digest(
        key=settings.BURSAR_OTP_KEY,
        code_id=code_id,
        bound=_bound(payment, executor_id),
        otp=text,
    )
    expected = code.digest if code else "0" * len(given)
    matches = otp.matches(expected, given)
    return (
        matches
        and code is not None
        and code.pk == spent
        and code.verified_at is None
        and code.payment_version == payment.version
        and payment.status == PaymentStatus.PENDING
    )


def give_back_try(actor: Actor) -> None:
    """A right code is no failed try."""
    FailedTries.objects.filter(user=actor.user_id, tries__gt=0, on=database_now().date()).update(
        tries=F("tries") - 1
    )


def _require_patience(payment: Payment, user: User) -> None:
    now = database_now()
    live = locks.lock_live_code(payment)
    if live is not None and live.executor_id == user.pk:
        waited = now - live.sent_at
        if waited < otp.BETWEEN_SENDS:
            left = int((otp.BETWEEN_SENDS - waited).total_seconds()) + 1
            raise TooManyRequests("A code was sent a moment ago.", retry_after=left)
    recent = OneTimeCode.objects.filter(
        payment=payment, sent_at__gt=now - otp.BETWEEN_SENDS * 60
    ).order_by("sent_at")
    sent = list(recent.values_list("sent_at", flat=True))
    if len(sent) >= otp.MOST_CODES_AN_HOUR:
        left = HOUR_S - int((now - sent[-otp.MOST_CODES_AN_HOUR]).total_seconds()) + 1
        raise TooManyRequests("Three codes were sent within the hour.", retry_after=left)


def _new_code(payment: Payment, user: User) -> tuple[str, OneTimeCode]:
    text, kept = new_code(_bound(payment, user.pk))
    code = OneTimeCode.objects.create(
        payment=payment, payment_version=payment.version, executor=user, **kept
    )
    return text, code


def new_code(bound: otp.Bound | otp.BoundSet) -> tuple[str, dict[str, Any]]:
    """Make a code; return its digits, which are kept nowhere, and what its row says of it."""
    text, code_id, now = generate_otp(), uuid4(), database_now()
    key: bytes = settings.BURSAR_OTP_KEY
    return text, {
        "code_id": code_id,
        "digest": otp.digest(key=key, code_id=code_id, bound=bound, otp=text),
        "bound_digest": otp.bound_digest(key=key, bound=bound),
        "sent_at": now,
        "expires_at": now + otp.LIFETIME,
    }


def _bound(payment: Payment, executor_id: UUID) -> otp.Bound:
    return otp.Bound(
        payment_id=payment.pk,
        version=payment.version,
        amount=payment.amount,
        currency=payment.currency,
        destination=payment.destination,
        method=payment.method,
        executor_id=executor_id,
    )


def _message(payment: Payment, reader: Reader, text: str) -> CodeMessage:
    return CodeMessage(
        to=reader,
        money=str(Money(payment.amount, payment.currency)),
        payee=payment.requisition.payee_name,
        destination=methods.shown(method=payment.method, destination=payment.destination),
        method=payment.get_method_display(),
        otp=text,
    )


__all__ = [
    "InvalidCode",
    "NotTheExecutor",
    "consume_code",
    "generate_otp",
    "give_back_try",
    "is_otp_expired",
    "new_code",
    "send_otp",
    "spend",
    "spend_try",
    "verified_code",
    "verify_otp",
    "void_codes",
]
