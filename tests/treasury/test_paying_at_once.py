"""Cash is paid by a look without locks and one statement that locks; what changed in between is decided anew."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from psycopg.types.json import Jsonb

from ledger import idempotency
from ledger.clock import today
from ledger.models import (
    AuditEvent,
    IdempotencyKey,
    JournalEntry,
    LedgerEntry,
    Membership,
    OutboxEvent,
)
from ledger.refusals import Refusal
from ledger.rows import rows_of
from ledger.services.verification import verify
from tests.scene import Scene, build_scene
from treasury import locks
from treasury.models import (
    Payment,
    PaymentExecution,
    PaymentPolicy,
    ReplenishmentRequest,
)
from treasury.services import execution, settlement
from treasury.services.codes import void_codes
from treasury.services.execution import execute_payment
from treasury.services.funds import set_fund_levels
from treasury.services.payments import cancel_payment, edit_payment
from treasury.services.requisitions import edit_requisition

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[Scene, Payment], object]


@pytest.fixture
def scene() -> Scene:
    return build_scene(opening=1000)


@pytest.fixture
def decided_under_locks(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The payments that were decided on under their locks, for the look was not enough."""
    decided: list[UUID] = []
    whole = locks.lock_to_execute

    def lock(payment_id: UUID, user_id: UUID | None) -> Any:
        decided.append(payment_id)
        return whole(payment_id, user_id)

    monkeypatch.setattr(locks, "lock_to_execute", lock)
    return decided


