"""What can be done to a payment, each by the command that the API uses too."""

from typing import Any

from ledger.access import require_role
from ledger.actor import Actor
from ledger.admin.steps import (
    Given,
    Reasoned,
    Step,
    StepForm,
    choice,
    day,
    line,
    money,
    paragraph,
)
from ledger.clock import today
from ledger.money import format_amount
from ledger.roles import Role
from treasury import duties, readiness, segregation
from treasury.admin.codes import Code, code_field
from treasury.bank_selectors import nothing_has_left
from treasury.late_successes import undecided
from treasury.models import LateSuccess, Payment, Resolution
from treasury.selectors import paid_amount
from treasury.services.codes import send_otp, verify_otp
from treasury.services.execution import execute_payment
from treasury.services.late_successes import clear_late_success
from treasury.services.payments import cancel_payment, edit_payment, retry_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.resolution import resolve_payment
from treasury.services.reversals import reverse_payment
from treasury.services.variances import record_variance

TREASURER = frozenset({Role.TREASURER})


# --- Who may ----------------------------------------------------------------------------------------


def may_execute(actor: Actor, payment: Payment) -> None:
    """A treasurer who neither asked for it nor, where the company separates the two, approved it."""
    require_role(actor, Role.TREASURER, place=payment.fund)
    readiness.require_duties(payment, actor.user_id)


def may_resolve(actor: Actor, payment: Payment) -> None:
    """A treasurer or CFO who did not ask for it."""
    require_role(actor, Role.TREASURER, Role.CFO, place=payment.fund)
    segregation.require_not_requester(
        user_id=actor.user_id, requester_id=payment.requester_id, act="resolve"
    )


# --- What is asked ----------------------------------------------------------------------------------


def _needs_code(payment: Payment) -> bool:
    return payment.otp_required and not payment.otp_verified


class Execution(StepForm):
    """The code, where one is still needed; many payments at once need theirs entered before."""

    otp = code_field(required=False)

    def prepare(self) -> None:
        if len(self.rows) != 1 or not _needs_code(self.rows[0]):
            del self.fields["otp"]


class Edit(StepForm):
    amount = money("Amount")
    max_retries = line("How often it may fail", max_length=3)

    def prepare(self) -> None:
        payment: Payment = self.rows[0]
        self.fields["amount"].initial = format_amount(payment.amount, payment.currency)
        self.fields["amount"].help_text = payment.currency
        self.fields["max_retries"].initial = payment.max_retries


class Note(StepForm):
    note = line(
        "Note", required=False, max_length=255, help_text="Statement line, receipt number, …"
    )


class Variance(Reasoned):
    original_amount = money("What the books say")
    adjusted_amount = money("What the payee got")
    field_order = ("original_amount", "adjusted_amount", "reason")

    def prepare(self) -> None:
        payment: Payment = self.rows[0]
        now = format_amount(paid_amount(payment), payment.currency)
        self.fields["original_amount"].initial = now
        for name in ("original_amount", "adjusted_amount"):
            self.fields[name].help_text = payment.currency


class Finding(StepForm):
    outcome = choice("What became of it", Resolution.Outcome.choices)
    evidence = paragraph("How this is known")

    def prepare(self) -> None:
        """Start from what another person proposed."""
        for payment in self.rows:
            proposal = payment.resolutions.filter(confirmed_at=None, withdrawn_at=None).first()
            if proposal:
                self.fields["outcome"].initial = proposal.outcome
                self.fields["outcome"].help_text = f"{proposal.proposed_by} proposed this."


class Evidence(StepForm):
    """How somebody knows that the money came back; starts from what another person said."""

    evidence = paragraph("How this is known")

    def prepare(self) -> None:
        for payment in self.rows:
            found = payment.reversals.filter(confirmed_at=None, withdrawn_at=None).first()
            if found:
                said = f"{found.proposed_by} proposed this: {found.evidence}"
                self.fields["evidence"].help_text = said


