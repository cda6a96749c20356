"""The balance sheet of a period and its tie-outs."""

from dataclasses import replace
from typing import Any

import pytest

from periods.allocation import Basis
from periods.sheet import (
    TITLES,
    Books,
    ExpenseLine,
    ItemRow,
    Records,
    Sheet,
    balance_sheet,
)

SHARED = {"Amina": 60, "Brian": 40}
RECORDS = Records(
    owners=("Amina", "Brian", "Cynthia"),
    openings={"Amina": 1000, "Brian": -500},
    contributions=[("Amina", 300), ("Brian", 700), ("Amina", 50)],
    expenses=[
        ExpenseLine(100, shares=SHARED, item="water", reference="bill 1"),
        ExpenseLine(100, paid_by="Brian", shares=SHARED, item="water", reference="bill 2"),
        ExpenseLine(-10, shares={"Amina": -6, "Brian": -4}, item="water", reference="refund"),
        ExpenseLine(75, item="roof"),
    ],
    charges=[("Brian", 15)],
    payouts=[("Amina", 20)],
    budget={"water": 150, "roof": 100, "guard": 40},
    equity_opening=2000,
)
BOOKS = Books(cash=3365, owners={"Amina": 1216, "Brian": 209})
PREVIOUS = {"Amina": 1000, "Brian": -500, "Cynthia": 0}


def failing(sheet: Sheet[Any]) -> dict[str, tuple[int, int, str]]:
    return {tie.name: (tie.left, tie.right, tie.about) for tie in sheet.ties if not tie.holds}


@pytest.fixture(scope="module")
def sheet() -> Sheet[str]:
    return balance_sheet(RECORDS, BOOKS, PREVIOUS)


def test_an_owner_is_owed_what_he_brought_less_what_he_bears(sheet: Sheet[str]) -> None:
    amina, brian, _ = sheet.owners
    assert amina.closing == 1000 + 350 + 0 - 114 - 0 - 20
    assert (brian.contributions, brian.expenses_paid, brian.allocated) == (700, 100, 76)
    assert brian.closing == -500 + 700 + 100 - 76 - 15


def test_an_owner_of_whom_there_is_nothing_to_say_has_a_row(sheet: Sheet[str]) -> None:
    nothing = sheet.owners[2]
    assert (nothing.owner, nothing.opening, nothing.closing) == ("Cynthia", 0, 0)


def test_every_tie_out_holds(sheet: Sheet[str]) -> None:
    assert failing(sheet) == {}
    assert [tie.name for tie in sheet.ties] == list(TITLES)
    assert all(tie.title for tie in sheet.ties)


def test_the_totals_show_the_associations_own_side(sheet: Sheet[str]) -> None:
    totals = sheet.totals
    assert (totals.expenses_paid_by_owners, totals.expenses_paid_by_association) == (100, 165)
    assert (totals.allocated, totals.unallocated) == (190, 75)
    assert (totals.cash_opening, totals.cash_closing) == (2500, 2500 + 1050 - 165 - 20)
    assert (totals.equity_opening, totals.equity_closing) == (2000, 2000 + 15 - 75)


def test_an_item_shows_what_was_planned_and_what_was_spent(sheet: Sheet[str]) -> None:
    guard, roof, water = sheet.items
    assert guard == ItemRow("guard", 40, 0)
    assert (roof.actual, roof.variance) == (75, -25)
    assert (water.actual, water.variance) == (190, 40)


def test_an_expense_without_an_item_stands_below_the_items() -> None:
    records = replace(RECORDS, expenses=[ExpenseLine(5)])
    assert balance_sheet(records, BOOKS).items[-1] == ItemRow(None, 0, 5)


def test_what_is_not_paid_yet_is_owed_to_suppliers_and_still_in_the_cash() -> None:
    records = replace(RECORDS, payables_opening=30, payables_closing=80)
    books = replace(BOOKS, cash=BOOKS.cash + 30 + 50)
    sheet = balance_sheet(records, books, PREVIOUS)
    assert failing(sheet) == {}
    assert (sheet.totals.cash_opening, sheet.totals.payables_closing) == (2530, 80)


def test_income_that_is_nobodys_belongs_to_all() -> None:
    sheet = balance_sheet(
        replace(RECORDS, other_income=500), replace(BOOKS, cash=BOOKS.cash + 500), PREVIOUS
    )
    assert failing(sheet) == {}
    assert sheet.totals.equity_closing == 2000 + 15 - 75 + 500


