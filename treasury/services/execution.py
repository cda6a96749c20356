"""Executing a payment: the money is set aside or paid, under the locks, with everything checked again."""

from datetime import date
from uuid import UUID, uuid5

from ledger.actor import Actor
from ledger.clock import today as civil_today
from ledger.commands import NotAtOnce, after_commit, command
from ledger.models import User
from ledger.refusals import Conflict
from ledger.services import posting
from payments.models import Provider
from payments.services import breaker
from treasury import duties, locks, methods, readiness
from treasury.dates import Today
from treasury.limits import barriers, limits_refuse
from treasury.locks import Seen
from treasury.models import BatchCode, OneTimeCode, Payment, PaymentAttempt
from treasury.queue import wake
from treasury.services.codes import consume_code, verified_code
from treasury.services.facts import attempt_facts, payment_facts
from treasury.services.noting import note_payment
from treasury.services.payments import require_no_late_success, require_nothing_paid_late
from treasury.services.requisitions import ChangedSince
from treasury.services.settlement import Proof, settle, settle_and_answer, settle_as_seen
from treasury.services.step_up import require_fresh
from treasury.services.telling import tell_payment
from treasury.states import AttemptState, PaymentStatus


class ProviderUnavailable(Conflict):
    """The company has no provider for this method, or it was stopped."""

    code = "provider_unavailable"
    title = "Provider unavailable"


def can_execute_payment(payment: Payment, user: User) -> tuple[bool, str]:
    """Return whether the user could execute the payment now, and the reason if not, for people.

    Limits of a day and cooling-off are told too, as far as they stand now.
    """
    can, why = readiness.can_execute(payment, user)
    if can:
        refusal = barriers([payment], on=civil_today(payment.fund.company)).get(payment.pk)
        return refusal is None, refusal.detail if refusal else ""
    return can, why


def _pay_at_once(
    *, actor: Actor, payment_id: UUID, today: Today, version: int | None = None
) -> Payment:
    """Pay in cash by two statements: a look, and one that locks, makes sure of what was seen, and settles.

    So nobody waits for the fund while Python decides. Raises ``NotAtOnce`` for what takes more than that.
    """
    look = locks.look_to_execute(payment_id, actor.user_id)
    if look is None or look.payment.method in methods.BY_GATEWAY or look.seen.late_successes:
        raise NotAtOnce
    payment = look.payment
    if look.available - payment.amount < payment.fund.reorder_level:
        raise NotAtOnce  # the fund is filled, or asked to be, in the same transaction
    user = _permitted(payment, look.seen, actor, version)
    proof, on = _paying_in_cash(payment, look.seen, user, actor, today)
    settle_as_seen(look, proof=proof, on=on, actor=actor)
    return payment


@command("payment.execute", claims=True, at_once=_pay_at_once)
def execute_payment(
    *, actor: Actor, payment_id: UUID, today: Today, version: int | None = None
) -> Payment:
    """Execute a pending payment and return it: success for cash, executing when a worker sends it.

    Consumes the executor's verification where a code is needed; where none is, the actor becomes the
    executor. ``version`` is what he decided on, if he says so. Raises ``RoleRequired``,
    ``SegregationOfDuties``, ``IllegalTransition``, ``NotApproved``, ``RetryLimit``, ``ChangedSince``, ``LateSuccess``, ``StepUpRequired``, ``CodeRequired``, ``ProviderUnavailable``,
    ``VelocityLimit``, ``CoolingOff``, ``InsufficientFunds``; then nothing happened.
    """
    payment, seen = locks.lock_to_execute(payment_id, actor.user_id)
    user = _permitted(payment, seen, actor, version)
    if payment.method in methods.BY_GATEWAY:
        code = _required(payment, consume_code(payment, user))
        carry_out(payment, user=user, code=code, actor=actor, today=today)
    else:
        proof, on = _paying_in_cash(payment, seen, user, actor, today)
        settle_and_answer(payment, proof=proof, on=on, actor=actor)
    return payment


def _permitted(payment: Payment, seen: Seen, actor: Actor, version: int | None) -> User:
    """Return the executor to be, or raise what forbids the person or the state."""
    user = duties.may_execute(actor, payment, seen=seen)
    readiness.require_executable_state(payment)
    if version is not None and version != payment.version:
        raise ChangedSince(f"It was edited: this is version {payment.version} now.")
    if seen.late_successes:
        require_nothing_paid_late(payment)
    if payment.step_up_required:
        require_fresh(actor)
    return user


