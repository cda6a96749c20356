"""An expense that treasury pays: asked for once, booked once, and paid when the requisition is."""

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model

from ledger import audit
from ledger.models import Account, AuditEvent
from ledger.refusals import (
    InvalidInput,
    NotFound,
    RoleRequired,
    SegregationOfDuties,
)
from periods.models import BalanceSheet, Expense, ServicePeriod
from periods.refusals import AlreadyVoid, ExpenseInPayment, NotPayable, PeriodClosed
from periods.selectors import expenses_seen_by, expenses_to_pay
from periods.services.closing import close_period
from periods.services.expenses import edit_expense, void_expense
from periods.services.paying import pay_expense_through_treasury
from periods.sheets import balance_sheet_of
from tests.periods.estate import Estate, build_estate, today
from tests.periods.test_laws import refused, run
from tests.scene import assert_books_hold, build_scene
from treasury.models import Payment, Requisition
from treasury.services.execution import execute_payment
from treasury.services.payments import create_payment
from treasury.services.requisitions import approve_requisition, reject_requisition
from treasury.services.reversals import reverse_payment


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate(scene=build_scene(opening=10_000), with_fund=True)


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


@pytest.fixture
def expense(estate: Estate, period: ServicePeriod) -> Expense:
    return estate.expense(period, "400.00", vendor="Amina Roofs", description="East wing")


def ask(estate: Estate, expense: Expense, by: str = "treasurer", **asked: Any) -> Expense:
    """Ask treasury to pay the expense in cash."""
    wanted = {"method": "cash", "destination": "Front desk"} | asked
    return pay_expense_through_treasury(actor=estate.actor(by), expense_id=expense.pk, **wanted)


def requisition_of(expense: Expense) -> Requisition:
    found = Expense.objects.get(pk=expense.pk).requisition
    assert found
    return found


def prepare(estate: Estate, expense: Expense) -> Payment:
    """Approve what was asked for and make the payment."""
    pk = requisition_of(expense).pk
    approve_requisition(actor=estate.actor("approver"), requisition_id=pk)
    return create_payment(actor=estate.actor("second_treasurer"), requisition_id=pk)


def execute(estate: Estate, payment: Payment) -> Payment:
    actor = estate.actor("second_treasurer")
    return execute_payment(actor=actor, payment_id=payment.pk, today=today)


def balance(estate: Estate, name: str) -> Any:
    return Account.objects.get(pk=getattr(estate.association, f"{name}_account_id")).balance


def is_paid(estate: Estate, expense: Expense) -> bool:
    return expenses_seen_by(estate.scene.people["auditor"]).get(pk=expense.pk).paid


def test_it_is_asked_for_paid_and_booked_once(estate: Estate, expense: Expense) -> None:
    assert (balance(estate, "clearing"), is_paid(estate, expense)) == (400, False)
    asked = ask(estate, expense)
    requisition = requisition_of(expense)
    assert asked.requisition_id == requisition.pk
    assert (requisition.amount, requisition.payee_name) == (400, "Amina Roofs")
    assert requisition.purpose == "Acacia Court: Security of 2026-01-01: East wing"
    assert requisition.requested_by == estate.scene.people["treasurer"]
    assert list(expenses_to_pay(estate.association)) == [expense]
    execute(estate, prepare(estate, expense))
    assert is_paid(estate, expense)
    assert not expenses_to_pay(estate.association).exists()
    # The cost was booked when it was recorded, and the money has left the fund.
    assert (balance(estate, "clearing"), balance(estate, "costs")) == (0, 400)
    assert balance(estate, "cash") == 9_600
    assert audit.history_of(expense.reference).latest("at").action == "expense.pay"
    assert_books_hold()


