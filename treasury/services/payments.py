"""Making, editing, cancelling and retrying payments; executing them is in ``execution.py``."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from ledger import clock
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.idempotency import hash_of
from ledger.money import format_amount, parse_amount
from ledger.refusals import Conflict, InvalidInput, NotFound, RuleBroken
from treasury import duties, late_successes, locks, methods
from treasury.dates import Today
from treasury.events import PAYMENT_CREATED, PAYMENT_EDITED, PAYMENT_RETRIED
from treasury.inputs import UNCHANGED, Unchanged
from treasury.models import Incident, Payment, PaymentPolicy, Requisition
from treasury.readiness import NotApproved, RetryLimit
from treasury.services.calendars import SCHEDULE_FIELDS, write_schedule
from treasury.services.codes import void_codes
from treasury.services.facts import payment_facts
from treasury.services.noting import note_payment
from treasury.services.settlement import release
from treasury.services.telling import tell_payment
from treasury.states import (
    ATTEMPT,
    PAYMENT,
    AttemptState,
    PaymentStatus,
    RequisitionStatus,
    require_transition,
)

MOST_RETRIES = 10
WITHDRAWN = "withdrawn before it was in a file"
# What a change of the payment, or of who executes it, writes.
EXECUTOR_FIELDS = (
    "version",
    "executor",
    "otp_sent_timestamp",
    "otp_verified",
    "otp_verified_timestamp",
)
Amount = str | int | Decimal


class DiffersFromApproval(RuleBroken):
    """Method and destination are the approved ones; another value needs another approval."""

    code = "differs_from_approval"
    title = "Differs from what is approved"


class ExceedsApproval(Conflict):
    """The payments of a requisition never come to more than was approved."""

    code = "exceeds_approved_amount"
    title = "More than is left"


class PaymentExists(Conflict):
    """The client used this ``payment_id`` before, for another payment."""

    code = "payment_exists"
    title = "Payment exists"


class LateSuccess(Conflict):
    """The gateway reported success after the failure; paying this again would pay twice."""

    code = "late_success"
    title = "Success after failure"


@command("payment.create")
def create_payment(
    *,
    actor: Actor,
    requisition_id: UUID,
    amount: Amount | None = None,
    method: str | None = None,
    destination: str | None = None,
    payment_id: UUID | None = None,
    scheduled_for: date | None = None,
    today: Today = clock.today,
) -> Payment:
    """Make a pending payment of an approved requisition and return it; by a treasurer of its fund.

    ``amount`` is all that is left unless given, in the requisition's currency. A ``payment_id`` of the
    client's own returns the first payment when the request is repeated. ``scheduled_for`` is the day on
    which it goes out by itself, or is put before the actor where it needs a code. Raises ``InvalidInput``,
    ``RoleRequired``, ``NotApproved``, ``DiffersFromApproval``, ``ExceedsApproval``, ``PaymentExists``.
    """
    requisition = _requisition_of(requisition_id)
    duties.may_make_payment(actor, requisition)
    body = _body_hash(requisition, amount, method, destination, scheduled_for)
    if payment_id is not None and (known := _known(payment_id, body)):
        return known
    wanted = None if amount is None else parse_amount(amount, requisition.currency)
    _require_as_approved(requisition, method, destination)
    if requisition.status != RequisitionStatus.APPROVED:
        raise NotApproved(f"The requisition is {requisition.status}, not approved.")
    payment = _build(requisition, _amount_within(requisition, wanted), actor)
    payment.body_hash = body
    payment.payment_id = payment_id or payment.payment_id
    methods.require_payable(method=payment.method, amount=payment.amount, currency=payment.currency)
    write_schedule(payment, scheduled_for, actor=actor, today=today)
    _insert(payment)
    note_payment(actor, "payment.create", payment, before=None)
    tell_payment(payment, PAYMENT_CREATED)
    return payment


@command("payment.edit")
def edit_payment(
    *,
    actor: Actor,
    payment_id: UUID,
    amount: Amount | None = None,
    max_retries: int | None = None,
    scheduled_for: date | Unchanged | None = UNCHANGED,
    today: Today = clock.today,
) -> Payment:
    """Change a pending payment, which makes its next version and kills its codes; by a treasurer.

    ``scheduled_for`` None: it goes out when somebody executes it. Raises ``RoleRequired``,
    ``InvalidInput``, ``Conflict`` once it has left pending, ``ExceedsApproval``.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_change_payment(actor, payment)
    before = payment_facts(payment)
    wanted = payment.amount if amount is None else parse_amount(amount, payment.currency)
    retries = payment.max_retries if max_retries is None else _retries(max_retries)
    methods.require_payable(method=payment.method, amount=wanted, currency=payment.currency)
    if payment.status != PaymentStatus.PENDING:
        raise Conflict("A payment is edited only while it is pending.", code="illegal_transition")
    requisition = payment.requisition
    if requisition.committed - payment.amount + wanted > requisition.amount:
        raise ExceedsApproval("This is more than is left of what was approved.")
    payment.amount, payment.max_retries = wanted, retries
    if not isinstance(scheduled_for, Unchanged):
        write_schedule(payment, scheduled_for, actor=actor, today=today)
    elif payment.scheduled_for and actor.user:
        payment.scheduled_by = actor.user  # nobody executes what another wrote into his payment
    payment.version += 1
    apply_policy(payment)
    forget_executor(payment)
    changed = ["amount", "max_retries", "otp_required", "step_up_required"]
    payment.save(update_fields=[*changed, *EXECUTOR_FIELDS, *SCHEDULE_FIELDS])
    note_payment(actor, "payment.edit", payment, before=before)
    tell_payment(payment, PAYMENT_EDITED)
    return payment


