"""Treasury and the one in plain Python, driven by the same random hands through every command, agree on each
refusal, each status and each shilling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.actor import Actor
from ledger.clock import today
from ledger.models import Account, Membership, User
from ledger.refusals import Refusal
from ledger.roles import Role
from ledger.services.verification import verify
from payments.gateways import daraja
from payments.models import Provider
from tests.conftest import FULL
from tests.properties import reference_treasury as reference
from tests.properties.reference_treasury import Payment, Replenishment, Requisition, Variance
from tests.scene import PHONE, Scene, build_scene
from tests.treasury.gateway import Gateway, not_found, outcome
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
SENT_CODE, OTHER_CODE = "735901", "000001"
OPENING, REORDER_LEVEL = 30_000, 10_000
# Six with one role each, and two who may do everything: for them there is segregation.
PEOPLE = {role: {role} for role in ("requester", "approver", "cfo", "treasurer", "reconciler")}
PEOPLE |= {"auditor": {"auditor"}}
HANDY = ("second_cfo", "second_treasurer")
PEOPLE |= {name: {str(role) for role in Role} for name in HANDY}
# Whoever suits, more often than not.
people = st.sampled_from([*PEOPLE, *HANDY])
requesters = st.sampled_from(["requester", "requester", *HANDY, "auditor"])
deciders = st.sampled_from(["approver", "cfo", "cfo", *HANDY, "requester"])
treasurers = st.sampled_from(["treasurer", "treasurer", "treasurer", *HANDY, "approver"])
hundreds = st.integers(1, 12).map(lambda n: Decimal(n * 100))
amounts = st.one_of(hundreds, hundreds, st.integers(50, 80).map(lambda n: Decimal(n * 100)))
chosen = st.integers(0, 1000)


class TreasuryMachine(RuleBasedStateMachine):
    """Each run is one transaction that is rolled back; each command a savepoint, as a refusal ends it."""

    scene: Scene
    gateway: Gateway

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        # As Django's TestCase does: commands are durable, and this transaction is only the run's.
        self.atomic._from_testcase = True  # type: ignore[attr-defined]
        self.atomic.__enter__()
        TreasuryMachine.gateway = Gateway()
        self.numbers = count(1)
        self.ids: dict[int, Any] = {}
        self.treasury = reference.Treasury(
            roles=dict(PEOPLE),
            balance=Decimal(OPENING),
            reorder_level=Decimal(REORDER_LEVEL),
            target_level=Decimal(2 * REORDER_LEVEL),
        )
        self.begin()

    def begin(self) -> None:
        """Three payments to begin with, so that a short run meets more than beginnings; one needs a code."""
        for amount, method in ((800, "cash"), (600, "mpesa"), (1200, "mpesa")):
            self.request("requester", Decimal(amount), method)
            self.agree_to_one(0)
            self.pay("treasurer", -1, None)
        self.execute_one(self.treasury.payments[1])

    def execute_one(self, payment: Payment) -> None:
        self.about("payment", payment, self.treasury.execute, execution.execute_payment)(
            "treasurer", today=today
        )

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            report = verify()
            assert not [fault for fault in report.faults if fault.check != "anchors"]
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # --- Requisitions -------------------------------------------------------------------------------------

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

    # --- Payments -----------------------------------------------------------------------------------------

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

    # --- The gateway --------------------------------------------------------------------------------------

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

    # --- Variances and replenishments ---------------------------------------------------------------------

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

    # --- How they are compared ----------------------------------------------------------------------------

    def about(
        self,
        noun: str,
        thing: object,
        model: Callable[..., object],
        command: Callable[..., object],
    ) -> Callable[..., None]:
        """A step that names a thing and a person; what only the product asks for is not the model's."""

        def step(person: str, **more: Any) -> None:
            known = {name: value for name, value in more.items() if name in {"amount", "outcome"}}
            self.agree(
                lambda: model(person, thing, **known),
                lambda: command(
                    actor=self.actor(person), **{f"{noun}_id": self.ids[id(thing)]}, **more
                ),
            )

        return step

    def agree(self, model: Callable[[], object], product: Callable[[], object]) -> None:
        """Both do it, or both refuse it with the same code; then everything is compared."""
        expected = given = ""
        made = row = None
        try:
            made = model()
        except reference.Refused as refused:
            expected = refused.code
        try:
            row = product()
        except Refusal as refusal:
            given = refusal.code
        assert given == expected
        TALLY[given or "done"] += 1
        if isinstance(made, bool):
            assert row is made
        elif made is not None and row is not None:
            self.ids[id(made)] = row.pk  # type: ignore[attr-defined]
        self.compare()

    def compare(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        account = Account.objects.get(pk=self.scene.fund.account_id)
        assert (account.balance, account.held) == (self.treasury.balance, self.treasury.held)
        suspense = Account.objects.get(pk=self.scene.fund.suspense_account_id)
        assert suspense.balance == self.treasury.suspense
        self.compare_money()
        self.compare_rows()

    def compare_money(self) -> None:
        """What the fund began with and was given is what it has and what payees have."""
        given = sum(r.amount for r in self.treasury.replenishments if r.status == "funded")
        gone = sum(payment.booked for payment in self.treasury.payments)
        assert OPENING + given == self.treasury.balance + gone
        assert self.treasury.available >= 0
        executions = models.PaymentExecution.objects.filter(company=self.scene.company)
        paid = [p for p in self.treasury.payments if p.status in reference.PAID]
        assert executions.count() == len(paid)

    def compare_rows(self) -> None:
        asked = dict(models.Requisition.objects.values_list("pk", "status"))
        assert asked == {self.ids[id(one)]: one.status for one in self.treasury.requisitions}
        paid = {row[0]: row[1:] for row in models.Payment.objects.values_list(*PAYMENT_FIELDS)}
        assert paid == {
            self.ids[id(one)]: (one.status, one.amount, one.retries, one.code_required)
            for one in self.treasury.payments
        }
        found = models.ReplenishmentRequest.objects.order_by("created_at", "pk")
        kept = list(found.values_list("pk", "status", "requested_amount"))
        for one, row in zip(self.treasury.replenishments, kept, strict=True):
            assert (one.status, one.amount) == row[1:]
            self.ids.setdefault(id(one), row[0])

    # --- From what is drawn to what is there --------------------------------------------------------------

    def actor(self, name: str) -> Actor:
        return self.scene.actor(name)

    @staticmethod
    def pick(things: list[Any], which: int) -> Any:
        return things[which % len(things)]

    def a_requisition(self, which: int) -> Requisition:
        found: Requisition = self.pick(self.treasury.requisitions, which)
        return found

    def a_payment(self, which: int, *statuses: str) -> Payment:
        """One in such a status, if there is one and not every fifth time."""
        fitting = [p for p in self.treasury.payments if p.status in statuses]
        if which % 5 == 0 or not fitting:
            fitting = self.treasury.payments
        found: Payment = self.pick(fitting, which)
        return found

    def a_replenishment(self, which: int) -> Replenishment:
        found: Replenishment = self.pick(self.treasury.replenishments[-3:], which)
        return found

    def undecided(self) -> list[Requisition]:
        return [one for one in self.treasury.requisitions if one.status == "submitted"]

    def all_variances(self) -> list[Variance]:
        return [one for payment in self.treasury.payments for one in payment.variances]

    def sent(self, *statuses: str) -> list[Payment]:
        """Payments that were handed to the gateway, in one of these statuses, or in any."""
        found = [payment for payment in self.treasury.payments if payment.attempts]
        return [one for one in found if one.status in statuses] if statuses else found

    def attempt_of(self, payment: Payment) -> models.PaymentAttempt:
        rows = models.PaymentAttempt.objects.filter(payment=self.ids[id(payment)])
        return rows.latest("number")


STATUS = {"completed": "Completed", "failed": "Failed", "pending": "Pending"}
PAYMENT_FIELDS = ("pk", "status", "amount", "retry_count", "otp_required")
TALLY: dict[str, int] = defaultdict(int)


@pytest.fixture
def machine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> type[TreasuryMachine]:
    """The machine, with a fund that every run finds as it was."""
    scene = build_scene(
        opening=OPENING,
        reorder_level=REORDER_LEVEL,
        one_approval_up_to=int(reference.ONE_APPROVAL_UP_TO),
    )
    scene.require_codes(above=int(reference.CODE_ABOVE))
    for name in HANDY:
        _give_every_role(scene, scene.people[name])
    Provider.objects.create(
        company=scene.company,
        kind="mpesa",
        name="M-Pesa",
        base_url="http://127.0.0.1:9",
        short_code="600000",
        initiator_name="tests",
        credentials="{}",
        certificate="none",
    )
    monkeypatch.setattr(TreasuryMachine, "scene", scene, raising=False)
    for name in ("send_b2c", "query_status"):
        monkeypatch.setattr(daraja, name, _through(name))
    monkeypatch.setattr(codes, "generate_otp", lambda: SENT_CODE)
    TALLY.clear()
    return TreasuryMachine


def _give_every_role(scene: Scene, user: User) -> None:
    for role in Role:
        Membership.objects.get_or_create(user=user, company=scene.company, role=role)


def _through(name: str) -> Callable[..., Any]:
    """Each run has a gateway of its own, so it is looked up at each call."""

    def call(**asked: Any) -> Any:
        return getattr(TreasuryMachine.gateway, name)(**asked)

    return call


def test_treasury_does_what_is_promised_and_money_is_conserved(
    machine: type[TreasuryMachine],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=400 if FULL else 10,
            stateful_step_count=80 if FULL else 30,
            suppress_health_check=list(HealthCheck),
            phases=[p for p in Phase if p is not Phase.shrink],
        ),
    )
    assert TALLY["done"] > 50, dict(TALLY)