def between(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let something change after the next look and before its locks."""

    def settle(look: locks.Look, **given: Any) -> None:
        monkeypatch.setattr(execution, "settle_as_seen", settlement.settle_as_seen)
        change()
        settlement.settle_as_seen(look, **given)

    monkeypatch.setattr(execution, "settle_as_seen", settle)


def pay(scene: Scene, payment: Payment) -> Payment:
    return execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)


def written_about(payment: Payment) -> list[Any]:
    """All that paying writes, but for ids, instants and seals."""
    journal = JournalEntry.objects.filter(reference=payment.reference)
    lines = LedgerEntry.objects.filter(journal_entry__in=journal).order_by("side")
    proof = PaymentExecution.objects.filter(payment=payment)
    subjects = [payment.reference, payment.requisition.reference]
    told = OutboxEvent.objects.filter(subject__in=subjects).order_by("subject", "sequence")
    trail = AuditEvent.objects.filter(subject=payment.reference, action="payment.settle")
    payment.refresh_from_db()
    payment.requisition.refresh_from_db()
    return [
        (payment.status, payment.executor_id, payment.spent_on, payment.requisition.status),
        *journal.values_list("company", "description", "effective_on", "posted_by"),
        *lines.values_list("account", "side", "amount", "currency", "effective_on"),
        *proof.values_list("company", "requester", "executor", "otp_verified_by", "ip_address"),
        *told.values_list("kind", "sequence"),
        *trail.values_list("actor", "actor_name", "outcome", "before", "after", "ip_address"),
    ]


def test_cash_is_paid_without_a_lock_while_the_rules_decide(
    scene: Scene, decided_under_locks: list[UUID]
) -> None:
    payment = scene.payment(100)
    assert pay(scene, payment).status == "success"
    assert decided_under_locks == []
    assert scene.balances().balance == 900


def test_all_that_paying_asks_about_was_read_by_the_look(scene: Scene) -> None:
    payment = scene.payment(100)
    with CaptureQueriesContext(connection) as asked_of_django:
        assert pay(scene, payment).status == "success"
    assert len(asked_of_django) == 0  # the look and the settlement are none of Django's queries


def test_both_ways_of_paying_write_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decided_under_locks: list[UUID]
) -> None:
    at_once, under_locks = scene.payment(100), scene.payment(100)
    scene.require_codes()
    for payment in (at_once, under_locks):
        edit_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, amount=90)
        edit_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, amount=100)
        scene.verify_code(payment)
    pay(scene, at_once)
    assert decided_under_locks == []
    between(monkeypatch, lambda: set_levels(scene, 1))
    pay(scene, under_locks)
    assert decided_under_locks == [under_locks.pk]
    assert written_about(at_once) == written_about(under_locks)
    assert verify().holds


def set_levels(scene: Scene, level: int) -> None:
    cfo = scene.actor("cfo")
    set_fund_levels(actor=cfo, fund_id=scene.fund.pk, reorder_level=level, target_level=2 * level)


def cancelled(scene: Scene, payment: Payment) -> None:
    cancel_payment(actor=scene.actor("treasurer"), payment_id=payment.pk)


def asked_for_anew(scene: Scene, payment: Payment) -> None:
    edit_requisition(
        actor=scene.actor("requester"), requisition_id=payment.requisition_id, amount=50
    )


def paid_by_another(scene: Scene, payment: Payment) -> None:
    execution._pay_at_once(
        actor=scene.actor("second_treasurer"), payment_id=payment.pk, today=today
    )


def role_taken_away(scene: Scene, payment: Payment) -> None:
    Membership.objects.filter(user=scene.people["treasurer"]).delete()


def made_inactive(scene: Scene, payment: Payment) -> None:
    person = scene.people["treasurer"]
    type(person).objects.filter(pk=person.pk).update(is_active=False)


def code_made_void(scene: Scene, payment: Payment) -> None:
    void_codes(payment)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (cancelled, "illegal_transition"),
        (asked_for_anew, "illegal_transition"),
        (role_taken_away, "role_required"),
        (made_inactive, "role_required"),
        (code_made_void, "otp_required"),
    ],
)
def test_what_forbids_it_since_the_look_is_refused_under_the_locks(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, change: Change, code: str
) -> None:
    payment = scene.payment(100)
    scene.require_codes()
    edit_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, max_retries=4)
    scene.verify_code(payment)
    between(monkeypatch, lambda: change(scene, payment))
    with pytest.raises(Refusal) as refused:
        pay(scene, payment)
    assert refused.value.code == code
    assert scene.balances().balance == 1000
    refusals = AuditEvent.objects.filter(subject=payment.reference, outcome="refused")
    assert [event.code for event in refusals] == [code]


def test_what_another_paid_since_the_look_is_not_paid_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = scene.payment(100)
    between(monkeypatch, lambda: paid_by_another(scene, payment))
    with pytest.raises(Refusal) as refused:
        pay(scene, payment)
    assert refused.value.code == "illegal_transition"
    assert scene.balances().balance == 900
    assert PaymentExecution.objects.get().executor == scene.people["second_treasurer"]


def test_an_amount_that_was_edited_since_the_look_is_what_is_paid(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = scene.payment(100)
    treasurer = scene.actor("treasurer")
    between(monkeypatch, lambda: edit_payment(actor=treasurer, payment_id=payment.pk, amount="40"))
    assert pay(scene, payment).amount == 40
    assert scene.balances().balance == 960


def test_a_policy_that_changed_since_the_look_is_followed_under_the_locks(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decided_under_locks: list[UUID]
) -> None:
    payment = scene.payment(100)
    between(monkeypatch, lambda: type(scene.company).objects.update(separate_executor=False))
    pay(scene, payment)
    assert decided_under_locks == [payment.pk]


def test_a_fund_that_runs_low_is_asked_to_be_filled_with_the_payment(
    scene: Scene, decided_under_locks: list[UUID]
) -> None:
    set_levels(scene, 950)
    payment = scene.payment(100)
    pay(scene, payment)
    assert decided_under_locks == [payment.pk]
    assert ReplenishmentRequest.objects.get().auto_triggered


def test_a_fund_that_others_emptied_since_the_look_is_asked_to_be_filled_with_the_payment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decided_under_locks: list[UUID]
) -> None:
    set_levels(scene, 850)
    first, second = scene.payment(100), scene.payment(100)
    between(monkeypatch, lambda: pay(scene, first))
    pay(scene, second)
    assert decided_under_locks == [second.pk]
    assert ReplenishmentRequest.objects.get().current_balance == 800
    assert verify().holds


def test_what_waited_for_its_locks_says_when_it_was_paid(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decided_under_locks: list[UUID]
) -> None:
    payment = scene.payment(100)

    def settle(look: locks.Look, *, proof: Any, **given: Any) -> None:
        earlier = replace(proof, at=proof.at - timedelta(seconds=2))
        settlement.settle_as_seen(look, proof=earlier, **given)

    monkeypatch.setattr(execution, "settle_as_seen", settle)
    assert pay(scene, payment).status == "success"
    assert decided_under_locks == [payment.pk]


def test_the_database_settles_nothing_that_stands_otherwise_than_it_was_seen(scene: Scene) -> None:
    payment = scene.payment(100)
    treasurer = scene.actor("treasurer")
    look = locks.look_to_execute(payment.pk, treasurer.user_id)
    assert look
    edit_payment(actor=treasurer, payment_id=payment.pk, amount="40")
    with pytest.raises(IntegrityError, match="stands otherwise than it was seen"):
        rows_of(
            "SELECT treasury_settle_as_seen(%s, jsonb_populate_record(null::treasury_facts, %s), '', '')",
            (
                look.standing,
                Jsonb({"payment": str(payment.pk), "executor": str(treasurer.user_id)}),
            ),
        )
    assert scene.balances().balance == 1000


def test_what_settling_is_told_are_the_columns_of_its_type() -> None:
    columns = rows_of(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        ["treasury_facts"],
    )
    assert settlement.Facts._fields == tuple(name for (name,) in columns)


def test_under_a_key_the_answer_is_kept_with_the_payment_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scene.payment(100), scene.payment(100)
    with idempotency.answering(asked(scene, first)):
        pay(scene, first)
    assert IdempotencyKey.objects.get().key == str(first.pk)
    between(monkeypatch, lambda: role_taken_away(scene, second))
    with pytest.raises(Refusal), idempotency.answering(asked(scene, second)):
        pay(scene, second)
    assert IdempotencyKey.objects.get().key == str(first.pk)
    with pytest.raises(idempotency.Replay), idempotency.answering(asked(scene, first)):
        pay(scene, first)


def test_whatever_was_done_at_once_under_a_key_that_was_used_is_undone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decided_under_locks: list[UUID]
) -> None:
    """The first request is answered between the second one's look and its key."""
    first, second = scene.payment(100), scene.payment(200)
    same = replace(asked(scene, first), key="one key for two")
    before = written_about(second)

    def first_is_answered() -> None:
        with idempotency.answering(replace(same)):
            pay(scene, first)

    between(monkeypatch, first_is_answered)
    with pytest.raises(idempotency.Replay), idempotency.answering(same):
        pay(scene, second)
    assert decided_under_locks == [second.pk]
    assert written_about(second) == before
    assert scene.balances().balance == 900
    assert verify().holds


def asked(scene: Scene, payment: Payment) -> idempotency.Request:
    return idempotency.Request(
        user_id=scene.people["treasurer"].pk,
        scope="POST /api/payments/execute/",
        key=str(payment.pk),
        request_hash=b"h" * 32,
        answer=lambda paid: (200, {"status": paid.status}),
    )


def test_a_payment_that_is_not_there_is_refused_under_the_locks(scene: Scene) -> None:
    with pytest.raises(Refusal) as refused:
        execute_payment(actor=scene.actor("treasurer"), payment_id=scene.fund.pk, today=today)
    assert refused.value.code == "not_found"


def test_a_policy_that_asks_for_a_code_is_kept_at_once_too(
    scene: Scene, decided_under_locks: list[UUID]
) -> None:
    PaymentPolicy.objects.update(code_above=0)
    payment = scene.payment(100)
    with pytest.raises(Refusal) as refused:
        pay(scene, payment)
    assert refused.value.code == "otp_required"
    assert scene.balances().balance == 1000
