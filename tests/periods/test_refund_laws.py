"""What the database keeps of refunds, attacked with raw SQL: they never come to more than their expense."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from periods.models import Expense
from tests.periods.estate import Estate, build_estate
from tests.periods.test_laws import refused, run

LAW = "periods_expense_refunded"
REFUND = """
    INSERT INTO periods_expense (id, association_id, period_id, version, journal_entry_id, void_reason, kind,
                                 refund_of_id, payment_type, amount, date, vendor, description)
    SELECT %s, association_id, period_id, 1, journal_entry_id, '', 'refund', id, payment_type, %s, date, '', ''
    FROM periods_expense WHERE id = %s
"""


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def expense(estate: Estate) -> Expense:
    return estate.expense(estate.period(), "500.00")


def refund(expense: Expense, amount: str) -> UUID:
    number = uuid4()
    run(REFUND, number, amount, expense.pk)
    return number


def change(row: UUID, column: str, value: Any) -> None:
    run(f"UPDATE periods_expense SET {column} = %s WHERE id = %s", value, row)


def test_a_refund_is_never_more_than_its_expense(expense: Expense) -> None:
    with refused(LAW):
        refund(expense, "500.01")
    refund(expense, "500.00")


def test_all_refunds_are_never_more_than_their_expense(expense: Expense) -> None:
    first = refund(expense, "300.00")
    with refused(LAW):
        refund(expense, "200.01")
    second = refund(expense, "200.00")
    for row in (first, second):
        with refused(LAW):
            change(row, "amount", "300.01")


def test_refunds_of_one_statement_are_looked_at_together(expense: Expense) -> None:
    refund(expense, "200.00")
    with refused(LAW):
        run(
            "INSERT INTO periods_expense (id, association_id, period_id, version, journal_entry_id,"
            " void_reason, kind, refund_of_id, payment_type, amount, date, vendor, description)"
            " SELECT gen_random_uuid(), association_id, period_id, 1, journal_entry_id, '', kind,"
            " refund_of_id, payment_type, amount, date, '', ''"
            " FROM periods_expense, generate_series(1, 2) WHERE kind = 'refund'"
        )


def test_an_expense_never_becomes_less_than_was_refunded(expense: Expense) -> None:
    refund(expense, "300.00")
    with refused(LAW):
        change(expense.pk, "amount", "299.99")
    change(expense.pk, "amount", "300.00")


def test_a_void_expense_has_no_refunds(expense: Expense) -> None:
    row = refund(expense, "300.00")
    with refused(LAW):
        run("UPDATE periods_expense SET voided_at = now() WHERE id = %s", expense.pk)
    run("UPDATE periods_expense SET voided_at = now() WHERE id = %s", row)
    run("UPDATE periods_expense SET voided_at = now() WHERE id = %s", expense.pk)
    with refused(LAW):
        refund(expense, "1.00")


def test_a_refund_never_moves_to_an_expense_that_is_refunded(
    estate: Estate, expense: Expense
) -> None:
    refund(expense, "300.00")
    other = estate.expense(expense.period, "900.00")
    row = refund(other, "200.01")
    with refused(LAW):
        change(row, "refund_of_id", expense.pk)


def test_a_refund_is_not_refunded(expense: Expense) -> None:
    row = refund(expense, "300.00")
    with refused(LAW):
        refund(Expense.objects.get(pk=row), "1.00")


def test_an_expense_of_a_closed_period_is_refunded_in_the_next(estate: Estate) -> None:
    first = estate.period()
    expense = estate.expense(first, "500.00", item=estate.item(first))
    estate.close(first)
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    estate.expense(second, "500.00", kind="refund", refund_of=expense.pk)
    with refused(LAW):
        run("UPDATE periods_expense SET amount = 500.01 WHERE kind = 'refund'")
