"""Treasury and its model in plain Python, driven by the same random hands: who may do what, and every shilling."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.refusals import Refusal
from ledger.roles import Role
from payments.gateways import daraja
from tests.conftest import FULL, SentTasks
from tests.properties import treasury_model as model
from tests.treasury import factories
from tests.treasury.factories import PHONE, acting, today
from tests.treasury.gateway import SYSTEM, Gateway, outcome
from treasury import models
from treasury.services import (
    codes,
    dispatching,
    enquiries,
    execution,
    payments,
    policies,
    reconciliations,
    replenishment,
    requisitions,
    resolution,
    variances,
)
from treasury.tiers import APPROVER_AND_CFO, ONE, Tier

OPENING = 3000
MOST = 8
RIGHT, WRONG = "135790", "024680"

# What lies on the desk when a run begins: asked for, agreed to, made; and some of it on its way.
BEGINNING = (
    ("requester", 300, "cash"),
    ("requester", 250, "mpesa"),
    ("requester", 50, "mpesa"),
    ("requester", 550, "cash"),
    ("everything", 900, "mpesa"),
)
EXECUTED = (0, 1, 2)

people = st.sampled_from(sorted(model.ROLES))
executors = st.sampled_from(["treasurer", "treasurer", "second_treasurer", "everything", "cfo"])
amounts = st.sampled_from([50, 250, 300, 350, 500, 550, 900, 2000])
places = st.integers(0, 30)


class TreasuryMachine(RuleBasedStateMachine):
    """Each run is one transaction that is rolled back; a command may run inside it."""

    gateway: Gateway

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True  # type: ignore[attr-defined]
        self.atomic.__enter__()
        company = factories.make_company()
        tiers = [Tier(Decimal(model.ONE_APPROVAL_UP_TO), ONE), Tier(None, APPROVER_AND_CFO)]
        policies.set_approval_tiers(
            actor=SYSTEM, company_id=company.pk, currency="KES", tiers=tiers
        )
        policies.set_code_threshold(
            actor=SYSTEM, company_id=company.pk, currency="KES", code_above=model.CODE_ABOVE
        )
        self.fund = factories.make_fund(company, balance=Decimal(OPENING))
        factories.make_provider(company)
        self.users = {
            name: factories.person(company, *map(Role, roles))
            for name, roles in model.ROLES.items()
        }
        self.model = model.Treasury(balance=OPENING)
        self.requisitions: list[models.Requisition] = []
        self.payments: list[models.Payment] = []
        self.replenishments: list[models.ReplenishmentRequest] = []
        for place, (who, amount, method) in enumerate(BEGINNING):
            self.request(who, amount, method)
            self.approve(place, "approver")
            self.approve(place, "cfo")
            self.pay(place, "treasurer", amount)
        for place in EXECUTED:
            self.execute(place, "treasurer")

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            connection.check_constraints()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def agree(self, allowed: bool, command: Callable[..., Any], who: str, **given: Any) -> Any:
        """Both say yes or both say no; what a refusal wrote is nothing."""
        done, refusal = None, None
        try:
            done = command(actor=acting(self.users[who]), **given)
        except Refusal as refused:
            refusal = refused
        said = f"{command.__name__} by {who}: {refusal!r}"
        assert allowed == (refusal is None), said
        return done

    def one(self, rows: list[Any], twins: list[Any], place: int) -> tuple[Any, Any]:
        return rows[place % len(rows)], twins[place % len(rows)]

    # --- Requisitions -----------------------------------------------------------------------------------

    @precondition(lambda self: len(self.requisitions) < MOST)
    @rule(
        who=st.sampled_from(["requester", "everything", "cfo"]),
        amount=amounts,
        method=st.sampled_from(["cash", "mpesa"]),
    )
    def request(self, who: str, amount: int, method: str) -> None:
        allowed = self.model.request(who, amount, method)
        made = self.agree(
            allowed,
            requisitions.create_requisition,
            who,
            fund_id=self.fund.pk,
            amount=amount,
            purpose="Paper",
            payee_name="Amina Traders",
            method=method,
            destination=PHONE if method == "mpesa" else "Front desk",
        )
        if made:
            self.requisitions.append(made)

    @precondition(lambda self: self.requisitions)
    @rule(place=places, who=st.sampled_from(["requester", "everything"]), amount=amounts)
    def edit(self, place: int, who: str, amount: int) -> None:
        row, twin = self.one(self.requisitions, self.model.requisitions, place)
        allowed = self.model.edit(twin, who, amount)
        edit = requisitions.edit_requisition
        self.agree(allowed, edit, who, requisition_id=row.pk, amount=amount)

    @precondition(lambda self: self.requisitions)
    @rule(place=places, who=people)
    def withdraw(self, place: int, who: str) -> None:
        row, twin = self.one(self.requisitions, self.model.requisitions, place)
        allowed = self.model.withdraw(twin, who)
        self.agree(allowed, requisitions.cancel_requisition, who, requisition_id=row.pk)

    @precondition(lambda self: self.requisitions)
    @rule(place=places, who=st.sampled_from(["approver", "cfo", "everything", "requester"]))
    def approve(self, place: int, who: str) -> None:
        row, twin = self.one(self.requisitions, self.model.requisitions, place)
        allowed = self.model.approve(twin, who)
        self.agree(allowed, requisitions.approve_requisition, who, requisition_id=row.pk)

    @precondition(lambda self: self.requisitions)
    @rule(place=places, who=people)
    def reject(self, place: int, who: str) -> None:
        row, twin = self.one(self.requisitions, self.model.requisitions, place)
        allowed = self.model.reject(twin, who)
        reject = requisitions.reject_requisition
        self.agree(allowed, reject, who, requisition_id=row.pk, reason="No")

    # --- Payments ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.requisitions)
    @rule(place=places, who=st.sampled_from(["treasurer", "everything", "cfo"]), amount=amounts)
    def pay(self, place: int, who: str, amount: int) -> None:
        row, twin = self.one(self.requisitions, self.model.requisitions, place)
        allowed = self.model.pay(twin, who, amount)
        pay = payments.create_payment
        made = self.agree(allowed, pay, who, requisition_id=row.pk, amount=amount)
        if made:
            self.payments.append(made)

    @precondition(lambda self: self.payments)
    @rule(place=places, who=executors, amount=amounts)
    def change(self, place: int, who: str, amount: int) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        allowed = self.model.change(twin, who, amount)
        self.agree(allowed, payments.edit_payment, who, payment_id=row.pk, amount=amount)

    @precondition(lambda self: self.payments)
    @rule(
        place=places,
        who=st.sampled_from(["treasurer", "everything", "requester"]),
        command=st.sampled_from(["cancel", "retry", "retry", "retry"]),
    )
    def cancel_or_retry(self, place: int, who: str, command: str) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        allowed = getattr(self.model, command)(twin, who)
        self.agree(allowed, getattr(payments, f"{command}_payment"), who, payment_id=row.pk)

    @precondition(lambda self: self.payments)
    @rule(place=places, who=executors, then_verify=st.booleans())
    def send_code(self, place: int, who: str, then_verify: bool) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        models.OneTimeCode.objects.filter(payment=row).update(voided_at=Now())
        twin.code_for, twin.verified = "", False  # the code before it is dead
        models.Payment.objects.filter(pk=row.pk, status="pending").update(otp_verified=False)
        sent = models.OneTimeCode.objects.filter(payment=row).count()
        if sent < 3:  # three an hour
            allowed = self.model.send_code(twin, who)
            self.agree(allowed, codes.send_otp, who, payment_id=row.pk)
            if allowed and then_verify:
                self.verify(place, who, RIGHT)

    @precondition(lambda self: self.payments)
    @rule(
        place=places,
        who=executors,
        otp=st.sampled_from([RIGHT, RIGHT, RIGHT, WRONG]),
    )
    def verify(self, place: int, who: str, otp: str) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        models.OneTimeCode.objects.filter(payment=row).update(tries=0)
        models.FailedTries.objects.filter(user=self.users[who]).update(tries=0)
        allowed = self.model.verify(twin, who, right=otp == RIGHT)
        self.agree(allowed, codes.verify_otp, who, payment_id=row.pk, otp=otp)

    @precondition(lambda self: self.payments)
    @rule(place=places, who=executors)
    def execute(self, place: int, who: str) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        allowed = self.model.execute(twin, who)
        self.agree(allowed, execution.execute_payment, who, payment_id=row.pk, today=today)

    @precondition(
        lambda self: any(one.status in {"executing", "unknown"} for one in self.model.payments)
    )
    @rule(place=places, found=st.sampled_from(["paid", "not_paid", "unknown", "review"]))
    def hear(self, place: int, found: str) -> None:
        """The gateway takes it and is asked, or does not answer; it names another amount: review."""
        out = [
            (row, twin)
            for row, twin in zip(self.payments, self.model.payments, strict=True)
            if twin.status in {"executing", "unknown"}
        ]
        row, twin = out[place % len(out)]
        attempt = models.PaymentAttempt.objects.get(payment=row, finished_at=None)
        if attempt.state == "sending":
            self.gateway.replies = [outcome("unknown" if found == "unknown" else "accepted")]
            dispatching.dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
        elif found == "unknown":
            return
        if found != "unknown":
            self.answer(attempt, found)
        self.model.outcome(twin, found)

    def answer(self, attempt: models.PaymentAttempt, found: str) -> None:
        models.PaymentAttempt.objects.filter(pk=attempt.pk).update(next_query_at=Now())
        assert enquiries.ask_about(actor=SYSTEM, attempt_id=attempt.pk, today=today)
        word = "Failed" if found == "not_paid" else "Completed"
        amount = attempt.amount + 1 if found == "review" else None
        self.gateway.answer(attempt, word, amount=amount)

    @precondition(lambda self: any(one.status == "review" for one in self.model.payments))
    @rule(place=places, who=people, found=st.sampled_from(["paid", "not_paid"]))
    def resolve(self, place: int, who: str, found: str) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        allowed = self.model.resolve(twin, who, found)
        resolve = resolution.resolve_payment
        given = {"outcome": found, "evidence": "As on the statement", "today": today}
        self.agree(allowed, resolve, who, payment_id=row.pk, **given)

    @precondition(lambda self: self.payments)
    @rule(place=places, who=st.sampled_from(["reconciler", "everything", "treasurer"]))
    def reconcile(self, place: int, who: str) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        allowed = self.model.reconcile(twin, who)
        self.agree(allowed, reconciliations.reconcile_payment, who, payment_id=row.pk)

    # --- Corrections ------------------------------------------------------------------------------------

    @precondition(lambda self: any(one.status in model.PAID for one in self.model.payments))
    @rule(place=places, who=people, adjusted=amounts)
    def record_variance(self, place: int, who: str, adjusted: int) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        says = twin.books or twin.amount
        if adjusted == says and twin.status not in model.PAID:
            return
        allowed = self.model.record_variance(twin, who, adjusted)
        given = {"original_amount": says, "adjusted_amount": adjusted, "reason": "Receipt"}
        self.agree(allowed, variances.record_variance, who, payment_id=row.pk, **given)

    @precondition(lambda self: any(one.variance for one in self.model.payments))
    @rule(place=places, who=st.sampled_from(["cfo", "everything"]), agree=st.booleans())
    def decide_variance(self, place: int, who: str, agree: bool) -> None:
        row, twin = self.one(self.payments, self.model.payments, place)
        variance = models.VarianceAdjustment.objects.filter(payment=row, status="pending").first()
        if variance is None:
            return
        allowed = self.model.decide_variance(twin, who, agree=agree)
        command = variances.approve_variance if agree else variances.reject_variance
        more: dict[str, Any] = {"today": today} if agree else {"reason": "No"}
        self.agree(allowed, command, who, variance_id=variance.pk, **more)

    # --- Replenishments ---------------------------------------------------------------------------------

    @precondition(lambda self: len(self.replenishments) < MOST)
    @rule(who=st.sampled_from(["treasurer", "everything", "requester"]), amount=amounts)
    def replenish(self, who: str, amount: int) -> None:
        allowed = self.model.replenish(who, amount)
        ask = replenishment.replenish
        made = self.agree(allowed, ask, who, fund_id=self.fund.pk, amount=amount, reason="Low")
        if made:
            self.replenishments.append(made)

    @precondition(lambda self: self.replenishments)
    @rule(
        place=places,
        who=st.sampled_from(["cfo", "treasurer", "second_treasurer", "everything"]),
        step=st.sampled_from(["approve", "approve", "fund", "fund", "reject"]),
    )
    def go_on(self, place: int, who: str, step: str) -> None:
        row, twin = self.one(self.replenishments, self.model.replenishments, place)
        name = "fund" if step == "fund" else f"{step}_replenishment"
        allowed = getattr(self.model, name)(twin, who)
        more: dict[str, Any] = {"fund": {"today": today}, "reject": {"reason": "No"}}.get(step, {})
        command = getattr(replenishment, f"{step}_replenishment")
        self.agree(allowed, command, who, replenishment_id=row.pk, **more)

    # --- What both must agree on ------------------------------------------------------------------------

    @invariant()
    def money_and_statuses_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        account = type(self.fund.account).objects.get(pk=self.fund.account_id)
        assert (account.balance, account.held) == (self.model.balance, self.model.held)
        for rows, twins in (
            (self.requisitions, self.model.requisitions),
            (self.payments, self.model.payments),
            (self.replenishments, self.model.replenishments),
        ):
            ids = [row.pk for row in rows]
            kind = type(rows[0]) if rows else models.Payment
            found = dict(kind.objects.filter(pk__in=ids).values_list("pk", "status"))  # type: ignore[attr-defined]
            assert [found[pk] for pk in ids] == [twin.status for twin in twins]


@pytest.mark.django_db(transaction=True)
def test_treasury_and_its_model_agree_on_everything(
    monkeypatch: pytest.MonkeyPatch, sent_tasks: SentTasks
) -> None:
    gateway = Gateway()
    monkeypatch.setattr(daraja, "send_b2c", gateway.send_b2c)
    monkeypatch.setattr(daraja, "query_status", gateway.query_status)
    monkeypatch.setattr(codes, "generate_otp", lambda: RIGHT)
    monkeypatch.setattr(TreasuryMachine, "gateway", gateway, raising=False)
    run_state_machine_as_test(
        TreasuryMachine,
        settings=hypothesis_settings(
            max_examples=1000 if FULL else 25,
            stateful_step_count=80 if FULL else 40,
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in Phase if phase is not Phase.shrink],
        ),
    )
