"""One seed's play: people, workers, janitor, bank and death act in any order; the books are looked at each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import Any

from django.db import connection
from django.db.models import Count

from ledger.actor import Actor
from ledger.clock import today
from ledger.refusals import Refusal
from payments.models import Provider
from tests.clock import Clock
from tests.conftest import SentTasks
from tests.scene import PHONE, Scene
from tests.simulation.bank import Bank
from treasury.models import Payment, PaymentAttempt, PaymentExecution
from treasury.services.dispatching import dispatch_waiting
from treasury.services.execution import execute_payment
from treasury.services.janitor import run_janitor
from treasury.services.payments import cancel_payment, retry_payment
from treasury.services.resolution import resolve_payment
from treasury.states import OPEN_PAYMENTS, PAID_PAYMENTS

PAYMENTS = 3
STEPS = 25
AMOUNT = 150
WORKER = Actor.system("worker")
# Where a process may die: module, function, and whether before or after it.
DEATHS = (
    ("ledger.services.posting", "hold", "after"),
    ("treasury.services.execution", "wake", "before"),
    ("treasury.services.dispatching", "_call", "before"),
    ("treasury.services.dispatching", "_call", "after"),
    ("treasury.services.dispatching", "record_reply", "before"),
    ("treasury.services.dispatching", "record_reply", "after"),
    ("treasury.services.enquiries", "_begin_enquiry", "after"),
    ("treasury.services.enquiries", "_record_asked", "before"),
    ("treasury.services.enquiries", "apply_answer", "before"),
    ("treasury.services.enquiries", "_judge", "after"),
    ("treasury.services.outcomes", "settle", "after"),
    ("treasury.services.outcomes", "release", "after"),
    ("treasury.services.outcomes", "doubt", "after"),
    ("treasury.services.callbacks", "_take_answer", "after"),
)


class Died(BaseException):
    """The process is gone: what was not committed is undone, what it knew is lost."""


@dataclass
class Play:
    """The stage of one seed."""

    seed: int
    scene: Scene
    clock: Clock
    sent: SentTasks
    chance: random.Random = field(init=False)
    bank: Bank = field(init=False)
    payments: list[Payment] = field(init=False)
    opening: Decimal = field(init=False)
    story: list[str] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        random.seed(self.seed)  # the jitter of the product's own schedules
        self.bank = Bank(self.chance, self.seed % 3 != 0, self._now, self._meanwhile)
        Provider.objects.update(deduplicates=self.bank.deduplicates)
        self.sent.waiting.clear()
        self.opening = self.scene.balances().balance
        self.payments = self.scene.many_payments(
            PAYMENTS, AMOUNT, method="mpesa", destination=PHONE
        )

    def run(self) -> None:
        """Let everybody act, then let all come to rest, and look at what is left."""
        for _ in range(STEPS):
            self._step()
        self.bank.calm = True
        self._come_to_rest()
        self._people_decide()
        self._check_the_end()

    # --- Steps ------------------------------------------------------------------------------------------

    def _step(self) -> None:
        actions: dict[Callable[[], object], int] = {
            self._execute: 5,
            self._run_task: 5,
            self._sweep: 2,
            self._janitor: 4,
            self.bank.work: 5,
            self._wait: 4,
            self._retry: 2,
            self._cancel: 1,
        }
        action = self.chance.choices(list(actions), list(actions.values()))[0]
        self.story.append("  " * self.depth + getattr(action, "__name__", str(action)))
        dies = self.chance.random() < 0.15
        try:
            with self._a_death() if dies else nullcontext():
                action()
        except Died:
            self.story.append("  " * self.depth + "✝")
        self._check()

    def _meanwhile(self) -> None:
        """While a call is on the wire no transaction is open: anybody may act."""
        if self.bank.calm or self.depth >= 2 or self.chance.random() < 0.6:
            return
        self.depth += 1
        try:
            self._step()
        finally:
            self.depth -= 1

    @contextmanager
    def _a_death(self) -> Iterator[None]:
        module_name, name, side = self.chance.choice(DEATHS)
        module = import_module(module_name)
        whole = getattr(module, name)

        def dying(*args: Any, **kwargs: Any) -> Any:
            if side == "after":
                whole(*args, **kwargs)
            raise Died

        setattr(module, name, dying)
        try:
            yield
        finally:
            setattr(module, name, whole)

    def _execute(self) -> None:
        self._ask_of_one(execute_payment, "pending", today=today)

    def _retry(self) -> None:
        self._ask_of_one(retry_payment, "failed")

    def _cancel(self) -> None:
        self._ask_of_one(cancel_payment, self.chance.choice(("pending", "failed")))

    def _ask_of_one(self, command: Callable[..., Any], status: str, **more: Any) -> None:
        statuses = self._statuses()
        wanted = [one.pk for one in self.payments if statuses[one.pk] == status]
        if wanted:
            payment_id = self.chance.choice(wanted)
            with suppress(Refusal):
                command(actor=self.scene.actor("treasurer"), payment_id=payment_id, **more)

    def _statuses(self) -> dict[Any, str]:
        known = Payment.objects.filter(pk__in=[payment.pk for payment in self.payments])
        return dict(known.values_list("pk", "status"))

    def _run_task(self) -> None:
        """A message arrives: once, twice, or never."""
        if not self.sent.waiting:
            return
        place = self.chance.randrange(len(self.sent.waiting))
        sent = self.sent.waiting.pop(place)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
            sent.task.apply(args=sent.args, kwargs=sent.kwargs, throw=True)

    def _sweep(self) -> None:
        dispatch_waiting(actor=WORKER, today=today)

    def _janitor(self) -> None:
        run_janitor(actor=WORKER, today=today)

    def _wait(self) -> None:
        self.clock.advance(seconds=self.chance.choice((1, 5, 16, 16, 61, 301, 3700)))

    def _now(self) -> float:
        return self.clock.ahead.total_seconds()

    # --- The end ----------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """Nobody dies any more and the bank behaves: a few passes later all is final or before people."""
        for pause in (60, 400, 1000, 4000, 30_000, 100_000, 100_000, 400):
            if self._open():
                self.clock.advance(seconds=pause)
                self._pass()
            if self._open():
                self._pass()
        self._settle_the_post()
        self._check()

    def _pass(self) -> None:
        self.bank.work()
        self._sweep()
        self._janitor()

    def _open(self) -> bool:
        ids = [payment.pk for payment in self.payments]
        return Payment.objects.filter(pk__in=ids, status__in=OPEN_PAYMENTS - {"review"}).exists()

    def _settle_the_post(self) -> None:
        """What the bank still had to say, said at last: it changes nothing."""
        self.clock.advance(seconds=1000)
        self.bank.work()
        self._janitor()
        self.bank.work()
        self._janitor()

    def _people_decide(self) -> None:
        """What only people can know: two of them look at the bank's own books."""
        statuses = self._statuses()
        for payment in self.payments:
            if statuses[payment.pk] != "review":
                continue
            attempt = PaymentAttempt.objects.get(payment=payment, finished_at=None)
            found = "paid" if self.bank.paid(str(attempt.reference)) else "not_paid"
            for name in ("treasurer", "cfo"):
                resolve_payment(
                    actor=self.scene.actor(name),
                    payment_id=payment.pk,
                    outcome=found,
                    evidence="As on the bank's statement.",
                    today=today,
                )

    # --- What must hold ---------------------------------------------------------------------------------

    def _check(self) -> None:
        """After every step: money is where it should be, and nobody got it twice."""
        balance, held, rows = self._as_booked()
        out = sum(status in PAID_PAYMENTS for status, _ in rows) * AMOUNT
        assert balance == self.opening - out, self.told()
        assert held == sum(status in OPEN_PAYMENTS for status, _ in rows) * AMOUNT, self.told()
        for status, references in rows:
            assert sum(map(self.bank.paid, references)) <= 1, self.told()
            if status in {"failed", "pending", "cancelled"}:
                assert not any(map(self.bank.may_pay, references)), self.told()

    def _as_booked(self) -> tuple[Decimal, Decimal, list[tuple[str, list[str]]]]:
        """The fund's balance and what it holds; each payment's status and references. One snapshot."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT account.balance, account.held, payment.status,
                       array_remove(array_agg(attempt.reference::text), NULL)
                FROM treasury_payment payment
                LEFT JOIN treasury_paymentattempt attempt USING (payment_id)
                CROSS JOIN ledger_account account
                WHERE account.id = %s AND payment.payment_id = ANY(%s)
                GROUP BY account.id, payment.payment_id
                """,
                [self.scene.fund.account_id, [payment.pk for payment in self.payments]],
            )
            found = cursor.fetchall()
        return found[0][0], found[0][1], [row[2:] for row in found]

    def _with_attempts(self) -> list[Payment]:
        ids = [payment.pk for payment in self.payments]
        return list(Payment.objects.filter(pk__in=ids).prefetch_related("attempts"))

    def _check_the_end(self) -> None:
        self._check()
        executed = dict(
            PaymentExecution.objects.filter(payment__in=self.payments)
            .values_list("payment")
            .annotate(number=Count("pk"))
        )
        for payment in self._with_attempts():
            assert payment.status not in OPEN_PAYMENTS, self.told()
            paid = sum(self.bank.paid(str(one.reference)) for one in payment.attempts.all())
            is_out = payment.status in PAID_PAYMENTS
            assert (paid, executed.get(payment.pk, 0)) == (int(is_out), int(is_out)), self.told()

    def told(self) -> str:
        """How to see this again, and what happened."""
        rows = [
            f"{payment.status}: "
            + ", ".join(f"{a.number} {a.state}" for a in payment.attempts.all())
            for payment in self._with_attempts()
        ]
        again = f"again with BURSAR_TEST_SEED={self.seed}"
        return "\n".join([again, *self.story, *rows, str(self.bank.bookings)])