def test_money_that_came_back_is_owed_again(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    payment = execute(estate, prepare(estate, expense))
    for who in ("reconciler", "cfo"):
        actor = estate.actor(who)
        reverse_payment(actor=actor, payment_id=payment.pk, evidence="Slip", today=today)
    assert (balance(estate, "clearing"), is_paid(estate, expense)) == (400, False)
    void_expense(actor=estate.actor("treasurer"), expense_id=expense.pk, reason="Not delivered")
    assert (balance(estate, "clearing"), balance(estate, "cash")) == (0, 10_000)
    assert_books_hold()


def test_who_recorded_it_or_a_requester_asks(estate: Estate, expense: Expense) -> None:
    for who in ("reconciler", "second_treasurer", "cfo", "approver", "auditor"):
        with pytest.raises(RoleRequired):
            ask(estate, expense, who)
    ask(estate, expense, "requester")
    assert requisition_of(expense).requested_by == estate.scene.people["requester"]


def test_whoever_asked_does_not_execute(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    payment = prepare(estate, expense)
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=estate.actor("treasurer"), payment_id=payment.pk, today=today)


def test_it_is_asked_for_once_and_again_after_a_refusal(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    first = requisition_of(expense)
    with pytest.raises(ExpenseInPayment):
        ask(estate, expense)
    reject_requisition(actor=estate.actor("approver"), requisition_id=first.pk, reason="No")
    assert not is_paid(estate, expense)
    ask(estate, expense, "requester")
    assert requisition_of(expense).pk != first.pk


@pytest.mark.parametrize(
    "asked", [{"method": "cheque"}, {"destination": "07"}, {"payee_name": " "}]
)
def test_what_is_asked_for_is_read_first(
    estate: Estate, expense: Expense, asked: dict[str, str]
) -> None:
    wanted = {"method": "mpesa", "destination": "0712345678"} | asked
    with pytest.raises(InvalidInput):
        ask(estate, expense, **wanted)
    assert not Requisition.objects.exists()


def test_what_is_paid_or_brings_money_in_is_not_paid(estate: Estate, period: ServicePeriod) -> None:
    laid_out = estate.expense(period, "10", paid_by="Ann", vendor="G4S")
    refund = estate.expense(period, "10", kind="refund", vendor="G4S")
    for one in (laid_out, refund):
        with pytest.raises(NotPayable):
            ask(estate, one)
        assert is_paid(estate, one)
    with pytest.raises(NotFound):
        pay_expense_through_treasury(
            actor=estate.actor("treasurer"), expense_id=uuid4(), method="cash", destination="x"
        )


def test_without_a_fund_cash_has_paid_it(db: None) -> None:
    estate = build_estate()
    expense = estate.expense(estate.period(), "10", vendor="G4S")
    with pytest.raises(NotPayable):
        ask(estate, expense)
    assert is_paid(estate, expense)
    assert not expenses_to_pay(estate.association).exists()


def test_a_void_one_is_not_paid(estate: Estate, expense: Expense) -> None:
    void_expense(actor=estate.actor("treasurer"), expense_id=expense.pk, reason="Twice")
    with pytest.raises(AlreadyVoid):
        ask(estate, expense)


def test_it_is_paid_after_its_period_is_closed(estate: Estate, expense: Expense) -> None:
    close(estate, expense)
    ask(estate, expense)
    before = BalanceSheet.objects.get(period=expense.period).hash
    execute(estate, prepare(estate, expense))
    assert is_paid(estate, expense)
    assert balance_sheet_of(fresh(expense.period)).hash == before
    assert (balance(estate, "clearing"), balance(estate, "costs")) == (0, 0)


def close(estate: Estate, expense: Expense) -> None:
    """Close the expense's period, its costs shared by weight."""
    edit(estate, expense, budget_item=estate.item(expense.period).pk)
    close_period(actor=estate.actor("cfo"), period_id=expense.period_id)


def edit(estate: Estate, expense: Expense, **changes: Any) -> Expense:
    return edit_expense(actor=estate.actor("reconciler"), expense_id=expense.pk, **changes)


def test_another_amount_or_payer_withdraws_what_was_asked(estate: Estate, expense: Expense) -> None:
    for change in ({"amount": "410"}, {"paid_by": estate.owners["Ann"].pk}):
        ask(estate, expense)
        requisition = requisition_of(expense)
        payment = prepare(estate, expense)
        edited = edit(estate, expense, **change)
        assert edited.requisition is None
        for row, status in ((requisition, "cancelled"), (payment, "cancelled")):
            assert fresh(row).status == status
    assert (balance(estate, "clearing"), estate.balance("Ann")) == (0, 410)
    assert_books_hold()


def fresh(row: Model) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


def test_what_does_not_change_the_payment_leaves_it_alone(
    estate: Estate, period: ServicePeriod, expense: Expense
) -> None:
    ask(estate, expense)
    requisition = requisition_of(expense)
    item = estate.item(period)
    edit(estate, expense, budget_item=item.pk, description="All of it", amount="400.00")
    assert requisition_of(expense) == requisition
    execute(estate, prepare(estate, expense))
    edited = edit(estate, expense, vendor="Amina & Sons")
    assert (edited.paid, balance(estate, "clearing")) == (True, 0)
    assert_books_hold()


def test_a_void_withdraws_what_was_asked(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    requisition = requisition_of(expense)
    void_expense(actor=estate.actor("reconciler"), expense_id=expense.pk, reason="Twice")
    assert fresh(requisition).status == "cancelled"
    assert balance(estate, "clearing") == 0


def test_what_is_paid_does_not_change(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    execute(estate, prepare(estate, expense))
    with pytest.raises(ExpenseInPayment):
        edit(estate, expense, amount="410")
    with pytest.raises(ExpenseInPayment):
        void_expense(actor=estate.actor("reconciler"), expense_id=expense.pk, reason="Twice")
    refusal = AuditEvent.objects.filter(subject=expense.reference).latest("at")
    assert refusal.code == "expense_in_payment"
    assert (fresh(expense).amount, balance(estate, "clearing")) == (400, 0)


def test_nothing_is_withdrawn_from_a_closed_period(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    close(estate, expense)
    with pytest.raises(PeriodClosed):
        edit(estate, expense, amount="410")
    assert requisition_of(expense).status == "submitted"


# --- The laws -------------------------------------------------------------------------------------------

CHANGE = "UPDATE periods_expense SET {} WHERE id = %s"


def test_an_expense_takes_no_requisition_but_its_own(
    estate: Estate, period: ServicePeriod, expense: Expense
) -> None:
    ask(estate, expense)
    other = estate.expense(period, "400.00", vendor="G4S")
    wanted = requisition_of(expense)
    ordinary = estate.scene.requisition(400)
    for one in (wanted, ordinary):
        with refused("periods_expense_raised"):
            run(CHANGE.format(f"requisition_id = '{one.pk}'"), other.pk)


def test_while_it_is_in_payment_it_stays_as_it_is(estate: Estate, expense: Expense) -> None:
    ask(estate, expense)
    for change in ("amount = 1", "voided_at = now()", "requisition_id = NULL"):
        with refused("periods_expense_in_payment"):
            run(CHANGE.format(change), expense.pk)
    with refused("periods_expense_requisition"):
        run(CHANGE.format(f"paid_by_id = '{estate.owners['Ann'].pk}'"), expense.pk)
