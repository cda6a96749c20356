"""Law 8: entries are numbered and balanced in posting order, and dated beside it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from ledger.models import Account, DailyTotal, LedgerEntry
from ledger.services.verification import verify
from tests.clock import Clock
from tests.ledger import raw
from tests.ledger.factories import DAY, move, open_account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cash() -> Account:
    return open_account(balance="100.00")


@pytest.fixture
def bank(cash: Account) -> Account:
    account = open_account(cash.company)
    move(cash, account, "10.00")
    return account


@pytest.mark.parametrize(
    "untrue",
    [
        {"sequence": 3},
        {"sequence": 0},
        {"balance_after": Decimal(1000000)},
        {"effective_on": "2020-01-01"},
    ],
    ids=str,
)
def test_the_owner_cannot_insert_an_entry_that_does_not_follow(
    cash: Account, bank: Account, as_owner: str, untrue: dict[str, Any]
) -> None:
    with raw.refused("23514", "23505"):
        entry = raw.insert_journal(cash)
        lines = raw.next_line(bank, "debit", "5", **untrue), raw.next_line(cash, "credit", "5")
        raw.insert_lines(entry, *lines)


def test_the_owner_cannot_insert_an_entry_before_the_last_in_time(
    cash: Account, bank: Account, as_owner: str, clock: Clock
) -> None:
    clock.advance(days=-1)
    with raw.refused("23514"):
        insert_soundly(cash, bank)


def test_the_accounts_follow_whatever_the_owner_inserts(
    cash: Account, bank: Account, as_owner: str
) -> None:
    insert_soundly(cash, bank)
    cash.refresh_from_db()
    bank.refresh_from_db()
    assert (cash.balance, bank.balance) == (Decimal(85), Decimal(15))
    assert bank.entry_count == 2
    assert bytes(bank.chain_head) == b"x"


def test_what_the_owner_inserts_soundly_is_found_by_its_seal(
    cash: Account, bank: Account, as_owner: str
) -> None:
    insert_soundly(cash, bank)
    assert {fault.check for fault in verify().faults} == {"entries"}


def insert_soundly(cash: Account, bank: Account) -> None:
    with transaction.atomic():
        entry = raw.insert_journal(cash)
        lines = raw.next_line(bank, "debit", "5"), raw.next_line(cash, "credit", "5")
        raw.insert_lines(entry, *lines)


def test_entries_are_numbered_without_a_gap(cash: Account, bank: Account) -> None:
    for _ in range(4):
        move(cash, bank, "1.00")
    entries = LedgerEntry.objects.filter(account=bank).order_by("sequence")
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.balance_after for entry in entries] == [10, 11, 12, 13, 14]


def test_a_back_dated_entry_comes_last_and_counts_on_its_date(cash: Account, bank: Account) -> None:
    move(cash, bank, "7.00", effective_on=DAY - timedelta(days=30))
    last = LedgerEntry.objects.filter(account=bank).latest("sequence")
    assert (last.sequence, last.balance_after) == (2, Decimal(17))
    totals = DailyTotal.objects.filter(account=bank).order_by("on").values_list("on", "debit")
    assert list(totals) == [(date(2026, 1, 31), Decimal(7)), (DAY, Decimal(10))]


def test_instants_never_run_backwards_even_when_the_clock_does(
    cash: Account, bank: Account, clock: Clock
) -> None:
    clock.advance(days=-1)
    move(cash, bank, "1.00")
    first, second = LedgerEntry.objects.filter(account=bank).order_by("sequence")
    assert second.posted_at == first.posted_at