def _paying_in_cash(
    payment: Payment, seen: Seen, user: User, actor: Actor, today: Today
) -> tuple[Proof, date]:
    """Return under which proof, and on which day, a permitted payment in cash is settled."""
    code = _required(payment, verified_code(payment, user, seen.code))
    on = _due_day(payment, today)
    return Proof(user.pk, actor.ip_address, actor.user_agent, code, at=seen.at), on


def _required(payment: Payment, code: OneTimeCode | None) -> OneTimeCode | None:
    if payment.otp_required and code is None:
        raise readiness.CodeRequired("This payment needs a code that you have verified.")
    return code


def carry_out(
    payment: Payment,
    *,
    user: User,
    code: OneTimeCode | None,
    actor: Actor,
    today: Today,
    automatic: bool = False,
    batch_code: BatchCode | None = None,
) -> None:
    """Reserve or settle a locked payment that was checked; ``user`` is its executor from now on.

    Plain, for the commands of one payment and of a batch; ``automatic`` where no person asked just now,
    ``batch_code`` what its set was confirmed with. Raises ``NotDue``, ``ProviderUnavailable``,
    ``LateSuccess``, ``VelocityLimit``, ``CoolingOff``, ``InsufficientFunds``.
    """
    on = _due_day(payment, today)
    if payment.method in methods.BY_GATEWAY:
        attempt = _build_attempt(payment, user, code, actor)
        attempt.automatic, attempt.batch_code = automatic, batch_code
        _reserve(payment, attempt, actor, on)
    else:
        proof = Proof(user.pk, actor.ip_address, actor.user_agent, code, batch_code=batch_code)
        settle(payment, proof=proof, on=on, actor=actor)


def _due_day(payment: Payment, today: Today) -> date:
    """Return the civil date it is where the payment leaves; raise ``NotDue`` before its own."""
    on = today(payment.fund.company)
    readiness.require_due(payment, on=on)
    return on


def _reserve(payment: Payment, attempt: PaymentAttempt, actor: Actor, on: date) -> None:
    """Hold the money and write down the attempt; a worker makes the call after the commit.

    What goes by file waits until a treasurer makes one.
    """
    require_no_late_success(payment)
    before = payment_facts(payment)
    payment.status = PaymentStatus.EXECUTING
    payment.executor = attempt.executor
    payment.spent_on = on
    with limits_refuse(payment):
        payment.save(update_fields=["status", "executor", "spent_on"])
    posting.hold(
        account_id=payment.fund.account_id,
        amount=payment.amount,
        reference=attempt.hold_reference,
    )
    attempt.save(force_insert=True)
    tell_payment(payment)
    note_payment(actor, "payment.execute", payment, before=before, more=attempt_facts(attempt))
    if attempt.state == AttemptState.SENDING:
        attempt_id = str(attempt.pk)
        after_commit(lambda: wake("dispatch_attempt", attempt_id=attempt_id))


def _build_attempt(
    payment: Payment, user: User, code: OneTimeCode | None, actor: Actor
) -> PaymentAttempt:
    number = payment.attempts.count() + 1
    return PaymentAttempt(
        payment=payment,
        number=number,
        # The same payment and number give the same reference, whoever computes it.
        reference=uuid5(payment.pk, str(number)),
        provider=_usable_provider(payment),
        amount=payment.amount,
        currency=payment.currency,
        destination_index=payment.destination_index,
        executor=user,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
        code=code,
        state=AttemptState.WAITING if payment.method in methods.BY_FILE else AttemptState.SENDING,
    )


def _usable_provider(payment: Payment) -> Provider:
    currencies = ("", payment.currency)
    provider = Provider.objects.filter(
        company=payment.company_id, kind=payment.method, currency__in=currencies, active=True
    ).first()
    if provider is None:
        rail = f"{payment.get_method_display()} in {payment.currency}"
        raise ProviderUnavailable(f"There is no provider for {rail}.")
    if not provider.is_usable:
        raise ProviderUnavailable(f"{provider.name} is stopped: {provider.stopped_reason}")
    if breaker.resting().filter(pk=provider.pk).exists():
        raise ProviderUnavailable(f"{provider.name} does not answer; try again in a few minutes.")
    return provider
