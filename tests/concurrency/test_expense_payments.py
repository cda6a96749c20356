"""An expense asked to be paid, changed and paid at the same instant: owed once, paid once."""

from functools import partial
from typing import Any

from django.db import transaction

from ledger.clock import today
from ledger.models import Account
from periods.models import Expense
from periods.services.expenses import edit_expense, void_expense
from periods.services.paying import pay_expense_through_treasury
from tests.crowd import at_once, tally
from tests.periods.estate import Estate, build_estate
from tests.scene import Scene, assert_books_hold
from treasury.models import Requisition
from treasury.services.execution import execute_payment
from treasury.services.payments import create_payment
from treasury.services.raising import raise_requisition
from treasury.services.requisition_content import Content
from treasury.services.requisitions import approve_requisition

ROUNDS = 3
CASH: dict[str, Any] = {"method": "cash", "destination": "Front desk"}


def asked(estate: Estate, expense: Expense) -> partial[Expense]:
    actor = estate.actor("treasurer")
    return partial(pay_expense_through_treasury, actor=actor, expense_id=expense.pk, **CASH)


def owed(estate: Estate) -> int:
    return int(Account.objects.get(pk=estate.association.clearing_account_id).balance)


def test_asked_for_by_many_at_once_it_is_asked_for_once(scene: Scene) -> None:
    estate = build_estate(scene=scene, with_fund=True)
    expense = estate.expense(estate.period(), "400.00", vendor="Amina Roofs")
    outcomes = at_once([asked(estate, expense)] * 4)
    assert tally(outcomes) == {"done": 1, "409 expense_in_payment": 3}
    assert Requisition.objects.count() == 1


def test_changed_while_it_is_paid_it_is_changed_or_paid(scene: Scene) -> None:
    estate = build_estate(scene=scene, with_fund=True)
    period = estate.period()
    recorder, executor = estate.actor("reconciler"), estate.actor("second_treasurer")
    left = 0
    for number in range(2 * ROUNDS):
        expense = estate.expense(period, "400.00", vendor="Amina Roofs")
        requisition_id = asked(estate, expense)().requisition_id
        assert requisition_id
        approve_requisition(actor=estate.actor("approver"), requisition_id=requisition_id)
        payment = create_payment(actor=executor, requisition_id=requisition_id)
        pay = partial(execute_payment, actor=executor, payment_id=payment.pk, today=today)
        which: dict[str, Any] = {"actor": recorder, "expense_id": expense.pk}
        change: Any = partial(edit_expense, amount="500.00", **which)
        if number % 2:
            change = partial(void_expense, reason="Twice", **which)
        outcomes = at_once([pay, change])
        assert tally(outcomes)["done"] == 1, tally(outcomes)
        expense = Expense.objects.select_related("requisition", "association").get(pk=expense.pk)
        assert expense.paid == (expense.amount == 400 and not expense.is_void)
        left += 0 if expense.paid or expense.is_void else 500
        assert owed(estate) == left
    assert_books_hold()


def test_raised_at_once_for_one_source_one_is_raised(scene: Scene) -> None:
    content = Content("5", None, "Roof", "Amina Roofs", "cash", "Front desk")

    def raise_it() -> Requisition:
        with transaction.atomic():
            return raise_requisition(
                actor=scene.actor("treasurer"), fund=scene.fund, content=content, source="x:1"
            )

    outcomes = at_once([raise_it] * 6)
    assert tally(outcomes) == {"done": 6}
    (raised,) = Requisition.objects.all()
    assert all(isinstance(one, Requisition) and one.pk == raised.pk for one in outcomes)