def test_an_adjustment_of_a_frozen_period_is_a_column_of_its_own() -> None:
    """Brian paid 250 in an old period that all bear: his 175, Amina's share; a cent came out of the cash."""
    records = replace(RECORDS, adjustments=[("Amina", -176), ("Brian", 175)], cash_adjustment=-1)
    books = Books(cash=BOOKS.cash - 1, owners={"Amina": 1216 - 176, "Brian": 209 + 175})
    sheet = balance_sheet(records, books, PREVIOUS)
    assert failing(sheet) == {}
    assert [row.adjustments for row in sheet.owners] == [-176, 175, 0]


def test_what_a_correction_did_to_what_belongs_to_all_stands_beside_the_adjustments() -> None:
    """An old cost of 30 that nobody bears was found after its period was closed."""
    records = replace(RECORDS, cash_adjustment=-30, equity_adjustment=-30)
    sheet = balance_sheet(records, replace(BOOKS, cash=BOOKS.cash - 30), PREVIOUS)
    assert failing(sheet) == {}
    assert sheet.totals.equity_closing == 2000 + 15 - 75 - 30


def test_shares_that_do_not_add_up_break_the_first_tie_and_name_the_expense() -> None:
    lost = ExpenseLine(100, shares={"Amina": 59, "Brian": 40}, reference="bill 9")
    sheet = balance_sheet(replace(RECORDS, expenses=[lost]), BOOKS, PREVIOUS)
    assert failing(sheet)["T1"] == (99, 100, "bill 9")
    assert failing(sheet)["T2"] == (100, 99, "")


def test_cash_that_the_ledger_does_not_have_breaks_the_fourth_and_fifth() -> None:
    sheet = balance_sheet(RECORDS, replace(BOOKS, cash=3364), PREVIOUS)
    assert failing(sheet) == {"T4": (3365, 3364, ""), "T5": (3364, 3365, "")}


def test_an_opening_that_is_not_the_last_closing_breaks_the_sixth() -> None:
    sheet = balance_sheet(RECORDS, BOOKS, {**PREVIOUS, "Amina": 999, "Brian": -499})
    assert failing(sheet) == {"T6": (1000, 999, "Amina")}


def test_a_control_account_that_differs_breaks_the_seventh() -> None:
    books = replace(BOOKS, owners={"Amina": 1216, "Brian": 209, "Cynthia": 1})
    assert failing(balance_sheet(RECORDS, books, PREVIOUS)) == {"T7": (0, 1, "Cynthia")}


def test_a_control_account_of_somebody_who_has_no_row_breaks_the_seventh() -> None:
    books = replace(BOOKS, owners={"Amina": 1216, "Brian": 209, "Zawadi": 7})
    assert failing(balance_sheet(RECORDS, books, PREVIOUS)) == {"T7": (0, 7, "Zawadi")}


def test_the_first_period_opens_with_what_it_says() -> None:
    assert failing(balance_sheet(RECORDS, BOOKS)) == {}


def test_the_same_records_in_another_order_give_the_same_sheet(sheet: Sheet[str]) -> None:
    again = balance_sheet(
        replace(RECORDS, contributions=sorted(RECORDS.contributions)[::-1]), BOOKS, PREVIOUS
    )
    assert again == sheet


def test_owners_stand_in_the_order_of_their_keys_of_whatever_kind() -> None:
    sheet = balance_sheet(
        Records(owners=[10, 2], openings={10: 1, 2: -1}), Books(0, {10: 1, 2: -1})
    )
    assert [row.owner for row in sheet.owners] == [2, 10]


def test_five_hundred_owners_and_a_thousand_expenses_tie() -> None:
    basis = Basis.of((number, number % 9 + 1) for number in range(500))
    expenses = [
        ExpenseLine(amount, shares=dict(zip(basis.keys, basis.split_units(amount), strict=True)))
        for amount in range(100_001, 101_001)
    ]
    spent = sum(line.amount for line in expenses)
    owners = dict.fromkeys(range(500), 0)
    for line in expenses:
        for owner, share in (line.shares or {}).items():
            owners[owner] -= share
    sheet = balance_sheet(Records(range(500), expenses=expenses), Books(-spent, owners))
    assert failing(sheet) == {}
