"""One payment's life with a kill in it: the worker dies at a step, and what is left must end well.

What life would add is here: callbacks arrive over HTTP at a web server, messages that workers send are
delivered (some of them twice), an unacknowledged one comes back later, and a janitor makes three passes.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from config.celery import app
from config.embedded import processes
from ledger.audit import history_of
from ledger.clock import database_now, today
from payments.selectors import exchanges_of
from payments.simulator.book import OPENING_BALANCES, UTILITY
from tests.clock import Clock
from tests.conftest import SentTasks
from tests.crash import deadlines
from tests.crash.faults import Fault
from tests.crash.points import CALLBACK_STORED
from tests.crash.workers import Message, Workers
from tests.scene import Scene, assert_books_hold
from tests.simulator import Simulator
from treasury import queue, schedule
from treasury.models import Enquiry, Payment, PaymentExecution
from treasury.services.execution import execute_payment
from treasury.states import OPEN_PAYMENTS, AttemptState
from treasury.tasks import dispatch_waiting, run_janitor

ZERO = Decimal(0)
AMOUNT = Decimal(1200)
# Past the worker's lease and the time an accepted payment has; past a day of doubt; once more.
PASSES = (timedelta(seconds=400), timedelta(hours=25), timedelta(seconds=400))
# Doubt that was written late: past its own day, and once more.
LATE_DOUBT_PASSES = (timedelta(hours=25), timedelta(seconds=400))
REDELIVERY_PASS = 2
MOST_MESSAGES = 40
# A busy machine may take its time; what is waited for always comes.
ROLLBACK_LIMIT_S = 60


@dataclass
class Stage:
    """Everything a cell needs; a cell plays one payment on it."""

    scene: Scene
    simulator: Simulator
    clock: Clock
    workers: Workers
    sent: SentTasks
    monkeypatch: pytest.MonkeyPatch
    chance: random.Random
    passes: tuple[timedelta, ...] = PASSES
    messages: deque[Message] = field(default_factory=deque)
    unacknowledged: list[Message] = field(default_factory=list)
    kill: dict[str, Any] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    limited: list[str] = field(default_factory=list)
    payment: Payment | None = None
    passed: int = 0
    killed: bool = False

    def play(self, fault: Fault, **kill: Any) -> Payment:
        """Play a payment through, with this fault and this kill; returns it as it is in the end.

        ``kill`` is ``kill=<point>``, ``commit=<number>, side=…``, or ``kill_after_s=…, step=<number>``.
        """
        self.kill = kill
        if kill.get("kill") == CALLBACK_STORED:
            self._lose_a_callbacks_message()
        fault.arm(self.simulator)
        self.limited = fault.hanging
        deadlines.limit(self.limited, self.monkeypatch.setattr)
        payment = self.payment = self.scene.mpesa_payment(int(AMOUNT), destination=fault.phone)
        self._execute(payment)
        self._drain()
        for number, pause in enumerate(self.passes, start=1):
            self._pass(number, pause)
        self._execute_if_untouched(payment)
        payment.refresh_from_db()
        return payment

    def play_to_the_end(self, fault: Fault, **kill: Any) -> Payment:
        """Play a payment; where the last passes came upon a doubt younger than a day, let its day go by.

        The day begins with the pass that writes the doubt, which a death may have put off.
        """
        payment = self.play(fault, **kill)
        if self._is_in_young_doubt(payment):
            self.let_a_day_of_doubt_go_by(payment)
        return payment

    def let_a_day_of_doubt_go_by(self, payment: Payment) -> None:
        for number, pause in enumerate(LATE_DOUBT_PASSES, start=len(self.passes) + 1):
            self._pass(number, pause)
        payment.refresh_from_db()

    def _is_in_young_doubt(self, payment: Payment) -> bool:
        doubtful = payment.attempts.filter(state=AttemptState.UNKNOWN)
        since = doubtful.values_list("unknown_since", flat=True).first()
        return since is not None and database_now() < since + schedule.LONGEST_DOUBT

    def _execute(self, payment: Payment) -> None:
        user = self.scene.people["treasurer"]
        self._work(execute=str(payment.pk), user=str(user.pk))

    def _execute_if_untouched(self, payment: Payment) -> None:
        """Killed before anything was committed, it is as if nobody had asked: he asks again."""
        payment.refresh_from_db()
        if payment.status != "pending":
            return
        assert self.killed
        assert self.scene.balances().held == 0
        self._execute(payment)
        self._drain()
        for number, pause in enumerate(self.passes, start=1):
            self._pass(number, pause)

    def _pass(self, number: int, pause: timedelta) -> None:
        self.story.append(f"-- pass {number}, {pause} later")
        self.clock.advance(seconds=pause.total_seconds())
        self.simulator.clock(advance_s=pause.total_seconds())
        if number == REDELIVERY_PASS:
            self.messages.extend(self.unacknowledged)
            self.unacknowledged.clear()
        for job in (dispatch_waiting, run_janitor):
            self._work(task=job.name, kwargs={})
            self._drain()

    def _drain(self) -> None:
        """Let callbacks arrive and messages be worked off until all is quiet."""
        for _ in range(MOST_MESSAGES):
            self.simulator.clock(advance_s=0)
            self._collect()
            if not self.messages:
                return
            name, arguments = self.messages.popleft()
            self._work(task=name, kwargs=arguments)
        raise AssertionError("the messages do not end")

    def _collect(self) -> None:
        """Take what was sent in this process, now and then twice, as the broker may."""
        while self.sent.waiting:
            message = self.sent.waiting.pop(0)
            self.messages.append((message.task.name, message.kwargs))
            if self.chance.random() < 0.2:
                self.messages.append(self.messages[-1])

    def _work(self, **step: Any) -> None:
        """Do a step: in a process that may be killed, and here once one was."""
        if self.killed or not self._kills_workers:
            self._work_here(step)
            return
        if self.kill.get("step", len(self.story)) != len(self.story):
            self._work_here(step)
            return
        end = self.workers.run(**step, **self.kill, passed=self.passed, limited=self.limited)
        self.story.append(f"{_named(step)}: {'killed' if end.killed else 'done'}")
        self.passed += end.passed
        self.messages.extend(end.messages)
        self.killed = end.killed
        if self.killed:
            wait_for_rollback()
        if end.killed and "task" in step and self.chance.random() < 0.5:
            self.unacknowledged.append((step["task"], step["kwargs"]))

    @property
    def _kills_workers(self) -> bool:
        return self.kill.get("kill") != CALLBACK_STORED

    def _work_here(self, step: dict[str, Any]) -> None:
        self.story.append(_named(step))
        if "task" in step:
            app.tasks[step["task"]].apply(kwargs=step["kwargs"], throw=True)
            return
        actor = self.scene.actor("treasurer")
        execute_payment(actor=actor, payment_id=step["execute"], today=today)

    def _lose_a_callbacks_message(self) -> None:
        """The web process dies after storing the first callback: nobody is told of it."""
        tell = queue.wake

        def die_once(task: str, **arguments: Any) -> None:
            if self.killed:
                tell(task, **arguments)
            self.killed = True

        self.monkeypatch.setattr("treasury.services.callbacks.wake", die_once)


def wait_for_rollback() -> None:
    """Wait until PostgreSQL has noticed that the worker is gone and has let go of its locks."""
    open_elsewhere = (
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
    )

    def is_over() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(open_elsewhere)
            return bool(cursor.fetchone()[0])

    assert processes.wait_until(is_over, seconds=ROLLBACK_LIMIT_S)


def _named(step: dict[str, Any]) -> str:
    return str(step.get("task", "execute"))


def told(stage: Stage, payment: Payment) -> str:
    """What happened, step by step, for whoever reads a failure."""
    calls = [
        f"{call.operation}: {call.http_status or call.error or 'no answer'}"
        for attempt in payment.attempts.all()
        for call in exchanges_of(attempt.subject)
    ]
    events = [f"{event.action} {event.detail}" for event in history_of(payment.reference)]
    enquiries = Enquiry.objects.filter(attempt__payment=payment).values_list("finding", flat=True)
    return "\n".join([*stage.story, "", *calls, "", *events, "", *enquiries])


def assert_one_payout_at_most(stage: Stage, payment: Payment) -> None:
    """The gateway took each reference once at most, and paid once at most for all of them."""
    log = stage.simulator.log()
    assert all(count <= 1 for count in log["accepted"].values()), log["accepted"]
    paid = [row for row in stage.simulator.book()["payments"] if row["status"] == "Completed"]
    assert len(paid) <= 1
    known = {str(attempt.reference) for attempt in payment.attempts.all()}
    assert {row["originator_conversation_id"] for row in paid} <= known


def assert_books_agree(stage: Stage, payment: Payment) -> None:
    """What left the gateway's account is what left the fund, or what is still held in it."""
    account = stage.scene.balances()
    went = OPENING_BALANCES[UTILITY] - stage.simulator.balance()
    booked = stage.scene.opening - account.balance
    executed = PaymentExecution.objects.filter(payment=payment).exists()
    if payment.status in OPEN_PAYMENTS:
        assert (account.held, booked, executed) == (payment.amount, ZERO, False)
        assert went in {ZERO, payment.amount}
    else:
        assert payment.status in {"success", "failed"}
        expected = payment.amount if payment.status == "success" else ZERO
        assert (went, booked, account.held) == (expected, expected, ZERO)
        assert executed == (payment.status == "success")
    assert_books_hold()
