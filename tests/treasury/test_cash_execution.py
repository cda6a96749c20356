"""Paying cash: reserved and settled in one transaction."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.actor import Actor
from ledger.models import AuditEvent, JournalEntry
from ledger.refusals import IllegalTransition, InsufficientFunds, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from tests.treasury.conftest import World
from tests.treasury.factories import acting, approve, make_fund, person, today
from treasury.models import Payment, PaymentExecution, ReplenishmentRequest
from treasury.readiness import CodeRequired, NotApproved
from treasury.services.execution import can_execute_payment, execute_payment
from treasury.services.reversals import reverse_payment


def test_cash_is_paid_and_booked_in_one_step(world: World) -> None:
    payment = world.payment(amount=Decimal(400))
    paid = execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert (paid.status, paid.executor) == ("success", world.treasurer)
    assert (world.account().balance, world.account().held) == (Decimal(99_600), Decimal(0))
    entry = JournalEntry.objects.get(reference=f"treasury.payment:{payment.pk}")
    lines = {(line.account_id, line.side, line.amount) for line in entry.ledger_entries.all()}
    assert lines == {
        (world.fund.spending_account_id, "debit", Decimal(400)),
        (world.fund.account_id, "credit", Decimal(400)),
    }


def test_an_execution_says_who_from_where_and_which_entry(world: World) -> None:
    payment = world.payment()
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    execution = PaymentExecution.objects.get(payment=payment)
    assert execution.executor == world.treasurer
    assert (execution.ip_address, execution.user_agent) == ("192.0.2.7", "tests")
    assert execution.journal_entry.reference == payment.reference
    assert (execution.otp_verified_at, execution.otp_verified_by) == (None, None)


def test_a_wholly_paid_requisition_is_paid(world: World) -> None:
    payment = world.payment()
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    payment.requisition.refresh_from_db()
    assert payment.requisition.status == "paid"


def test_a_payment_is_executed_once(world: World) -> None:
    payment = world.payment()
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    with pytest.raises(IllegalTransition):
        execute_payment(actor=acting(world.second_treasurer), payment_id=payment.pk, today=today)
    assert world.account().balance == Decimal(99_000)


def test_without_money_nothing_happens_but_the_audit_trail(world: World) -> None:
    fund = make_fund(world.company, balance=Decimal(999))
    world.fund = fund
    payment = world.payment(amount=Decimal(1000))
    with pytest.raises(InsufficientFunds):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    payment.refresh_from_db()
    assert (payment.status, payment.executor, payment.retry_count) == ("pending", None, 0)
    refused = AuditEvent.objects.get(subject=payment.reference, outcome="refused")
    assert (refused.action, refused.code) == ("payment.execute", "insufficient_funds")


def test_a_requester_cannot_execute_his_own_payment(world: World) -> None:
    world.requester = person(world.company, Role.REQUESTER, Role.TREASURER)
    payment = world.payment()
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=acting(world.requester), payment_id=payment.pk, today=today)


def test_a_superuser_has_no_way_round_segregation(world: World) -> None:
    world.requester = person(world.company, is_superuser=True)
    payment = world.payment()
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=acting(world.requester), payment_id=payment.pk, today=today)


def test_a_job_executes_nothing(world: World) -> None:
    payment = world.payment()
    with pytest.raises(RoleRequired):
        execute_payment(actor=Actor.system("job"), payment_id=payment.pk, today=today)


def test_an_approver_executes_only_where_the_company_allows_it(world: World) -> None:
    world.approver = person(world.company, Role.APPROVER, Role.TREASURER)
    payment = world.payment()
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=acting(world.approver), payment_id=payment.pk, today=today)
    world.company.separate_executor = False
    world.company.save()
    paid = execute_payment(actor=acting(world.approver), payment_id=payment.pk, today=today)
    assert paid.status == "success"


def test_only_a_treasurer_executes(world: World) -> None:
    payment = world.payment()
    with pytest.raises(RoleRequired):
        execute_payment(actor=acting(world.cfo), payment_id=payment.pk, today=today)


def test_above_the_limit_a_code_is_needed(world: World) -> None:
    at_the_limit, above = world.payment(amount=Decimal(1000)), world.payment(amount=Decimal(1001))
    assert (at_the_limit.otp_required, above.otp_required) == (False, True)
    with pytest.raises(CodeRequired):
        execute_payment(actor=acting(world.treasurer), payment_id=above.pk, today=today)


def test_an_edited_requisition_is_not_paid_until_it_is_approved_again(world: World) -> None:
    payment = world.payment()
    requisition = payment.requisition
    requisition.status, requisition.version = "submitted", 2
    requisition.save(update_fields=["status", "version"])
    with pytest.raises(NotApproved):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    approve(requisition, world.approver)
    paid = execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert paid.status == "success"


def test_a_fund_that_runs_low_asks_to_be_filled_once(world: World) -> None:
    world.fund = make_fund(
        world.company,
        balance=Decimal(1000),
        reorder_level=Decimal(800),
        target_level=Decimal(2000),
    )
    for _ in range(2):
        payment = world.payment(amount=Decimal(300))
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    request = ReplenishmentRequest.objects.get(fund=world.fund)
    assert (request.requested_amount, request.auto_triggered) == (Decimal(1300), True)


def test_can_execute_gives_the_reason_that_execution_would(world: World) -> None:
    payment = world.payment(amount=Decimal(5000))
    assert can_execute_payment(payment, world.requester) == (
        False,
        "This needs the role Treasurer here.",
    )
    assert payment.can_execute(world.treasurer)[0] is False
    small = world.payment(amount=Decimal(10))
    assert small.can_execute(world.treasurer) == (True, "")
    execute_payment(actor=acting(world.treasurer), payment_id=small.pk, today=today)
    done = Payment.objects.get(pk=small.pk)
    assert done.can_execute(world.treasurer)[0] is False


def test_cash_takes_few_round_trips(world: World) -> None:
    payment = world.payment(amount=Decimal(10))
    actor = acting(world.treasurer)
    with CaptureQueriesContext(connection) as queries:
        execute_payment(actor=actor, payment_id=payment.pk, today=today)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 11, "\n".join(statements)


def test_money_that_came_back_is_booked_back_by_two(world: World) -> None:
    payment = world.payment(amount=Decimal(400))
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    for user in (world.second_treasurer, world.cfo):
        back = reverse_payment(
            actor=acting(user), payment_id=payment.pk, evidence="returned by hand", today=today
        )
    assert back.status == "reversed"
    assert world.account().balance == Decimal(100_000)
    payment.requisition.refresh_from_db()
    assert payment.requisition.committed == 0
