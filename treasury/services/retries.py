"""Trying again, without a person, what was refused for good for a cause that may pass.

The plan stands in the payment's row (``retry_at``); a sweeper carries it out from there. The new attempt is
made in the name of whoever executed the one that was refused, who is asked every rule again at that moment.
The payment is pending inside one transaction only, so nobody can change in between what goes out in his name.
Where a code or a second factor is needed it is put before him instead. Doubt is never tried again.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import DurationField, F, QuerySet, Value

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import after_commit, command, require_transaction
from ledger.refusals import Refusal
from payments.services import breaker
from treasury import duties, locks, readiness, schedule
from treasury.dates import Today
from treasury.events import PAYMENT_RETRIED
from treasury.messages import remind_of_refused_payment
from treasury.models import Payment, PaymentAttempt
from treasury.services.execution import ProviderUnavailable, carry_out
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.services.passes import for_each
from treasury.services.payments import make_pending, require_nothing_paid_late
from treasury.services.telling import tell_payment
from treasury.states import PaymentStatus

AT_ONCE = 100
AGENT = "automatic retry"
# After this many looks at it people must decide; it stays failed and is shown with what was said.
MOST_TRIES = 20


def plan_retry(
    payment: Payment, attempt: PaymentAttempt, *, passes_after: timedelta, actor: Actor
) -> None:
    """Write on a locked payment that has just failed when it is tried again, and on its attempt why.

    Nothing is planned where it has failed as often as it may, or was looked at too often.
    """
    require_transaction()
    attempt.passes_at = database_now() + passes_after
    attempt.save(update_fields=["passes_at"])
    if not attempt.automatic:
        payment.tries = 0
    if payment.retry_count >= payment.max_retries or payment.tries >= MOST_TRIES:
        return
    before = payment_facts(payment)
    pause = schedule.retry_pause(payment.retry_count, at_least=passes_after)
    payment.retry_at = database_now() + pause
    payment.save(update_fields=["retry_at", "tries"])
    note_payment(actor, "payment.plan_retry", payment, before=before)


def cancel_retry(payment: Payment) -> None:
    """Take the plan away from a locked payment: people decide about it."""
    if payment.retry_at is not None:
        payment.retry_at = None
        payment.save(update_fields=["retry_at"])


def retry_due(*, actor: Actor, today: Today) -> int:
    """Try again, or put before its executor, every payment whose time has come; returns how many.

    A pass may run twice at once or days late: each payment is claimed by one statement first, and what a
    later pass has claimed or done is left alone.
    """
    due = _due().order_by("retry_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    return for_each(list(due), lambda pk: _go(pk, actor=actor, today=today))


def _due() -> QuerySet[Payment]:
    return Payment.objects.filter(
        status=PaymentStatus.FAILED, retry_at__lte=DatabaseClock(), tries__lt=MOST_TRIES
    )


def _go(payment_id: UUID, *, actor: Actor, today: Today) -> bool:
    payment = Payment.objects.select_related("executor").get(pk=payment_id)
    if not _claim(payment):
        return False
    claim = payment.tries + 1
    if payment.otp_required or payment.step_up_required:
        return _put_before_executor(actor=actor, payment_id=payment_id, claim=claim)
    if payment.executor is None:
        return False
    person = Actor.of(payment.executor, user_agent=AGENT)
    try:
        return _try_again(actor=person, payment_id=payment_id, claim=claim, today=today)
    except Refusal as refusal:
        _put_off(actor=actor, payment_id=payment_id, claim=claim, said=refusal.detail)
        return False


def _claim(payment: Payment) -> bool:
    """Take the payment for this pass; if it dies, or is refused, the next look at it comes later."""
    again = DatabaseClock() + Value(
        schedule.retry_pause(payment.tries + 1), output_field=DurationField()
    )
    claimed = _due().filter(pk=payment.pk, tries=payment.tries)
    return claimed.update(retry_at=again, tries=F("tries") + 1) == 1


def _is_ours(payment: Payment, claim: int) -> bool:
    """Whether a locked payment still waits for the retry that this pass claimed."""
    planned = payment.status == PaymentStatus.FAILED and payment.retry_at is not None
    return planned and payment.tries == claim


@command("payment.retry_by_itself")
def _try_again(*, actor: Actor, payment_id: UUID, claim: int, today: Today) -> bool:
    """Make the payment pending and execute it, both or neither; returns whether it was still to be done.

    Raises what executing raises, and ``ProviderUnavailable`` while the provider does not answer.
    """
    payment, seen = locks.lock_to_execute(payment_id, actor.user_id)
    if not _is_ours(payment, claim) or payment.executor_id != actor.user_id:
        return False
    user = duties.may_execute(actor, payment, seen=seen)
    refused = payment.attempts.latest("number")
    if breaker.open_providers().filter(pk=refused.provider_id).exists():
        raise ProviderUnavailable(f"{refused.provider} does not answer just now.")
    before = payment_facts(payment)
    make_pending(payment)
    readiness.require_executable_state(payment)
    if seen.late_successes:
        require_nothing_paid_late(payment)
    note_payment(actor, "payment.retry", payment, before=before)
    tell_payment(payment, PAYMENT_RETRIED)
    carry_out(payment, user=user, code=None, actor=actor, today=today, automatic=True)
    return True


@command("payment.retry_with_code")
def _put_before_executor(*, actor: Actor, payment_id: UUID, claim: int) -> bool:
    """Make the payment pending, with nobody's name on it, and tell who executed it that it may go again."""
    payment = locks.lock_payment(payment_id)
    if not _is_ours(payment, claim) or payment.executor is None:
        return False
    before, person = payment_facts(payment), payment.executor
    make_pending(payment, unschedule=True)
    note_payment(actor, "payment.retry", payment, before=before)
    tell_payment(payment, PAYMENT_RETRIED)
    after_commit(lambda: remind_of_refused_payment(payment, to=person))
    return True


@command("payment.put_off_retry")
def _put_off(*, actor: Actor, payment_id: UUID, claim: int, said: str) -> None:
    """Write on the payment why it was not tried again; after many looks people decide."""
    payment = locks.lock_payment(payment_id)
    if not _is_ours(payment, claim):
        return
    before = payment_facts(payment)
    payment.last_error = said
    if payment.tries >= MOST_TRIES:
        payment.retry_at = None
    payment.save(update_fields=["last_error", "retry_at"])
    note_payment(actor, "payment.put_off_retry", payment, before=before)
