"""What was tried against paying at once: by whoever posts, waits, breaks a law or runs the version before."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, connections, transaction

from config.embedded.processes import wait_until
from ledger import idempotency
from ledger.clock import today
from ledger.models import IdempotencyKey, Membership, Side
from ledger.refusals import Refusal
from ledger.roles import Role
from ledger.rows import rows_of
from ledger.services.posting import Line, Posting, post
from tests.crowd import PATIENCE_S
from tests.scene import Scene
from tests.treasury.test_paying_at_once import asked, decided_under_locks, pay, scene
from treasury.models import (
    ApprovalTier,
    Payment,
    PaymentExecution,
    ReplenishmentRequest,
)
from treasury.services import execution
from treasury.services.payments import create_payment
from treasury.services.requisitions import approve_requisition

__all__ = ["decided_under_locks", "scene"]

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED_AT_COMMIT = """
    CREATE FUNCTION refused_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'not so' USING ERRCODE = 'check_violation';
    END $$;
    CREATE CONSTRAINT TRIGGER refused_at_commit AFTER INSERT ON treasury_paymentexecution
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refused_at_commit();
"""


def test_what_somebody_posted_under_its_reference_is_not_taken_for_its_payment(
    scene: Scene,
) -> None:
    """The answer would be kept, and replayed, with a journal entry that there is not."""
    payment = scene.payment(100)
    lines = (
        Line(payment.debited_account_id, Side.DEBIT, payment.amount, "KES"),
        Line(scene.fund.account_id, Side.CREDIT, payment.amount, "KES"),
    )
    with transaction.atomic():
        post(Posting(scene.company.pk, payment.reference, "By hand", today(scene.company), lines))
    with pytest.raises(RuntimeError), idempotency.answering(asked(scene, payment)):
        pay(scene, payment)
    payment.refresh_from_db()
    assert payment.status == "pending"
    assert not IdempotencyKey.objects.exists()
    assert not PaymentExecution.objects.exists()


@pytest.mark.parametrize("reverse", [False, True])
def test_who_has_two_roles_pays_at_once_what_two_approved_in_whatever_order(
    scene: Scene, decided_under_locks: list[UUID], reverse: bool
) -> None:
    ApprovalTier.objects.update(needs=ApprovalTier.Needs.APPROVER_AND_CFO)
    roles = sorted([Role.RECONCILER, Role.AUDITOR], reverse=reverse)
    for role in roles:
        Membership.objects.create(user=scene.people["treasurer"], company=scene.company, role=role)
    names = sorted(["approver", "cfo"], key=lambda name: scene.people[name].pk, reverse=reverse)
    requisition = scene.requisition(100, approved=False)
    for name in names:
        approve_requisition(actor=scene.actor(name), requisition_id=requisition.pk, comment="Yes.")
    payment = create_payment(actor=scene.actor("treasurer"), requisition_id=requisition.pk)
    assert pay(scene, payment).status == "success"
    assert decided_under_locks == []


def test_a_law_that_is_asked_at_the_commit_undoes_what_was_paid_at_once(
    scene: Scene, owner_connection: psycopg.Connection
) -> None:
    payment = scene.payment(100)
    owner_connection.execute(REFUSED_AT_COMMIT)
    try:
        with pytest.raises(IntegrityError), idempotency.answering(asked(scene, payment)):
            execution._pay_at_once(
                actor=scene.actor("treasurer"), payment_id=payment.pk, today=today
            )
    finally:
        owner_connection.execute("DROP FUNCTION refused_at_commit() CASCADE")
    payment.refresh_from_db()
    assert payment.status == "pending"
    assert not IdempotencyKey.objects.exists()


def test_a_role_taken_away_while_the_fund_was_waited_for_is_missed(
    scene: Scene, owner_connection: psycopg.Connection
) -> None:
    """What is committed while the statement waits for its locks is seen by what it looks at after them."""
    payment = scene.payment(100)
    with ThreadPoolExecutor(1) as payer:
        with owner_connection.transaction():
            owner_connection.execute("SELECT FROM treasury_treasuryfund FOR NO KEY UPDATE")
            paid = payer.submit(pay_alone, scene, payment)
            assert wait_until(lambda: is_waited_for(owner_connection), seconds=PATIENCE_S)
            owner_connection.execute(
                "DELETE FROM ledger_membership WHERE user_id = %s", [scene.people["treasurer"].pk]
            )
        refused = paid.exception(PATIENCE_S)
    assert isinstance(refused, Refusal)
    assert refused.code == "role_required"
    assert scene.balances().balance == 1000


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE treasury_payment SET max_retries = 9",
        "UPDATE treasury_requisition SET approved_at = approved_at - interval '1 s'",
        "UPDATE treasury_treasuryfund SET reorder_level = 950, target_level = 2000",
        "UPDATE ledger_company SET separate_executor = false",
        "UPDATE ledger_user SET is_superuser = true",
    ],
)
def test_whatever_was_written_while_the_fund_was_waited_for_is_decided_on_anew(
    scene: Scene,
    owner_connection: psycopg.Connection,
    decided_under_locks: list[UUID],
    change: str,
) -> None:
    """Of rows that were written meanwhile the statement locks the new ones, and finds them to be others."""
    payment = scene.payment(100)
    with ThreadPoolExecutor(1) as payer:
        with owner_connection.transaction():
            owner_connection.execute("SELECT FROM treasury_treasuryfund FOR NO KEY UPDATE")
            paid = payer.submit(pay_alone, scene, payment)
            assert wait_until(lambda: is_waited_for(owner_connection), seconds=PATIENCE_S)
            owner_connection.execute(change)
        paid.result(PATIENCE_S)
    assert decided_under_locks == [payment.pk]
    assert ReplenishmentRequest.objects.exists() == ("reorder_level" in change)


def test_whoever_waits_for_the_fund_does_not_wait_for_the_answer_to_be_kept(
    scene: Scene, owner_connection: psycopg.Connection
) -> None:
    """It is written before the locks are taken, by the statement that takes them."""
    payment = scene.payment(100)
    written = "SELECT pid FROM pg_locks WHERE relation = %s::regclass AND mode = 'RowExclusiveLock'"

    def pay_under_a_key() -> None:
        with idempotency.answering(asked(scene, payment)):
            pay_alone(scene, payment)

    def tables_written() -> list[str]:
        tables = "ledger_idempotencykey", "treasury_payment"
        return [one for one in tables if owner_connection.execute(written, [one]).fetchone()]

    with ThreadPoolExecutor(1) as payer:
        with owner_connection.transaction():
            owner_connection.execute("SELECT FROM treasury_treasuryfund FOR NO KEY UPDATE")
            paid = payer.submit(pay_under_a_key)
            assert wait_until(lambda: is_waited_for(owner_connection), seconds=PATIENCE_S)
            assert tables_written() == ["ledger_idempotencykey"]
        paid.result(PATIENCE_S)
    assert IdempotencyKey.objects.get().key == str(payment.pk)


def test_while_another_request_has_the_key_nothing_is_paid(
    scene: Scene, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one may be any: it may not even be about a payment."""
    payment = scene.payment(100)
    same = asked(scene, payment)
    lock, *_ = idempotency._asked(same)
    tried: list[str] = []
    statement = idempotency.at_once

    def at_once(*given: Any) -> Any:
        tried.append("at once")
        return statement(*given)

    monkeypatch.setattr(idempotency, "at_once", at_once)
    with owner_connection.transaction():
        owner_connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        with pytest.raises(idempotency.KeyInUse), idempotency.answering(same):
            pay(scene, payment)
    payment.refresh_from_db()
    assert (tried, payment.status) == (["at once"], "pending")
    with idempotency.answering(same):
        assert pay(scene, payment).status == "success"


def pay_alone(scene: Scene, payment: Payment) -> None:
    try:
        pay(scene, payment)
    finally:
        connections.close_all()


def is_waited_for(raw: psycopg.Connection) -> bool:
    """Whether somebody waits for a lock of this connection.

    Asked of the locks alone: what ``pg_stat_activity`` says is kept as it was first read until the transaction
    ends, and a payer who was not connected by then would never appear.
    """
    found = raw.execute(
        "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    return found.fetchone() is not None


def test_the_version_before_can_execute_until_it_is_restarted(scene: Scene) -> None:
    """A migration leaves in place what a process that was started before it asks for."""
    payment = scene.payment(100)
    person, asked_for = scene.people["treasurer"], payment.requisition
    keys = (payment.pk, payment.version, asked_for.pk, asked_for.version, person.pk)
    before = "SELECT active, roles FROM treasury_seen(%s, %s, %s, %s, %s, %s, %s, %s)"
    seen = rows_of(before, (*keys, scene.company.pk, None, None))
    assert seen == [(True, ["treasurer"])]
