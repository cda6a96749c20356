"""Whoever asked for the money cannot execute its payment, whatever way he takes and whatever he may become."""

import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.core.management import get_commands, load_command_class
from django.db import Error as DatabaseError
from django.db import transaction

from ledger.actor import Actor
from ledger.clock import database_now, today
from ledger.models import AuditEvent, Membership
from ledger.refusals import Refusal, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.scene import Scene, assert_books_hold, build_scene
from treasury import tasks
from treasury.models import Payment, PaymentAttempt, PaymentExecution, Requisition
from treasury.services.codes import send_otp, verify_otp
from treasury.services.execution import can_execute_payment, execute_payment
from treasury.services.requisitions import approve_requisition


@pytest.fixture
def scene(transactional_db: None, sent_tasks: object) -> Scene:
    """A requester who is a treasurer, an approver and a CFO as well."""
    scene = build_scene()
    for role in (Role.TREASURER, Role.APPROVER, Role.CFO):
        Membership.objects.create(user=scene.people["requester"], company=scene.company, role=role)
    return scene


@pytest.fixture
def payment(scene: Scene) -> Payment:
    return scene.payment(1000)


def assert_nothing_was_paid(scene: Scene) -> None:
    assert not PaymentExecution.objects.exists()
    assert not Payment.objects.filter(executor=scene.people["requester"]).exists()
    assert scene.balances().balance == scene.opening
    assert_books_hold()


# --- Through the services --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        partial(execute_payment, today=today),
        send_otp,
        partial(verify_otp, otp="123456"),
    ],
)
def test_a_requester_cannot_execute_his_own_payment_by_a_service(
    scene: Scene, payment: Payment, act: Callable[..., Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        act(actor=scene.actor("requester"), payment_id=payment.pk)
    assert refused.value.status == 403
    assert not can_execute_payment(payment, scene.people["requester"])[0]
    assert AuditEvent.objects.filter(outcome="refused", subject=payment.reference).exists()
    assert_nothing_was_paid(scene)


def test_a_requester_who_is_a_superuser_cannot_either(scene: Scene, payment: Payment) -> None:
    requester = scene.people["requester"]
    requester.is_superuser = requester.is_staff = True
    requester.save()
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=Actor.of(requester), payment_id=payment.pk, today=today)
    assert_nothing_was_paid(scene)


def test_a_requester_cannot_approve_his_own_requisition(scene: Scene) -> None:
    requisition = scene.requisition(1000, approved=False)
    with pytest.raises(SegregationOfDuties):
        approve_requisition(actor=scene.actor("requester"), requisition_id=requisition.pk)


def test_of_a_batch_of_payments_his_own_is_left_out(scene: Scene, payment: Payment) -> None:
    foreign = scene.payment(500, requested_by="second_requester")
    outcomes = {}
    for payment_id in (payment.pk, foreign.pk):
        try:
            execute_payment(actor=scene.actor("requester"), payment_id=payment_id, today=today)
            outcomes[payment_id] = "done"
        except SegregationOfDuties as refused:
            outcomes[payment_id] = refused.code
    assert outcomes == {payment.pk: "segregation_of_duties", foreign.pk: "done"}


def test_roles_that_are_swapped_in_mid_flow_change_nothing(scene: Scene, payment: Payment) -> None:
    """He has asked, then he is no requester any more; another is, and he is the treasurer."""
    Membership.objects.filter(user=scene.people["requester"]).exclude(role=Role.TREASURER).delete()
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=scene.actor("requester"), payment_id=payment.pk, today=today)
    Membership.objects.filter(user=scene.people["requester"]).delete()
    with pytest.raises(RoleRequired):
        execute_payment(actor=scene.actor("requester"), payment_id=payment.pk, today=today)
    assert_nothing_was_paid(scene)


def test_a_treasurer_who_loses_his_role_after_the_code_cannot_execute(scene: Scene) -> None:
    scene.require_codes()
    payment = scene.payment(1000)
    scene.verify_code(payment)
    Membership.objects.filter(user=scene.people["treasurer"]).delete()
    with pytest.raises(RoleRequired):
        execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    assert_nothing_was_paid_by(scene, "treasurer")


def assert_nothing_was_paid_by(scene: Scene, name: str) -> None:
    assert not PaymentExecution.objects.filter(executor=scene.people[name]).exists()


# --- Through jobs and commands -----------------------------------------------------------------------------


def test_no_job_executes_a_payment(scene: Scene, payment: Payment) -> None:
    with pytest.raises(Refusal):
        execute_payment(actor=Actor.system("dispatcher"), payment_id=payment.pk, today=today)
    tasks.dispatch_attempt(attempt_id=str(payment.pk))
    for task in (tasks.dispatch_waiting, tasks.run_janitor, tasks.clean_up):
        task()
    assert_nothing_was_paid(scene)