class LateFinding(StepForm):
    outcome = choice("What became of it", LateSuccess.Outcome.choices)
    evidence = paragraph("How this is known")

    def prepare(self) -> None:
        """Start from what another person proposed."""
        for payment in self.rows:
            found = payment.late_successes.filter(confirmed_at=None, withdrawn_at=None).first()
            if found:
                self.fields["outcome"].initial = found.outcome
                said = f"{found.proposed_by} proposed this: {found.evidence}"
                self.fields["outcome"].help_text = said


# --- What is done -----------------------------------------------------------------------------------


def _send_code(actor: Actor, row: Payment, _given: Given) -> object:
    return send_otp(actor=actor, payment_id=row.pk)


def _enter_code(actor: Actor, row: Payment, given: Given) -> object:
    return verify_otp(actor=actor, payment_id=row.pk, otp=given["otp"])


def _execute(actor: Actor, row: Payment, given: Given) -> object:
    """Enter the code, if one was given, and execute: two commands, each with its own refusal."""
    if given.get("otp"):
        verify_otp(actor=actor, payment_id=row.pk, otp=given["otp"])
    return execute_payment(actor=actor, payment_id=row.pk, today=today)


def _edit(actor: Actor, row: Payment, given: Given) -> object:
    return edit_payment(
        actor=actor,
        payment_id=row.pk,
        amount=given["amount"],
        max_retries=_number(given["max_retries"]),
    )


class Schedule(StepForm):
    scheduled_for = day(
        "Goes out on",
        required=False,
        help_text="Empty: when somebody executes it.",
    )

    def prepare(self) -> None:
        if self.rows:
            self.initial = {"scheduled_for": self.rows[0].scheduled_for}


def _schedule(actor: Actor, row: Payment, given: Given) -> object:
    return edit_payment(
        actor=actor, payment_id=row.pk, scheduled_for=given["scheduled_for"], today=today
    )


