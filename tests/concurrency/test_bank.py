"""Two treasurers at one file, two reconcilers at one report, and a process that dies in between."""

import hashlib
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection

from ledger.actor import Actor
from ledger.clock import today
from payments.models import Provider
from tests.crowd import at_once, tally
from tests.payments import bank as wire
from tests.scene import Scene, assert_books_hold
from tests.treasury.bank import PAYEE, attempt_of, effects, make_bank, row, state
from treasury.models import BankFile, BankFileLine, BankReport, Payment, PaymentAttempt
from treasury.services import bank_files
from treasury.services.bank_files import make_bank_file
from treasury.services.bank_reports import apply_bank_report, import_bank_report
from treasury.services.execution import execute_payment
from treasury.services.late_successes import clear_late_success
from treasury.services.reversals import reverse_payment

JOB = Actor.system("tests")


@pytest.fixture
def bank(scene: Scene) -> Provider:
    return make_bank(scene.company)


def waiting(scene: Scene, number: int) -> list[PaymentAttempt]:
    payments = scene.many_payments(number, 100, method="bank", destination=PAYEE)
    treasurer = scene.actor("treasurer")
    return [
        attempt_of(execute_payment(actor=treasurer, payment_id=payment.pk, today=today))
        for payment in payments
    ]


def makes(scene: Scene, bank: Provider, name: str = "treasurer") -> partial[BankFile]:
    return partial(make_bank_file, actor=scene.actor(name), provider_id=bank.pk, today=today)


def test_of_many_treasurers_at_once_one_makes_the_file(scene: Scene, bank: Provider) -> None:
    attempts = waiting(scene, 6)
    people = ("treasurer", "second_treasurer") * 4
    outcomes = at_once([makes(scene, bank, name) for name in people])
    assert tally(outcomes) == {"done": 1, "409 nothing_waiting": 7}
    assert BankFile.objects.get().payments == 6
    held = BankFileLine.objects.values_list("attempt", flat=True)
    assert set(held) == {attempt.pk for attempt in attempts}


def test_files_and_executions_at_once_leave_each_payment_in_one_file(
    scene: Scene, bank: Provider
) -> None:
    waiting(scene, 2)
    pending = scene.many_payments(6, 100, method="bank", destination=PAYEE)
    treasurer = scene.actor("treasurer")
    acts: list[Any] = [
        partial(execute_payment, actor=treasurer, payment_id=payment.pk, today=today)
        for payment in pending
    ]
    outcomes = at_once([*acts, makes(scene, bank), makes(scene, bank, "second_treasurer")])
    assert set(tally(outcomes)) <= {"done", "409 nothing_waiting"}
    if PaymentAttempt.objects.filter(state="waiting").exists():
        makes(scene, bank)()
    assert BankFileLine.objects.count() == 8
    assert sum(file.payments for file in BankFile.objects.all()) == 8
    for file in BankFile.objects.all():
        ids = wire.find(wire.require_valid(bytes(file.content)), "EndToEndId")
        lines = file.lines.order_by("number").select_related("attempt")
        assert ids == [line.attempt.reference.hex for line in lines]


def test_who_dies_in_the_middle_leaves_no_file_and_the_next_one_is_whole(
    scene: Scene, bank: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = waiting(scene, 3)
    usual = bank_files.outcomes.accept_in_file  # type: ignore[attr-defined]
    seen: list[object] = []

    def die(attempt: PaymentAttempt, **details: Any) -> None:
        seen.append(attempt)
        if len(seen) == 2:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        usual(attempt, **details)

    monkeypatch.setattr(bank_files.outcomes, "accept_in_file", die)  # type: ignore[attr-defined]
    with pytest.raises(OperationalError):
        makes(scene, bank)()
    connection.close()
    monkeypatch.undo()
    assert not BankFile.objects.exists()
    assert {state(attempt) for attempt in attempts} == {("waiting", "executing")}
    file = makes(scene, bank)()
    assert file.payments == 3
    again = BankFile.objects.get()
    assert hashlib.sha256(bytes(again.content)).hexdigest() == file.sha256


def test_a_report_brought_and_acted_on_by_many_at_once_counts_once(
    scene: Scene, bank: Provider
) -> None:
    attempts = waiting(scene, 4)
    file = makes(scene, bank)()
    statuses = ["ACSC", "RJCT", "ACSC", "ACCP"]
    rows = [row(one, status) for one, status in zip(attempts, statuses, strict=True)]
    data = wire.report(file.message_id, wire.block(file.message_id, *rows), status="PART")
    bring = partial(
        import_bank_report, actor=scene.actor("reconciler"), provider_id=bank.pk, data=data
    )
    assert tally(at_once([bring] * 6)) == {"done": 6}
    report = BankReport.objects.get()
    act = partial(apply_bank_report, actor=JOB, report_id=report.pk, today=today)
    outcomes = at_once([act] * 6)
    assert sum(done for done in outcomes if isinstance(done, int)) == 4
    assert effects(report) == ["settled", "failed", "settled", "accepted"]
    assert (scene.balances().balance, scene.balances().held) == (499_800, 100)
    assert_books_hold()


def test_reports_that_contradict_each_other_at_once_end_it_once(
    scene: Scene, bank: Provider
) -> None:
    (attempt,) = waiting(scene, 1)
    file = makes(scene, bank)()
    reports = []
    for number, status in enumerate(["ACSC", "RJCT"] * 2):
        rows = wire.block(file.message_id, row(attempt, status))
        data = wire.report(file.message_id, rows, message_id=f"B{number}")
        reconciler = scene.actor("reconciler")
        kept = import_bank_report(actor=reconciler, provider_id=bank.pk, data=data)
        reports.append(kept.report)
    at_once(
        [
            partial(apply_bank_report, actor=JOB, report_id=report.pk, today=today)
            for report in reports
        ]
    )
    assert state(attempt) in {("succeeded", "success"), ("failed", "failed")}
    assert attempt.incidents.count() == 1
    assert scene.balances().held == 0
    assert_books_hold()


def test_of_two_cfos_one_confirms_a_return_and_one_a_late_success(
    scene: Scene, bank: Provider
) -> None:
    payment = scene.payment(500)
    execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    back = partial(reverse_payment, payment_id=payment.pk, evidence="Slip", today=today)
    back(actor=scene.actor("second_treasurer"))
    people = [scene.actor(name) for name in ("cfo", "second_cfo")]
    outcomes = at_once([partial(back, actor=actor) for actor in people])
    assert tally(outcomes) == {"done": 1, "409 illegal_transition": 1}
    (attempt,) = waiting(scene, 1)
    file = makes(scene, bank)()
    for number, status in enumerate(("RJCT", "ACSC")):
        rows = wire.block(file.message_id, row(attempt, status))
        data = wire.report(file.message_id, rows, message_id=f"L{number}")
        reconciler = scene.actor("reconciler")
        kept = import_bank_report(actor=reconciler, provider_id=bank.pk, data=data)
        apply_bank_report(actor=JOB, report_id=kept.report.pk, today=today)
    end = partial(
        clear_late_success,
        payment_id=attempt.payment_id,
        outcome="recognised",
        evidence="Statement",
        today=today,
    )
    end(actor=scene.actor("second_treasurer"))
    outcomes = at_once([partial(end, actor=actor) for actor in people])
    assert tally(outcomes) == {"done": 1, "409 no_late_success": 1}
    assert Payment.objects.get(pk=attempt.payment_id).status == "success"
    assert scene.balances().balance == 499_900
    assert_books_hold()
