"""What one may ask the books: balances at an instant and on a date, trial balance, statement."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.clock import database_now
from ledger.models import Account, AccountType, LedgerEntry
from ledger.selectors import balance_at, balance_on, statement, trial_balance
from tests.ledger.factories import CompanyFactory, book, credit, debit, move, open_account, posting

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


@pytest.fixture
def cash() -> Account:
    return open_account(code="cash", balance="100.00")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company, code="bank")


def instant_of(entry: UUID, account: Account) -> datetime:
    return LedgerEntry.objects.get(journal_entry=entry, account=account).posted_at


# --- At an instant: posting order -------------------------------------------------------------------------


def test_before_its_first_entry_an_account_is_empty(bank: Account) -> None:
    assert balance_at(bank, database_now()) == 0


def test_a_balance_is_known_at_every_instant(cash: Account, bank: Account) -> None:
    instants = [instant_of(move(cash, bank, f"{n}.00"), bank) for n in (1, 2, 3)]
    assert [balance_at(bank, instant) for instant in instants] == [1, 3, 6]
    assert balance_at(bank, instants[0] - timedelta(microseconds=1)) == 0
    assert balance_at(bank, instants[2] + timedelta(days=99)) == 6


def test_entries_of_one_instant_count_together(cash: Account, bank: Account) -> None:
    lines = debit(bank, "1.00"), debit(bank, "2.00"), credit(cash, "3.00")
    entry = book(posting(cash, *lines))
    (instant,) = set(
        LedgerEntry.objects.filter(journal_entry=entry, account=bank).values_list(
            "posted_at", flat=True
        )
    )
    assert balance_at(bank, instant) == 3


def test_a_back_dated_entry_counts_from_the_instant_it_was_posted(
    cash: Account, bank: Account
) -> None:
    first = instant_of(move(cash, bank, "5.00"), bank)
    second = instant_of(move(cash, bank, "7.00", effective_on=day(-30)), bank)
    assert (balance_at(bank, first), balance_at(bank, second)) == (Decimal(5), Decimal(12))


# --- On a date: effective date ----------------------------------------------------------------------------


def test_a_balance_on_a_date_is_that_at_its_end(cash: Account, bank: Account) -> None:
    move(cash, bank, "5.00", effective_on=day(0))
    move(cash, bank, "7.00", effective_on=day(2))
    assert [balance_on(bank, day(n)) for n in (-1, 0, 1, 2, 3)] == [0, 5, 5, 12, 12]


def test_a_back_dated_entry_changes_the_days_since(cash: Account, bank: Account) -> None:
    move(cash, bank, "5.00", effective_on=day(2))
    move(cash, bank, "7.00", effective_on=day(0))
    assert [balance_on(bank, day(n)) for n in (-1, 0, 1, 2)] == [0, 7, 7, 12]


def test_an_entry_dated_ahead_counts_when_its_day_comes(cash: Account, bank: Account) -> None:
    move(cash, bank, "5.00", effective_on=date(2099, 12, 31))
    assert (balance_on(bank, date(2099, 12, 30)), balance_on(bank, date(2099, 12, 31))) == (
        Decimal(0),
        Decimal(5),
    )


@pytest.mark.parametrize("kind", AccountType)
def test_a_balance_counts_on_the_normal_side(cash: Account, kind: AccountType) -> None:
    account = open_account(cash.company, type=kind)
    line = debit if account.normal_side == "debit" else credit
    other = credit if account.normal_side == "debit" else debit
    book(posting(cash, line(account, "5.00"), other(cash, "5.00")))
    assert balance_on(account, MONDAY) == balance_at(account, database_now()) == 5


# --- Trial balance ----------------------------------------------------------------------------------------


def columns(company: object, on: date) -> dict[str, tuple[Decimal, Decimal]]:
    rows = trial_balance(company, on).rows  # type: ignore[arg-type]
    return {row.account.code: (row.debit, row.credit) for row in rows}


def test_each_account_stands_in_the_column_of_its_side(cash: Account, bank: Account) -> None:
    move(cash, bank, "130.00")
    found = columns(cash.company, MONDAY)
    assert found["bank"] == (Decimal(130), Decimal(0))
    assert found["cash"] == (Decimal(0), Decimal(30))


def test_the_columns_are_equal_in_each_currency(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00")
    open_account(cash.company, currency="USD", balance="7.00")
    totals = trial_balance(cash.company, MONDAY).totals
    assert totals == {"KES": (Decimal(100), Decimal(100)), "USD": (Decimal(7), Decimal(7))}


def test_a_trial_balance_is_of_its_date(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00", effective_on=day(5))
    assert columns(cash.company, day(4))["bank"] == (Decimal(0), Decimal(0))
    assert columns(cash.company, day(5))["bank"] == (Decimal(30), Decimal(0))


def test_a_trial_balance_is_of_one_company(cash: Account) -> None:
    open_account(code="theirs", balance="9.00")
    assert "theirs" not in columns(cash.company, MONDAY)


def test_a_company_without_accounts_has_an_empty_one() -> None:
    found = trial_balance(CompanyFactory.create(), MONDAY)
    assert (list(found.rows), found.totals) == ([], {})


def test_a_trial_balance_takes_one_query(cash: Account, bank: Account) -> None:
    company = cash.company
    with CaptureQueriesContext(connection) as queries:
        trial_balance(company, MONDAY)
    assert len(queries) == 1


# --- Statement --------------------------------------------------------------------------------------------


def test_a_statement_shows_the_newest_first_with_the_balance_after(
    cash: Account, bank: Account
) -> None:
    for amount in ("1.00", "2.00", "3.00"):
        move(cash, bank, amount)
    found = [(entry.amount, entry.balance_after) for entry in statement(bank)]
    assert found == [(Decimal(3), Decimal(6)), (Decimal(2), Decimal(3)), (Decimal(1), Decimal(1))]


def test_a_statement_may_be_of_some_days(cash: Account, bank: Account) -> None:
    for offset in (0, 1, 2, 3):
        move(cash, bank, f"{offset + 1}.00", effective_on=day(offset))
    found = statement(bank, since=day(1), until=day(2))
    assert [entry.amount for entry in found] == [3, 2]


def test_a_statement_is_of_one_account(cash: Account, bank: Account) -> None:
    move(cash, bank, "1.00")
    assert {entry.account_id for entry in statement(bank)} == {bank.pk}


def test_a_statement_reads_its_journal_entries_along(cash: Account, bank: Account) -> None:
    for _ in range(3):
        move(cash, bank, "1.00", description="Tea")
    with CaptureQueriesContext(connection) as queries:
        assert [entry.journal_entry.description for entry in statement(bank)] == ["Tea"] * 3
    assert len(queries) == 1