def _number(text: str) -> int:
    """A whole number as typed; anything else is as none, which the command refuses."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _reconcile(actor: Actor, row: Payment, given: Given) -> object:
    return reconcile_payment(actor=actor, payment_id=row.pk, note=given["note"])


def _record_variance(actor: Actor, row: Payment, given: Given) -> object:
    return record_variance(
        actor=actor,
        payment_id=row.pk,
        original_amount=given["original_amount"],
        adjusted_amount=given["adjusted_amount"],
        reason=given["reason"],
    )


def _retry(actor: Actor, row: Payment, _given: Given) -> object:
    return retry_payment(actor=actor, payment_id=row.pk)


def _resolve(actor: Actor, row: Payment, given: Given) -> object:
    return resolve_payment(
        actor=actor,
        payment_id=row.pk,
        outcome=given["outcome"],
        evidence=given["evidence"],
        today=today,
    )


def _reverse(actor: Actor, row: Payment, given: Given) -> object:
    return reverse_payment(actor=actor, payment_id=row.pk, evidence=given["evidence"], today=today)


def _clear_late_success(actor: Actor, row: Payment, given: Given) -> object:
    return clear_late_success(
        actor=actor,
        payment_id=row.pk,
        outcome=given["outcome"],
        evidence=given["evidence"],
        today=today,
    )


def _came_late(payment: Any) -> bool:
    return bool(undecided(payment.incidents.all()).exists())


def _is_due(payment: Any) -> bool:
    """Whether it may leave today: what is scheduled for a later day does not, and a code lives five minutes."""
    return payment.due_on is None or payment.due_on <= today(payment.company)


def _wants_code(payment: Any) -> bool:
    return bool(payment.otp_required) and _is_due(payment)


def _awaits_code(payment: Any) -> bool:
    return _needs_code(payment) and payment.otp_sent_timestamp is not None


def _can_be_confirmed(payment: Any) -> bool:
    """Whether executing makes sense: without a code that was sent there is nothing to confirm with."""
    sent = payment.otp_sent_timestamp is not None
    return _is_due(payment) and (sent or not _needs_code(payment))


STEPS = (
    Step(
        name="execute",
        label="Execute",
        done="executed",
        says=lambda it: "executed" if it.status == "success" else "on its way, as its status tells",
        run=_execute,
        roles=TREASURER,
        states=frozenset({"pending"}),
        fits=_can_be_confirmed,
        may=may_execute,
        form=Execution,
        tone="main",
        hint="The money leaves the fund. A payment through a gateway is sent at once by a worker.",
    ),
    Step(
        name="send-code",
        label="Send me a code",
        done="a code is on its way to your mail",
        run=_send_code,
        roles=TREASURER,
        states=frozenset({"pending"}),
        fits=_wants_code,
        may=may_execute,
        tone="main",
        hint="Makes you the executor. Codes that were sent before are void.",
    ),
    Step(
        name="enter-code",
        label="Enter the code",
        done="the code is right; execute within five minutes of its sending",
        run=_enter_code,
        roles=TREASURER,
        states=frozenset({"pending"}),
        fits=_awaits_code,
        may=may_execute,
        form=Code,
        bulk=False,
    ),
    Step(
        name="reconcile",
        label="Reconcile",
        done="reconciled",
        run=_reconcile,
        roles=frozenset({Role.RECONCILER}),
        states=frozenset({"success"}),
        may=duties.may_reconcile,
        form=Note,
        tone="main",
        hint="You have compared it with the outside world, and it is as the books say.",
    ),
    Step(
        name="record-variance",
        label="Record a variance",
        done="a variance waits for the CFO",
        run=_record_variance,
        roles=frozenset({Role.TREASURER, Role.RECONCILER}),
        states=frozenset({"success", "reconciled"}),
        may=duties.may_record_variance,
        form=Variance,
        bulk=False,
        hint="The payee got another amount. Nothing is booked until a CFO approves it.",
    ),
    Step(
        name="resolve",
        label="Resolve",
        done="your finding is noted",
        run=_resolve,
        roles=frozenset({Role.TREASURER, Role.CFO}),
        states=frozenset({"review"}),
        may=may_resolve,
        form=Finding,
        tone="main",
        hint="One person proposes, another confirms. The money stays held until both agree.",
    ),
    Step(
        name="clear-late-success",
        label="End the late success",
        done="your finding is noted",
        run=_clear_late_success,
        roles=frozenset({Role.TREASURER, Role.CFO}),
        fits=_came_late,
        may=duties.may_clear_late_success,
        form=LateFinding,
        tone="main",
        hint="It failed, and then the gateway said that it was paid: its amount stands in suspense. One person"
        " proposes, a CFO confirms. Only what was returned may be paid again.",
        bulk=False,
    ),
    Step(
        name="reverse",
        label="Money came back",
        done="your finding is noted",
        run=_reverse,
        roles=frozenset({Role.TREASURER, Role.RECONCILER, Role.CFO}),
        states=frozenset({"success", "reconciled"}),
        may=duties.may_reverse,
        form=Evidence,
        hint="One person proposes, a CFO confirms. Then it is booked back, and its amount may be paid again.",
        bulk=False,
    ),
    Step(
        name="retry",
        label="Try again",
        done="pending again; it needs a new code",
        run=_retry,
        roles=TREASURER,
        states=frozenset({"failed"}),
        tone="main",
        hint="The gateway has refused it for certain. It becomes pending again.",
    ),
    Step(
        name="edit",
        label="Change",
        done="changed; codes sent before are void",
        run=_edit,
        roles=TREASURER,
        states=frozenset({"pending"}),
        form=Edit,
        bulk=False,
    ),
    Step(
        name="schedule",
        label="Schedule",
        done="scheduled",
        run=_schedule,
        roles=TREASURER,
        states=frozenset({"pending"}),
        form=Schedule,
        hint="It goes out by itself on that day, with you as its executor; what needs a code waits for you then.",
    ),
    Step(
        name="cancel",
        label="Cancel",
        done="cancelled",
        run=lambda actor, row, _given: cancel_payment(actor=actor, payment_id=row.pk),
        roles=TREASURER,
        states=frozenset({"pending", "failed", "executing"}),
        fits=nothing_has_left,
        tone="danger",
        hint="It is never paid; its amount can be paid by another payment of the requisition.",
    ),
)
