"""Treasury's laws, attacked by raw SQL, the ORM and deletions, as the role that the application runs as."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from ledger.models import JournalEntry, StateTransition
from ledger.roles import Role
from tests.treasury.conftest import World
from tests.treasury.factories import PHONE, acting, approve, make_company, make_fund, person, today
from treasury import states
from treasury.models import (
    Callback,
    Incident,
    Payment,
    PaymentExecution,
    Reconciliation,
    Requisition,
    RequisitionApproval,
)
from treasury.services.execution import execute_payment


def sql(statement: str, *parameters: Any) -> None:
    """Run raw SQL."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def refused(law: str, attack: Callable[[], object]) -> None:
    """The database itself refuses, now or at commit, naming the law."""
    with pytest.raises(DatabaseError) as error:
        to_the_end(attack)
    cause = error.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert law in (cause.diag.constraint_name or "")


def to_the_end(attack: Callable[[], object]) -> None:
    """Run the attack, and check now what would be checked at commit."""
    with transaction.atomic():
        attack()
        sql("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def payment(world: World) -> Payment:
    return world.payment(amount=Decimal(500))


@pytest.fixture
def paid(world: World, payment: Payment) -> Payment:
    return execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def test_a_requester_is_no_executor_by_sql_save_update_or_bulk_update(
    world: World, payment: Payment
) -> None:
    law = "treasury_payment_not_by_requester"
    change = "UPDATE treasury_payment SET executor_id = %s WHERE payment_id = %s"
    refused(law, lambda: sql(change, world.requester.pk, payment.pk))
    rows = Payment.objects.filter(pk=payment.pk)
    refused(law, lambda: rows.update(executor=world.requester))
    payment.executor = world.requester
    refused(law, payment.save)
    refused(law, lambda: Payment.objects.bulk_update([payment], ["executor"]))


def test_the_copied_requester_cannot_be_changed_to_get_round_it(
    world: World, payment: Payment
) -> None:
    change = "UPDATE treasury_payment SET requester_id = %s WHERE payment_id = %s"
    refused("frozen_columns", lambda: sql(change, world.cfo.pk, payment.pk))
    change = "UPDATE treasury_requisition SET requested_by_id = %s WHERE requisition_id = %s"
    refused("frozen_columns", lambda: sql(change, world.cfo.pk, payment.requisition_id))


def test_a_payment_copies_its_requisition_truly(world: World, payment: Payment) -> None:
    requisition = world.requisition()
    forged = Payment(
        requisition=requisition,
        company=world.company,
        fund=world.fund,
        requester=world.cfo,
        amount=Decimal(1),
        currency="KES",
        method="cash",
    )
    refused("treasury_payment_same_requisition", forged.save)


def test_an_approver_is_no_executor_while_the_company_separates_them(
    world: World, payment: Payment
) -> None:
    law = "treasury_payment_not_by_approver"
    rows = Payment.objects.filter(pk=payment.pk)
    refused(law, lambda: rows.update(executor=world.approver))
    refused("treasury_payment_same_policy", lambda: rows.update(separate_executor=False))
    world.company.separate_executor = False
    world.company.save()
    rows.update(executor=world.approver)
    payment.refresh_from_db()
    assert payment.separate_executor is False


def test_a_policy_that_becomes_stricter_leaves_the_past_alone(world: World) -> None:
    world.company.separate_executor = False
    world.company.save()
    world.approver = person(world.company, Role.APPROVER, Role.TREASURER)
    payment = world.payment()
    execute_payment(actor=acting(world.approver), payment_id=payment.pk, today=today)
    world.company.separate_executor = True
    world.company.save()
    Payment.objects.filter(pk=payment.pk).update(status="reconciled")


def test_a_requester_approves_nothing_of_his_own(world: World) -> None:
    requisition = world.requisition()
    requisition.version, requisition.status = 2, "submitted"
    requisition.save()
    refused("treasury_approval_not_by_requester", lambda: approve(requisition, world.requester))
    forged = RequisitionApproval(
        requisition=requisition,
        version=2,
        requester=world.cfo,
        approver=world.requester,
        role="approver",
    )
    refused("treasury_approval_same_requester", forged.save)


def test_an_approval_is_for_the_version_that_is_submitted(world: World) -> None:
    requisition = world.requisition()
    refused("treasury_approval_version", lambda: approve(requisition, world.cfo))


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_is_greater_than_zero(payment: Payment, amount: int) -> None:
    rows = Payment.objects.filter(pk=payment.pk)
    refused("treasury_payment_amount", lambda: rows.update(amount=amount))


def test_payments_never_exceed_what_was_approved(world: World, payment: Payment) -> None:
    law = "treasury_requisition_committed"
    rows = Payment.objects.filter(pk=payment.pk)
    refused(law, lambda: rows.update(amount=Decimal("500.01")))
    payment.pk = uuid4()
    refused(law, lambda: payment.save(force_insert=True))
    requisitions = Requisition.objects.filter(pk=payment.requisition_id)
    refused(law, lambda: requisitions.update(amount=Decimal(499)))


def test_nobody_writes_what_is_committed_but_the_payments(payment: Payment) -> None:
    requisitions = Requisition.objects.filter(pk=payment.requisition_id)
    refused("committed_by_payments", lambda: requisitions.update(committed=0))
    requisition = requisitions.get()
    requisition.pk, requisition.status = uuid4(), "submitted"
    refused("treasury_requisition_committed", lambda: requisition.save(force_insert=True))


@pytest.mark.parametrize(
    "change", [{"amount": Decimal(1)}, {"method": "mpesa"}, {"destination_index": "0" * 64}]
)
def test_what_was_agreed_is_fixed_once_it_leaves_pending(
    paid: Payment, change: dict[str, object]
) -> None:
    rows = Payment.objects.filter(pk=paid.pk)
    refused("fixed_when_sent", lambda: rows.update(**change))


def test_the_executor_is_fixed_once_it_leaves_pending(world: World, paid: Payment) -> None:
    rows = Payment.objects.filter(pk=paid.pk)
    refused("fixed_when_sent", lambda: rows.update(executor=world.second_treasurer))


def test_only_what_is_approved_leaves_pending(world: World, payment: Payment) -> None:
    Requisition.objects.filter(pk=payment.requisition_id).update(status="submitted")
    rows = Payment.objects.filter(pk=payment.pk)
    refused(
        "treasury_payment_as_approved",
        lambda: rows.update(status="success", executor=world.treasurer),
    )


def test_success_needs_its_execution_and_an_execution_its_success(
    world: World, payment: Payment, paid: Payment
) -> None:
    other = world.payment()
    rows = Payment.objects.filter(pk=other.pk)
    refused(
        "treasury_payment_execution",
        lambda: rows.update(status="success", executor=world.treasurer),
    )
    execution = PaymentExecution.objects.get(payment=paid)
    execution.pk, execution.payment = uuid4(), other
    refused("", lambda: execution.save(force_insert=True))


@pytest.mark.parametrize("copied", ["requester_id", "company_id"])
def test_an_execution_copies_its_payment(world: World, paid: Payment, copied: str) -> None:
    other = world.payment()
    execution = PaymentExecution.objects.get(payment=paid)
    booked = JournalEntry.objects.filter(payment_execution=None)[0]
    forged = {"requester_id": world.cfo.pk, "company_id": make_company().pk}[copied]

    def attack() -> None:
        Payment.objects.filter(pk=other.pk).update(status="success", executor=world.treasurer)
        execution.pk, execution.payment, execution.journal_entry = uuid4(), other, booked
        setattr(execution, copied, forged)
        execution.save(force_insert=True)

    refused("treasury_execution_same_payment", attack)


def test_statuses_move_only_along_their_table(
    world: World, payment: Payment, paid: Payment
) -> None:
    law = "guarded_status"
    refused(law, lambda: Payment.objects.filter(pk=paid.pk).update(status="pending"))
    refused(law, lambda: Payment.objects.filter(pk=paid.pk).update(status="nonsense"))
    requisitions = Requisition.objects.filter(pk=paid.requisition_id)
    refused(law, lambda: requisitions.update(status="submitted"))


@pytest.mark.parametrize(
    ("machine", "table"),
    [
        ("requisition", states.REQUISITION),
        ("payment", states.PAYMENT),
        ("attempt", states.ATTEMPT),
        ("variance", states.VARIANCE),
        ("replenishment", states.REPLENISHMENT),
        ("batch", states.BATCH),
        ("batch_row", states.BATCH_ROW),
    ],
)
@pytest.mark.django_db
def test_python_and_the_database_know_the_same_transitions(
    machine: str, table: states.Transitions
) -> None:
    known = StateTransition.objects.filter(machine=f"treasury.{machine}")
    assert set(known.values_list("source", "target")) == {
        (source, target) for source, targets in table.items() for target in targets
    }


@pytest.mark.parametrize(
    "model", [PaymentExecution, RequisitionApproval, Reconciliation, Callback, Incident]
)
@pytest.mark.django_db
def test_append_only_tables_take_no_update_delete_or_truncate(model: type[Model]) -> None:
    table = model._meta.db_table
    for statement in (
        f"UPDATE {table} SET ctid = ctid",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(statement)


def test_nothing_of_a_payment_is_deleted(world: World, paid: Payment) -> None:
    for rows in (
        Payment.objects.filter(pk=paid.pk),
        PaymentExecution.objects.filter(payment=paid),
        Requisition.objects.filter(pk=paid.requisition_id),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows._raw_delete(rows.db)


def test_a_funds_accounts_are_of_its_company_and_currency(world: World) -> None:
    stranger = make_fund(make_company())
    rows = type(world.fund).objects.filter(pk=world.fund.pk)
    refused("", lambda: rows.update(account=stranger.account))


def test_the_destination_is_encrypted_in_the_table(world: World) -> None:
    payment = world.payment(method="mpesa", destination=PHONE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.destination || r.destination FROM treasury_payment p"
            " JOIN treasury_requisition r USING (requisition_id) WHERE payment_id = %s",
            [payment.pk],
        )
        stored = cursor.fetchone()[0]
    assert PHONE[4:] not in stored
    assert Payment.objects.get(pk=payment.pk).destination == PHONE


@pytest.mark.parametrize("change", ["amount = 900000", "method = 'cash'", "payee_name = 'Me'"])
def test_what_was_approved_changes_only_with_its_version(world: World, change: str) -> None:
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    requisition = payment.requisition_id
    attack = f"UPDATE treasury_requisition SET {change} WHERE requisition_id = %s"
    refused("content_has_a_version", lambda: sql(attack, requisition))
    skipping = (
        f"UPDATE treasury_requisition SET {change}, version = version + 1 WHERE requisition_id = %s"
    )
    refused("content_has_a_version", lambda: sql(skipping, requisition))