def test_no_task_takes_a_person_or_a_payment() -> None:
    for name in (entry["task"] for entry in tasks.BEAT_SCHEDULE.values()):
        task = getattr(tasks, name.removeprefix("treasury."))
        assert not inspect.signature(task.run).parameters, name


def test_no_command_executes_payments_but_the_one_that_makes_demo_data() -> None:
    ours = {"config", "ledger", "payments", "treasury"}
    executing = set()
    for name, app in get_commands().items():
        if app in ours:
            command = load_command_class(str(app), name)
            source = inspect.getsource(import_module(type(command).__module__))
            executing |= {name} if "execute_payment" in source else set()
    assert executing <= {"load_demo"}


# --- Past the services --------------------------------------------------------------------------------------


def by_save(payment: Payment, **values: Any) -> None:
    for name, value in values.items():
        setattr(payment, name, value)
    payment.save()


def by_update(payment: Payment, **values: Any) -> None:
    Payment.objects.filter(pk=payment.pk).update(**values)


def by_bulk_update(payment: Payment, **values: Any) -> None:
    for name, value in values.items():
        setattr(payment, name, value)
    Payment.objects.bulk_update([payment], list(values))


@pytest.mark.parametrize("write", [by_save, by_update, by_bulk_update])
@pytest.mark.parametrize("status", ["pending", "executing", "success"])
def test_the_orm_cannot_make_him_the_executor(
    scene: Scene, payment: Payment, write: Callable[..., None], status: str
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write(payment, executor=scene.people["requester"], status=status)
    assert_nothing_was_paid(scene)


@pytest.mark.parametrize("write", [by_save, by_update, by_bulk_update])
def test_the_orm_cannot_make_it_another_persons_request(
    scene: Scene, payment: Payment, write: Callable[..., None]
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write(payment, requester=scene.people["approver"])
    payment.refresh_from_db()
    assert payment.requester == scene.people["requester"]


def test_an_execution_in_his_name_is_refused_by_the_table(scene: Scene, payment: Payment) -> None:
    execute_payment(actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
    known = PaymentExecution.objects.get()
    for requester in ("requester", "approver"):
        forged = PaymentExecution(
            payment=scene.payment(500),
            company=scene.company,
            requester=scene.people[requester],
            executor=scene.people["requester"],
            journal_entry_id=known.journal_entry_id,
        )
        with pytest.raises(DatabaseError), transaction.atomic():
            forged.save(force_insert=True)


def test_an_attempt_in_his_name_never_settles(scene: Scene, payment: Payment) -> None:
    """Even a row that says he executed does not get past the payment's own CHECK."""
    assert not PaymentAttempt.objects.filter(payment=payment).exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(
            status="executing",
            executor=scene.people["requester"],
            otp_verified=True,
            otp_verified_timestamp=database_now(),
        )


# --- Raw SQL, as whoever may write the tables -----------------------------------------------------------------

STATEMENTS = {
    "the executor": "UPDATE treasury_payment SET executor_id = %(requester)s",
    "the executor and the status": (
        "UPDATE treasury_payment SET executor_id = %(requester)s, status = 'success'"
    ),
    "the payment's requester": "UPDATE treasury_payment SET requester_id = %(approver)s",
    "both at once": (
        "UPDATE treasury_payment SET requester_id = %(approver)s, executor_id = %(requester)s"
    ),
    "the requisition's requester": (
        "UPDATE treasury_requisition SET requested_by_id = %(approver)s"
    ),
    "requester of both": (
        "WITH first AS (UPDATE treasury_requisition SET requested_by_id = %(approver)s)"
        " UPDATE treasury_payment SET requester_id = %(approver)s, executor_id = %(requester)s"
    ),
    "a copy of the payment": (
        "INSERT INTO treasury_payment SELECT (jsonb_populate_record(payment, jsonb_build_object("
        " 'payment_id', gen_random_uuid(), 'requester_id', %(approver)s::text,"
        " 'executor_id', %(requester)s::text))).* FROM treasury_payment payment"
    ),
    "removing it": "DELETE FROM treasury_payment",
}


@pytest.fixture(params=["runtime", "owner", "superuser"])
def raw(request: pytest.FixtureRequest) -> psycopg.Connection:
    connection: psycopg.Connection = request.getfixturevalue(f"{request.param}_connection")
    return connection


@pytest.mark.parametrize("what", STATEMENTS)
def test_raw_sql_cannot_turn_it_into_his_execution(
    scene: Scene, payment: Payment, raw: psycopg.Connection, what: str
) -> None:
    ids = {name: scene.people[name].pk for name in ("requester", "approver")}
    with pytest.raises(psycopg.Error) as refused:
        raw.execute(STATEMENTS[what].encode(), ids)
    assert refused.value.sqlstate in {"23514", "23503", "23000", "42501"}, refused.value
    assert Requisition.objects.get().requested_by == scene.people["requester"]
    assert_nothing_was_paid(scene)
