"""The steps of the machine: every command of treasury, by people who may and may not."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.actor import Actor
from ledger.clock import today
from tests.properties.treasury_comparison import HANDY, OTHER_CODE, PEOPLE, SENT_CODE, Comparison
from tests.scene import PHONE
from tests.treasury.gateway import not_found, outcome
from treasury import models
from treasury.addresses import attempt_token
from treasury.services import (
    codes,
    dispatching,
    enquiries,
    execution,
    reconciliations,
    replenishment,
    requisitions,
    resolution,
    variances,
)
from treasury.services import payments as payments_services
from treasury.services.callbacks import record_callback

WORKER = Actor.system("worker")
STATUS = {"completed": "Completed", "failed": "Failed", "pending": "Pending"}
# Whoever suits, more often than not.
people = st.sampled_from([*PEOPLE, *HANDY])
requesters = st.sampled_from(["requester", "requester", *HANDY, "auditor"])
deciders = st.sampled_from(["approver", "cfo", "cfo", *HANDY, "requester"])
treasurers = st.sampled_from(["treasurer", "treasurer", "treasurer", *HANDY, "approver"])
hundreds = st.integers(1, 12).map(lambda n: Decimal(n * 100))
amounts = st.one_of(hundreds, hundreds, st.integers(50, 80).map(lambda n: Decimal(n * 100)))
chosen = st.integers(0, 1000)


class RequisitionSteps(Comparison):
    """Asking for money, agreeing, refusing and withdrawing."""

    @rule(person=requesters, amount=amounts, method=st.sampled_from(["cash", "mpesa", "mpesa"]))
    def request(self, person: str, amount: Decimal, method: str) -> None:
        self.agree(
            lambda: self.treasury.request(person, amount, method),
            lambda: requisitions.create_requisition(
                actor=self.actor(person),
                fund_id=self.scene.fund.pk,
                amount=amount,
                purpose="Diesel for the generator",
                payee_name="Wanjiku Supplies",
                method=method,
                destination=PHONE if method == "mpesa" else "Front desk",
            ),
        )

    @precondition(lambda self: self.treasury.requisitions)
    @rule(person=requesters, which=chosen, amount=amounts)
    def edit(self, person: str, which: int, amount: Decimal) -> None:
        wanted = self.a_requisition(which)
        self.about("requisition", wanted, self.treasury.edit, requisitions.edit_requisition)(
            person, amount=amount
        )

    @precondition(lambda self: self.treasury.requisitions)
    @rule(person=deciders, which=chosen)
    def approve(self, person: str, which: int) -> None:
        wanted = self.a_requisition(which)
        self.about("requisition", wanted, self.treasury.approve, requisitions.approve_requisition)(
            person
        )

    @precondition(lambda self: self.undecided())
    @rule(which=chosen)
    def agree_to_one(self, which: int) -> None:
        """Whoever is needed agrees, so that more than beginnings are met."""
        wanted = self.pick(self.undecided(), which)
        for person in ("approver", "cfo"):
            if wanted.status == "submitted":
                self.about(
                    "requisition", wanted, self.treasury.approve, requisitions.approve_requisition
                )(person)

    @precondition(lambda self: self.treasury.requisitions)
    @rule(person=deciders, which=chosen)
    def reject(self, person: str, which: int) -> None:
        wanted = self.a_requisition(which)
        self.about("requisition", wanted, self.treasury.reject, requisitions.reject_requisition)(
            person, reason="Too dear."
        )

    @precondition(lambda self: self.treasury.requisitions)
    @rule(person=requesters, which=chosen)
    def withdraw(self, person: str, which: int) -> None:
        wanted = self.a_requisition(which)
        self.about("requisition", wanted, self.treasury.withdraw, requisitions.cancel_requisition)(
            person
        )


class PaymentSteps(Comparison):
    """From a payment that is made to one that is reconciled or resolved."""

    @precondition(lambda self: self.treasury.requisitions)
    @rule(person=treasurers, which=chosen, amount=st.one_of(st.none(), st.none(), hundreds))
    def pay(self, person: str, which: int, amount: Decimal | None) -> None:
        approved = [one for one in self.treasury.requisitions if one.status == "approved"]
        wanted = self.pick(approved or self.treasury.requisitions, which)
        self.agree(
            lambda: self.treasury.pay(person, wanted, amount),
            lambda: payments_services.create_payment(
                actor=self.actor(person), requisition_id=self.ids[id(wanted)], amount=amount
            ),
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen, amount=hundreds)
    def change(self, person: str, which: int, amount: Decimal) -> None:
        payment = self.a_payment(which)
        self.about("payment", payment, self.treasury.change, payments_services.edit_payment)(
            person, amount=amount
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen)
    def cancel(self, person: str, which: int) -> None:
        payment = self.a_payment(which)
        self.about("payment", payment, self.treasury.cancel, payments_services.cancel_payment)(
            person
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen)
    def retry(self, person: str, which: int) -> None:
        payment = self.a_payment(which, "failed")
        self.about("payment", payment, self.treasury.retry, payments_services.retry_payment)(person)

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen)
    def send_code(self, person: str, which: int) -> None:
        payment = self.a_payment(which, "pending")
        self.about("payment", payment, self.treasury.send_code, codes.send_otp)(person)

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen, right=st.booleans())
    def verify_code(self, person: str, which: int, right: bool) -> None:
        payment = self.a_payment(which, "pending")
        person = payment.executor or person
        self.agree(
            lambda: self.treasury.verify_code(person, payment, right),
            lambda: codes.verify_otp(
                actor=self.actor(person),
                payment_id=self.ids[id(payment)],
                otp=SENT_CODE if right else OTHER_CODE,
            ),
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=treasurers, which=chosen)
    def execute(self, person: str, which: int) -> None:
        payment = self.a_payment(which, "pending")
        self.about("payment", payment, self.treasury.execute, execution.execute_payment)(
            payment.executor or person, today=today
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=people, which=chosen)
    def reconcile(self, person: str, which: int) -> None:
        payment = self.a_payment(which, "success")
        self.about("payment", payment, self.treasury.reconcile, reconciliations.reconcile_payment)(
            person
        )

    @precondition(lambda self: self.treasury.payments)
    @rule(person=people, which=chosen, outcome=st.sampled_from(["paid", "not_paid"]))
    def resolve(self, person: str, which: int, outcome: str) -> None:
        payment = self.a_payment(which, "review")
        self.about("payment", payment, self.treasury.resolve, resolution.resolve_payment)(
            person, outcome=outcome, evidence="As on the statement.", today=today
        )


class GatewaySteps(Comparison):
    """What the gateway replies, and what it answers when it is asked."""

    @precondition(lambda self: self.sent())
    @rule(which=chosen, reply=st.sampled_from(["accepted", "accepted", "unknown", "failed_final"]))
    def send(self, which: int, reply: str) -> None:
        payment = self.pick(self.sent("executing") or self.sent(), which)
        self.gateway.replies = [outcome(reply, conversation_id="AG_1")]
        self.agree(
            lambda: self.treasury.send(payment, reply),
            lambda: dispatching.dispatch_attempt(
                actor=WORKER, attempt_id=self.attempt_of(payment).pk, today=today
            ),
        )

    @precondition(lambda self: self.sent())
    @rule(
        which=chosen,
        answer=st.sampled_from(["completed", "failed", "another amount", "not found", "pending"]),
    )
    def hear(self, which: int, answer: str) -> None:
        payment = self.pick(self.sent("unknown", "executing") or self.sent(), which)
        self.agree(
            lambda: self.treasury.hear(payment, answer),
            lambda: self.ask(self.attempt_of(payment), answer),
        )

    def ask(self, attempt: models.PaymentAttempt, answer: str) -> bool:
        """A hint makes it due; the answer comes to the address of the question."""
        hint = f"something happened, {next(self.numbers)}".encode()
        record_callback(
            actor=WORKER, attempt_id=attempt.pk, token=attempt_token(attempt.pk), body=hint
        )
        if not enquiries.ask_about(actor=WORKER, attempt_id=attempt.pk, today=today):
            return False
        conversation = f"AG_Q{len(self.gateway.asked)}"
        if answer == "not found":
            self.gateway.answer(attempt, body=not_found(conversation))
        elif answer == "another amount":
            self.gateway.answer(attempt, "Completed", amount=attempt.amount + 1)
        else:
            self.gateway.answer(attempt, STATUS[answer])
        return True


class FundSteps(Comparison):
    """Variances and replenishments."""

    @precondition(lambda self: self.treasury.payments)
    @rule(
        person=people,
        which=chosen,
        stale=st.sampled_from([0, 0, 0, 100]),
        adjusted=st.integers(0, 30),
    )
    def record_variance(self, person: str, which: int, stale: int, adjusted: int) -> None:
        payment = self.a_payment(which, "success", "reconciled")
        original = payment.booked + stale or Decimal(100)
        amount = Decimal(adjusted * 50)
        if amount == original:
            return
        self.agree(
            lambda: self.treasury.record_variance(person, payment, original, amount),
            lambda: variances.record_variance(
                actor=self.actor(person),
                payment_id=self.ids[id(payment)],
                original_amount=original,
                adjusted_amount=amount,
                reason="The receipt says otherwise.",
            ),
        )

    @precondition(lambda self: self.all_variances())
    @rule(person=deciders, which=chosen)
    def approve_variance(self, person: str, which: int) -> None:
        variance = self.pick(self.all_variances(), which)
        self.about(
            "variance", variance, self.treasury.approve_variance, variances.approve_variance
        )(person, today=today)

    @precondition(lambda self: self.all_variances())
    @rule(person=deciders, which=chosen)
    def reject_variance(self, person: str, which: int) -> None:
        variance = self.pick(self.all_variances(), which)
        self.about("variance", variance, self.treasury.reject_variance, variances.reject_variance)(
            person, reason="No."
        )

    @rule(person=treasurers, amount=amounts)
    def replenish(self, person: str, amount: Decimal) -> None:
        self.agree(
            lambda: self.treasury.replenish(person, amount),
            lambda: replenishment.replenish(
                actor=self.actor(person),
                fund_id=self.scene.fund.pk,
                amount=amount,
                reason="Before the holidays.",
            ),
        )

    @rule()
    def look_at_reorder_levels(self) -> None:
        self.agree(
            self.treasury.ask_if_low, lambda: replenishment.check_reorder_levels(actor=WORKER)
        )

    @precondition(lambda self: self.treasury.replenishments)
    @rule(person=deciders, which=chosen)
    def approve_replenishment(self, person: str, which: int) -> None:
        self.about(
            "replenishment",
            self.a_replenishment(which),
            self.treasury.approve_replenishment,
            replenishment.approve_replenishment,
        )(person)

    @precondition(lambda self: self.treasury.replenishments)
    @rule(person=deciders, which=chosen)
    def reject_replenishment(self, person: str, which: int) -> None:
        self.about(
            "replenishment",
            self.a_replenishment(which),
            self.treasury.reject_replenishment,
            replenishment.reject_replenishment,
        )(person, reason="Not now.")

    @precondition(lambda self: self.treasury.replenishments)
    @rule(person=treasurers, which=chosen)
    def fund(self, person: str, which: int) -> None:
        self.about(
            "replenishment",
            self.a_replenishment(which),
            self.treasury.fund,
            replenishment.fund_replenishment,
        )(person, today=today)
