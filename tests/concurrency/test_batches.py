"""Batches under many hands: each row is paid once, however many workers there are or die."""

from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from ledger.clock import today
from tests.conftest import SentTasks
from tests.crash.conftest import workers
from tests.crash.stage import wait_for_rollback
from tests.crash.workers import Workers
from tests.crowd import at_once, tally
from tests.scene import CODE, Scene, assert_books_hold, build_scene
from treasury.models import Batch, Payment, PaymentExecution
from treasury.services.batch_approval import approve_batch
from treasury.services.batch_codes import send_batch_otp, verify_batch_otp
from treasury.services.batch_execution import (
    continue_batches,
    execute_batch,
    pause_batch,
    run_batch,
)
from treasury.services.batches import Upload, cancel_batch, create_batch

__all__ = ["workers"]

ROWS = 12


@pytest.fixture
def scene(transactional_db: None, sent_tasks: SentTasks) -> Scene:
    return build_scene()


def confirmed(scene: Scene, rows: int = ROWS) -> Batch:
    """A batch of a file that is approved and confirmed with its code."""
    lines = "".join(f"Payee {n},cash,Gate,{n},Paper\n" for n in range(1, rows + 1))
    data = f"payee_name,method,destination,amount,purpose\n{lines}".encode()
    upload = Upload("payroll.csv", data)
    batch = create_batch(actor=scene.actor("requester"), fund_id=scene.fund.pk, upload=upload).batch
    approve_batch(actor=scene.actor("cfo"), batch_id=batch.pk)
    send_batch_otp(actor=scene.actor("treasurer"), batch_id=batch.pk)
    found = CODE.search(str(mail.outbox[-1].body))
    assert found
    verify_batch_otp(actor=scene.actor("treasurer"), batch_id=batch.pk, otp=found[1])
    return batch


def assert_paid_once(scene: Scene, rows: int = ROWS) -> None:
    assert PaymentExecution.objects.count() == rows
    assert set(Payment.objects.values_list("status", flat=True)) == {"success"}
    spent = scene.opening - scene.balances().balance
    assert spent == Decimal(rows * (rows + 1) // 2)
    assert_books_hold()


def test_two_executes_start_it_once(scene: Scene) -> None:
    batch = confirmed(scene)
    outcomes = at_once(
        [lambda: execute_batch(actor=scene.actor("treasurer"), batch_id=batch.pk)] * 4
    )
    assert tally(outcomes) == {"done": 1, "409 illegal_transition": 3}


def test_many_workers_pay_each_row_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treasury.services.batch_execution.CHUNK", 3)
    batch = confirmed(scene)
    execute_batch(actor=scene.actor("treasurer"), batch_id=batch.pk)
    actor = scene.actor("treasurer")
    at_once([lambda: run_batch(actor=actor, batch_id=batch.pk, today=today)] * 4)
    continue_batches(actor=actor, today=today)
    batch.refresh_from_db()
    assert batch.status == "completed"
    assert_paid_once(scene)


@pytest.mark.parametrize("act", [pause_batch, cancel_batch])
def test_what_is_stopped_in_mid_run_is_paid_or_not_but_never_half(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    monkeypatch.setattr("treasury.services.batch_execution.CHUNK", 2)
    batch = confirmed(scene)
    actor = scene.actor("treasurer")
    execute_batch(actor=actor, batch_id=batch.pk)
    at_once(
        [
            lambda: run_batch(actor=actor, batch_id=batch.pk, today=today),
            lambda: act(actor=actor, batch_id=batch.pk),
        ]
    )
    done = batch.rows.filter(status="done")
    assert PaymentExecution.objects.count() == done.count()
    assert not done.exclude(payment__status="success").exists()
    assert_books_hold()


@pytest.mark.parametrize(("number", "side"), [(1, "before"), (1, "after"), (2, "before")])
def test_a_worker_killed_in_mid_batch_loses_and_doubles_nothing(
    scene: Scene, workers: Workers, number: int, side: str
) -> None:
    batch = confirmed(scene, rows=250)
    execute_batch(actor=scene.actor("treasurer"), batch_id=batch.pk)
    end = workers.run(
        task="treasury.run_batch",
        kwargs={"batch_id": str(batch.pk)},
        commit=number,
        side=side,
        passed=0,
        limited=[],
    )
    assert end.killed
    wait_for_rollback()
    continue_batches(actor=scene.actor("treasurer"), today=today)
    batch.refresh_from_db()
    assert batch.status == "completed"
    assert_paid_once(scene, rows=250)
