"""Refunds of one expense written at the same instant, past every service: never more than the expense."""

import threading
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from periods.models import Expense
from tests.crowd import at_once
from tests.periods.estate import build_estate
from tests.periods.test_refund_laws import REFUND
from tests.scene import Scene

ISOLATIONS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def write(isolation: str, both_began: threading.Barrier, statement: str, *values: Any) -> None:
    """Run a statement in a transaction whose snapshot, where it has one, is from before the other wrote."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        cursor.execute("SELECT count(*) FROM periods_expense")
        both_began.wait()
        cursor.execute(statement, values)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_of_two_refunds_at_once_one_is_refused(scene: Scene, isolation: str) -> None:
    estate = build_estate(scene=scene)
    expense = estate.expense(estate.period(), "500.00")
    act = partial(write, isolation, threading.Barrier(2, timeout=60), REFUND)
    outcomes = at_once([partial(act, uuid4(), "300.00", expense.pk) for _ in range(2)])
    assert [str(one) for one in outcomes].count("None") == 1, outcomes
    assert expense.refunds.aggregate(sum=Sum("amount"))["sum"] == 300


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_an_expense_refunded_while_it_becomes_less_is_one_of_both(
    scene: Scene, isolation: str
) -> None:
    estate = build_estate(scene=scene)
    expense = estate.expense(estate.period(), "500.00")
    act = partial(write, isolation, threading.Barrier(2, timeout=60))
    less = "UPDATE periods_expense SET amount = 299.99 WHERE id = %s"
    outcomes = at_once(
        [partial(act, REFUND, uuid4(), "300.00", expense.pk), partial(act, less, expense.pk)]
    )
    assert [str(one) for one in outcomes].count("None") == 1, outcomes
    whole = Expense.objects.get(pk=expense.pk)
    assert (whole.refunds.aggregate(sum=Sum("amount"))["sum"] or 0) <= whole.amount
