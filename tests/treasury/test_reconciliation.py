"""Reconciling: by somebody who did not execute it, once."""

import pytest

from ledger import audit
from ledger.refusals import IllegalTransition, InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.desk import Desk, make_desk, refused_by, rival_of
from tests.treasury.factories import acting, person
from treasury.awaiting import (
    payments_awaiting,
)
from treasury.models import Reconciliation
from treasury.services.reconciliations import reconcile_payment


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def test_a_reconciled_payment_says_by_whom_and_when(desk: Desk) -> None:
    payment = desk.paid()
    done = reconcile_payment(
        actor=acting(desk.reconciler), payment_id=payment.pk, note="Receipt 17"
    )
    row = Reconciliation.objects.get()
    assert (done.status, row.payment, row.reconciled_by) == ("reconciled", done, desk.reconciler)
    assert (row.executor, row.note) == (desk.treasurer, "Receipt 17")
    assert row.reconciled_at is not None
    event = audit.history_of(payment.reference).get(action="payment.reconcile")
    assert event.before
    assert event.after
    assert (event.before["status"], event.after["status"]) == ("success", "reconciled")


@pytest.mark.parametrize("as_superuser", [False, True])
def test_whoever_executed_it_does_not_reconcile_it(desk: Desk, as_superuser: bool) -> None:
    desk.treasurer = person(
        desk.company, Role.TREASURER, Role.RECONCILER, is_superuser=as_superuser
    )
    payment = desk.paid()
    with pytest.raises(SegregationOfDuties):
        reconcile_payment(actor=acting(desk.treasurer), payment_id=payment.pk)
    assert not Reconciliation.objects.exists()


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.CFO, Role.TREASURER])
def test_other_roles_do_not_reconcile(desk: Desk, role: Role) -> None:
    payment = desk.paid()
    with pytest.raises(RoleRequired):
        reconcile_payment(actor=acting(rival_of(desk, role)), payment_id=payment.pk)


def test_only_a_successful_payment_is_reconciled_and_only_once(desk: Desk) -> None:
    pending, paid = desk.pending(), desk.paid()
    with pytest.raises(IllegalTransition):
        reconcile_payment(actor=acting(desk.reconciler), payment_id=pending.pk)
    reconcile_payment(actor=acting(desk.reconciler), payment_id=paid.pk)
    with pytest.raises(IllegalTransition):
        reconcile_payment(actor=acting(desk.reconciler), payment_id=paid.pk)
    assert Reconciliation.objects.count() == 1


def test_a_note_that_is_too_long_is_refused_on_the_field(desk: Desk) -> None:
    payment = desk.paid()
    with pytest.raises(InvalidInput) as refused:
        reconcile_payment(actor=acting(desk.reconciler), payment_id=payment.pk, note="a" * 256)
    assert "note" in refused.value.errors


def test_payments_await_the_part_that_is_next(desk: Desk) -> None:
    pending, paid = desk.pending(), desk.paid()
    assert list(payments_awaiting(desk.treasurer)) == [pending]
    assert list(payments_awaiting(desk.reconciler)) == [paid]
    assert list(payments_awaiting(desk.requester)) == list(payments_awaiting(desk.auditor)) == []


def test_a_payment_does_not_await_a_treasurer_who_approved_it(desk: Desk) -> None:
    desk.approver = rival_of(desk, Role.APPROVER, Role.TREASURER)
    pending = desk.pending()
    assert list(payments_awaiting(desk.approver)) == []
    assert list(payments_awaiting(desk.treasurer)) == [pending]


def test_a_payment_that_he_executed_does_not_await_a_reconciler(desk: Desk) -> None:
    desk.treasurer = rival_of(desk, Role.TREASURER, Role.RECONCILER)
    desk.paid()
    assert list(payments_awaiting(desk.treasurer)) == []


RECONCILE = """
    INSERT INTO treasury_reconciliation (reconciliation_id, payment_id, executor_id,
        reconciled_by_id, note)
    SELECT gen_random_uuid(), payment_id, %s, %s, '' FROM treasury_paymentexecution
"""


def test_sql_refuses_an_executor_who_reconciles(desk: Desk) -> None:
    desk.paid()
    own, other = desk.treasurer.pk, desk.auditor.pk
    refused_by("not_by_executor", RECONCILE, own, own)
    refused_by("same_executor", RECONCILE, other, own)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE treasury_reconciliation SET note = 'x'",
        "DELETE FROM treasury_reconciliation",
        "UPDATE treasury_payment SET status = 'success'",
        "UPDATE treasury_payment SET amount = 1",
    ],
)
def test_sql_refuses_to_undo_a_reconciliation(desk: Desk, sql: str) -> None:
    reconcile_payment(actor=acting(desk.reconciler), payment_id=desk.paid().pk)
    refused_by("permission denied|kept|may not become", sql)
