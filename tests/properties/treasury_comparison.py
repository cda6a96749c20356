"""How treasury and its model in plain Python are compared after each step, and who takes the steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from hypothesis.stateful import RuleBasedStateMachine

from ledger.actor import Actor
from ledger.models import Account
from ledger.refusals import Refusal
from ledger.roles import Role
from tests.properties import reference_treasury as reference
from tests.properties.reference_nouns import Payment, Replenishment, Requisition, Variance
from tests.scene import Scene
from tests.treasury.gateway import Gateway
from treasury import models

SENT_CODE, OTHER_CODE = "735901", "000001"
OPENING, REORDER_LEVEL = 30_000, 10_000
# Six with one role each, and two who may do everything: for them there is segregation.
PEOPLE = {role: {role} for role in ("requester", "approver", "cfo", "treasurer", "reconciler")}
PEOPLE |= {"auditor": {"auditor"}}
HANDY = ("second_cfo", "second_treasurer")
PEOPLE |= {name: {str(role) for role in Role} for name in HANDY}
PAYMENT_FIELDS = ("pk", "status", "amount", "retry_count", "otp_required")
TALLY: dict[str, int] = defaultdict(int)


class Comparison(RuleBasedStateMachine):
    """What each kind of step needs: people, the model, and the comparison that ends it."""

    scene: Scene
    gateway: Gateway
    treasury: reference.Treasury
    ids: dict[int, Any]
    numbers: Iterator[int]

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
