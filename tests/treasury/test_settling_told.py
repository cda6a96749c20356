"""What settles one payment, called as the run-time role may call it: told wrong, or as the version before tells it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError
from psycopg.types.json import Jsonb

from ledger import idempotency
from ledger.chain import padded_keys
from ledger.clock import today
from ledger.models import AuditEvent, IdempotencyKey, JournalEntry, LedgerEntry, OutboxEvent
from ledger.rows import rows_of
from ledger.services import posting
from ledger.services.verification import verify
from tests.scene import Scene, build_scene
from tests.treasury.test_paying_at_once import asked, pay, scene
from treasury import locks
from treasury.models import OneTimeCode, Payment, PaymentExecution
from treasury.services import settlement
from treasury.services.settlement import Proof

__all__ = ["scene"]

pytestmark = pytest.mark.django_db(transaction=True)
AS_BEFORE = """
    SELECT payment, requisition_paid, available
    FROM treasury_settle_as_seen(%s, %s, %s, %s, %s, %s, %s, %s)
"""
KEPT_AS_BEFORE = f"""
    SELECT ledger_keep_answer({settlement.SETTLE_AS_SEEN}, %s, %s, %s, %s, %s, %s::smallint, %s)
"""


def looked_at(scene: Scene, payment: Payment) -> tuple[locks.Look, Proof, date]:
    look = locks.look_to_execute(payment.pk, scene.people["treasurer"].pk)
    assert look
    actor = scene.actor("treasurer")
    proof = Proof(
        scene.people["treasurer"].pk, actor.ip_address, "tests", look.seen.code, at=look.seen.at
    )
    return look, proof, today(scene.company)


def told(scene: Scene, of: Payment, /, **wrong: Any) -> list[Any]:
    """Settle by facts of which some are wrong."""
    look, proof, on = looked_at(scene, of)
    execution = settlement._execution(look.payment, proof)
    facts = settlement._facts(look.payment, execution, proof, on, scene.actor("treasurer"))
    return rows_of(settlement.SETTLE_TOLD, (*facts._replace(**wrong), *padded_keys()))


def written() -> list[int]:
    tables = (JournalEntry, LedgerEntry, PaymentExecution, OutboxEvent, AuditEvent)
    return [table.objects.count() for table in tables]


def test_whatever_it_is_told_the_laws_hold(scene: Scene) -> None:
    stranger = build_scene(code="other").payment(100)
    paid, coded, payment = scene.payment(10), scene.payment(20), scene.payment(100)
    pay(scene, paid)
    scene.require_codes()
    scene.verify_code(coded)
    execution = PaymentExecution.objects.get(payment=paid)
    lies: list[tuple[str, dict[str, Any]]] = [
        ("ledger_entry_same_currency", {"credited": stranger.fund.account_id}),
        ("ledger_entry_same_currency", {"payment": stranger.pk}),
        ("ledger_entry_same_currency", {"currency": "UGX"}),
        ("ledger_entry_account", {"debited": scene.fund.account_id}),
        ("ledger_entry_account", {"credited": None}),
        ("ledger_entry_amount", {"amount": Decimal(-100)}),
        ("ledger_entry_amount", {"amount": Decimal("NaN")}),
        ("ledger_entry_precision", {"amount": Decimal("0.00001")}),
        ("ledger_account_minimum", {"amount": Decimal(1000)}),
        ("treasury_payment_not_by_requester", {"executor": scene.people["requester"].pk}),
        ("treasury_payment_not_by_approver", {"executor": scene.people["approver"].pk}),
        ("treasury_payment_has_executor", {"executor": None}),
        ("treasury_code_good", {"code": OneTimeCode.objects.get().pk}),
        ("treasury_execution_verified_whole", {"code_verified_by": uuid4()}),
        ("treasury_paymentexecution_pkey", {"execution": execution.pk}),
        ("ledger_journalentry_pkey", {"journal_entry": execution.journal_entry_id}),
        ("ledger_journalentry_content", {"payment": paid.pk}),
        ("ledger_hold_open", {"releases": "no hold"}),
        ("", {"journal_entry": None}),
        ("", {"event": None}),
        ("", {"audit_event": None}),
        ("", {"payment": None}),
    ]
    before = written()
    for law, lie in lies:
        with pytest.raises(DatabaseError) as error:
            told(scene, payment, **lie)
        assert isinstance(error.value.__cause__, psycopg.Error)
        assert (error.value.__cause__.diag.constraint_name or "") == law, lie
    assert written() == before
    assert told(scene, payment)
    assert verify().holds


def test_the_version_before_pays_at_once_until_it_is_restarted(scene: Scene) -> None:
    """A migration leaves in place what a process that was started before it asks for."""
    payment = scene.payment(100)
    look, proof, on = looked_at(scene, payment)
    assert proof.at
    posted = replace(settlement._posting(look.payment, proof, on), id=uuid4())
    by = settlement._by(proof, scene.actor("treasurer")) | {"executed_at": proof.at.isoformat()}
    settled = settlement._settlement(look.payment, uuid4(), proof, on)
    lists = Jsonb([posting._as_json(posted)]), *padded_keys(), Jsonb([settled]), Jsonb(by)
    asked = (payment.pk, scene.people["treasurer"].pk, look.standing, *lists)
    assert rows_of(AS_BEFORE, asked) == [(payment.pk, True, 900)]
    payment.refresh_from_db()
    assert payment.status == "success"
    assert verify().holds


def test_the_version_before_keeps_its_answer_until_it_is_restarted(scene: Scene) -> None:
    """It pays and then keeps the answer, by a function that a database has which was migrated before."""
    payment = scene.payment(100)
    look, proof, on = looked_at(scene, payment)
    execution = settlement._execution(look.payment, proof)
    facts = settlement._facts(look.payment, execution, proof, on, scene.actor("treasurer"))
    kept = idempotency._kept(asked(scene, payment), payment)
    told = (look.standing, *facts, *padded_keys(), *kept)
    assert rows_of(KEPT_AS_BEFORE, told) == [(True,)]
    assert IdempotencyKey.objects.get().key == str(payment.pk)
    payment.refresh_from_db()
    assert payment.status == "success"