@command("payment.cancel")
def cancel_payment(*, actor: Actor, payment_id: UUID) -> Payment:
    """Cancel a pending or failed payment, which gives its amount back to the requisition.

    A bank payment that waits for its file is withdrawn first: its hold ends, and no file will have it. Raises ``IllegalTransition``, and ``LateSuccess`` when the money of a failed one did move after all.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_change_payment(actor, payment)
    if payment.status == PaymentStatus.EXECUTING:
        _withdraw(payment, actor)
    require_transition(PAYMENT, payment.status, PaymentStatus.CANCELLED, noun="payment")
    require_late_success_decided(payment)
    before = payment_facts(payment)
    payment.status = PaymentStatus.CANCELLED
    void_codes(payment)
    payment.save(update_fields=["status"])
    note_payment(actor, "payment.cancel", payment, before=before)
    tell_payment(payment)
    return payment


def _withdraw(payment: Payment, actor: Actor) -> None:
    """End the attempt of a locked payment that waits for a file, if it does: nothing of it has left."""
    attempt = locks.lock_live_attempt(payment)
    if attempt is None or attempt.state != AttemptState.WAITING:
        return
    require_transition(ATTEMPT, attempt.state, AttemptState.FAILED, noun="payment attempt")
    attempt.state, attempt.finished_at = AttemptState.FAILED, database_now()
    attempt.gateway_status = attempt.last_error = WITHDRAWN
    attempt.save(update_fields=["state", "finished_at", "gateway_status", "last_error"])
    release(payment, attempt, error=WITHDRAWN, burns_retry=False, actor=actor)


@command("payment.retry")
def retry_payment(*, actor: Actor, payment_id: UUID) -> Payment:
    """Make a failed payment pending again; it needs a new code and a new executor's decision.

    It goes out by itself no more, whoever had scheduled it. Raises ``IllegalTransition``, ``RetryLimit`` when it has failed as often as it may, ``LateSuccess``
    when the gateway has since said that the money did move.
    """
    payment = locks.lock_payment(payment_id)
    duties.may_change_payment(actor, payment)
    require_transition(PAYMENT, payment.status, PaymentStatus.PENDING, noun="payment")
    if payment.retry_count >= payment.max_retries:
        raise RetryLimit("This payment has failed as often as it may.")
    require_no_late_success(payment)
    before = payment_facts(payment)
    make_pending(payment, unschedule=True)
    note_payment(actor, "payment.retry", payment, before=before)
    tell_payment(payment, PAYMENT_RETRIED)
    return payment


def make_pending(payment: Payment, *, unschedule: bool = False) -> None:
    """Let a locked payment that failed be executed anew, with no executor and no code.

    ``unschedule`` takes its day away: nobody has it executed in the name of who scheduled an earlier try.
    """
    payment.status = PaymentStatus.PENDING
    payment.retry_at = None
    forget_executor(payment)
    payment.save(update_fields=["status", "retry_at", *EXECUTOR_FIELDS])
    if unschedule:
        take_day_away(payment)


def take_day_away(payment: Payment) -> None:
    """Let a locked pending payment go out on no day by itself, if it was scheduled."""
    if payment.scheduled_for is None:
        return
    payment.scheduled_for = payment.scheduled_by = payment.due_on = payment.next_try_at = None
    payment.tries = 0
    payment.save(update_fields=SCHEDULE_FIELDS)


def require_no_late_success(payment: Payment) -> None:
    """Raise ``LateSuccess`` if an earlier attempt paid after all, and the money was not returned."""
    if late_successes.not_returned(Incident.objects.filter(payment=payment)).exists():
        raise LateSuccess("The gateway says that an earlier attempt did pay. Resolve that first.")


def require_late_success_decided(payment: Payment) -> None:
    """Raise ``LateSuccess`` if an earlier attempt paid after all, and two people have not ended that."""
    if late_successes.undecided(Incident.objects.filter(payment=payment)).exists():
        raise LateSuccess("The gateway says that an earlier attempt did pay. Resolve that first.")


def require_nothing_paid_late(payment: Payment) -> None:
    """Raise ``LateSuccess`` if the payment would pay again what a cancelled one of its requisition paid."""
    requisition = payment.requisition
    incidents = Incident.objects.filter(
        payment__requisition=requisition, payment__status=PaymentStatus.CANCELLED
    )
    late = late_successes.not_returned(incidents)
    paid = sum(late.values_list("attempt__amount", flat=True), start=requisition.committed)
    if paid > requisition.amount:
        message = "The gateway says that a cancelled payment of this requisition did pay."
        raise LateSuccess(message)


def apply_policy(payment: Payment) -> None:
    """Write on the object whether the company's policy asks for a code, and for a second factor.

    Both strictly above their amounts; without a policy always for a code.
    """
    policy = PaymentPolicy.objects.filter(company=payment.company_id, currency=payment.currency)
    limits = policy.values_list("code_above", "step_up_above").first()
    code_above, step_up_above = limits or (None, None)
    payment.otp_required = code_above is None or payment.amount > code_above
    payment.step_up_required = step_up_above is not None and payment.amount > step_up_above


def forget_executor(payment: Payment) -> None:
    """Take back, on the object, who was about to execute it, and kill the codes."""
    void_codes(payment)
    payment.executor = None
    payment.otp_sent_timestamp = None
    payment.otp_verified = False
    payment.otp_verified_timestamp = None


def _requisition_of(requisition_id: UUID) -> Requisition:
    try:
        return locks.lock_requisition(requisition_id)
    except NotFound as missing:
        raise InvalidInput.on("requisition", missing.detail) from None


def _require_as_approved(
    requisition: Requisition, method: str | None, destination: str | None
) -> None:
    if method is not None:
        methods.require_available(method)
    if destination is not None:
        destination = methods.normalise_destination(
            method=requisition.method, destination=destination
        )
    for field, given, approved in (
        ("method", method, requisition.method),
        ("destination", destination, requisition.destination),
    ):
        if given is not None and given != approved:
            message = f"The {field} is not the one that was approved."
            raise DiffersFromApproval(message, errors={field: [message]})


def _amount_within(requisition: Requisition, wanted: Decimal | None) -> Decimal:
    left = requisition.amount - requisition.committed
    if left <= 0:
        raise ExceedsApproval("Nothing is left of what was approved.")
    if wanted is not None and wanted > left:
        shown = format_amount(left, requisition.currency)
        raise ExceedsApproval(f"Only {requisition.currency} {shown} is left of what was approved.")
    return left if wanted is None else wanted


def _build(requisition: Requisition, amount: Decimal, actor: Actor) -> Payment:
    payment = Payment(
        requisition=requisition,
        company_id=requisition.company_id,
        fund=requisition.fund,
        requester_id=requisition.requested_by_id,
        separate_executor=requisition.fund.company.separate_executor,
        amount=amount,
        currency=requisition.currency,
        method=requisition.method,
        destination=requisition.destination,
        destination_index=requisition.destination_index,
        created_by_id=actor.user_id,
    )
    apply_policy(payment)
    return payment


def _insert(payment: Payment) -> None:
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as error:
        if Payment.objects.filter(pk=payment.pk).exists():
            raise PaymentExists("This payment_id was used before with another body.") from error
        raise


def _known(payment_id: UUID, body: str) -> Payment | None:
    """Return the payment that this very request made before."""
    known = Payment.objects.select_related("fund", "requisition").filter(pk=payment_id).first()
    if known is not None and known.body_hash != body:
        raise PaymentExists("This payment_id was used before with another body.")
    return known


def _body_hash(
    requisition: Requisition,
    amount: Amount | None,
    method: str | None,
    destination: str | None,
    scheduled_for: date | None,
) -> str:
    day = () if scheduled_for is None else (scheduled_for,)
    given = (amount, method, destination, *day)
    return hash_of([str(requisition.pk), *(None if v is None else str(v) for v in given)]).hex()


def _retries(value: int) -> int:
    if not 1 <= value <= MOST_RETRIES:
        raise InvalidInput.on("max_retries", f"This is a number from 1 to {MOST_RETRIES}.")
    return value
