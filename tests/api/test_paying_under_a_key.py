"""Paying under an ``Idempotency-Key``: the answer is written by the statement that settles, or not at all."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from ledger.api import idempotent
from ledger.models import IdempotencyKey, JournalEntry
from ledger.services import posting
from ledger.services.verification import verify
from tests.api.caller import Caller, read
from tests.api.test_execution import PHONE, Send, path_of, send, strict
from tests.conftest import SentTasks
from tests.treasury import factories
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting
from tests.treasury.gateway import Gateway
from treasury import locks
from treasury.models import OneTimeCode, Payment, PaymentExecution, ReplenishmentRequest
from treasury.services import execution, settlement
from treasury.services.payments import create_payment

__all__ = ["send", "strict"]
KEY = {"Idempotency-Key": "pay-once"}


def pay(desk: Desk, payment: Payment, expect: int = 200, **changed: str) -> tuple[Any, Any]:
    """Ask for the payment under a key; return the answer and its body."""
    client = Caller(desk.treasurer).client
    answer = client.post(path_of(payment, "execute"), headers=KEY | changed)
    return answer, read(answer, expect)


def assert_nothing_happened(payment: Payment) -> None:
    now = Payment.objects.get(pk=payment.pk)
    assert (now.status, now.executor_id) == (payment.status, payment.executor_id)
    assert not PaymentExecution.objects.exists()
    assert not JournalEntry.objects.filter(reference=payment.reference).exists()
    assert not IdempotencyKey.objects.exists()


def assert_replayed(desk: Desk, payment: Payment, first: Any, status: int = 200) -> None:
    again, replayed = pay(desk, payment, status)
    assert (again["Idempotent-Replayed"], replayed) == ("true", first)
    assert IdempotencyKey.objects.count() == 1


def test_each_part_of_a_requisition_is_paid_once_under_its_key(desk: Desk) -> None:
    asked = desk.approved(amount="1000")
    parts = [
        create_payment(actor=acting(desk.treasurer), requisition_id=asked.pk, amount=amount)
        for amount in ("400", "600")
    ]
    answers = [pay(desk, part)[1] for part in parts]
    assert [pay(desk, part)[1] for part in parts] == answers
    assert [Caller(desk.treasurer).get(path_of(part)) for part in parts] == answers
    asked.refresh_from_db()
    assert asked.status == "paid"
    assert desk.account().balance == 100_000 - 1000


def test_whichever_way_it_is_paid_the_answer_is_to_the_last_byte_what_is_shown(
    strict: Desk, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = locks.look_to_execute
    for look in (whole, lambda *_: None):  # at once, and under the locks
        monkeypatch.setattr(locks, "look_to_execute", look)
        payment = strict.pending(amount="2000")
        code = send(payment, strict.treasurer)
        Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": code})
        first, _ = pay(strict, payment)
        again, _ = pay(strict, payment)
        shown = Caller(strict.treasurer).client.get(path_of(payment))
        assert "Idempotent-Replayed" not in first
        assert again["Idempotent-Replayed"] == "true"
        assert first.content == again.content == shown.content


def test_a_refusal_after_the_claim_leaves_the_key_free(desk: Desk) -> None:
    desk = make_desk(balance=Decimal(999))
    payment = desk.pending(amount="1000")
    assert pay(desk, payment, 409)[1]["code"] == "insufficient_funds"
    assert_nothing_happened(payment)
    factories.fill(desk.fund, Decimal(1))
    answer, body = pay(desk, payment)
    assert "Idempotent-Replayed" not in answer
    assert_replayed(desk, payment, body)


def test_what_is_not_there_is_not_kept(desk: Desk) -> None:
    payment = desk.pending()
    stranger = Caller(factories.person(factories.make_company())).client
    read(stranger.post(path_of(payment, "execute"), headers=KEY), 404)
    payment.pk = payment.requisition_id
    pay(desk, payment, 404)
    assert not IdempotencyKey.objects.exists()


def test_another_body_under_the_key_is_refused(desk: Desk) -> None:
    payment = desk.pending()
    _, body = pay(desk, payment)
    client = Caller(desk.treasurer).client
    read(client.post(path_of(payment, "execute"), [], headers=KEY), 422)
    assert_replayed(desk, payment, body)


def test_what_goes_by_a_gateway_is_answered_once(
    desk: Desk, gateway: Gateway, sent_tasks: SentTasks
) -> None:
    factories.make_provider(desk.company)
    payment = desk.pending(**PHONE)
    _, body = pay(desk, payment, 202)
    assert body["status"] == "executing"
    assert_replayed(desk, payment, body, 202)
    assert payment.attempts.count() == 1


@pytest.mark.parametrize("sqlstate", ["40P01", "55P03", "40001"])
def test_run_again_after_the_answer_was_written_it_is_written_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, sqlstate: str
) -> None:
    payment = desk.pending()
    fails = [True, True, False]
    whole = posting.call_that_posts

    def write(*given: Any, **how: Any) -> Any:
        found = whole(*given, **how)
        if fails.pop(0):
            raise OperationalError from psycopg.errors.lookup(sqlstate)()
        return found

    monkeypatch.setattr(posting, "call_that_posts", write)
    _, body = pay(desk, payment)
    assert fails == []
    assert_replayed(desk, payment, body)
    assert Caller(desk.treasurer).get(path_of(payment)) == body
    assert desk.account().balance == 100_000 - payment.amount
    assert verify().holds


def test_whatever_fails_after_the_settlement_undoes_the_answer_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(balance=Decimal(1500), reorder_level="1000", target_level="2000")
    payment = desk.pending(amount="1000")
    with monkeypatch.context() as patch:
        patch.setattr(settlement, "request_if_low", lambda *_: 1 / 0)
        pay(desk, payment, 500)
    assert_nothing_happened(payment)
    _, body = pay(desk, payment)
    assert_replayed(desk, payment, body)
    assert ReplenishmentRequest.objects.get().requested_amount == 1500


def test_what_committed_before_its_answer_was_lost_is_found_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = desk.pending()
    with monkeypatch.context() as patch:
        patch.setattr(idempotent, "Response", lambda *_, **__: 1 / 0)
        pay(desk, payment, 500)
    assert_replayed(desk, payment, Caller(desk.treasurer).get(path_of(payment)))


def test_a_code_that_ends_between_the_look_and_its_use_pays_nothing(
    strict: Desk, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = strict.pending(amount="2000")
    code = send(payment, strict.treasurer)
    Caller(strict.treasurer).post(path_of(payment, "verify_otp"), {"otp": code})
    payment.refresh_from_db()
    due_day = execution._due_day

    def slow(*given: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE treasury_onetimecode SET expires_at = ledger_clock()")
        return due_day(*given)

    with monkeypatch.context() as patch:
        patch.setattr(execution, "_due_day", slow)
        assert pay(strict, payment, 409)[1]["code"] == "otp_required"
    assert_nothing_happened(payment)
    assert OneTimeCode.objects.get().consumed_at is None
    assert pay(strict, payment)[1]["status"] == "success"
