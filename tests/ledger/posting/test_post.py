"""Posting one journal entry, as the service promises it."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection
from psycopg.types.json import Jsonb

from ledger.chain import padded_keys
from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.refusals import InsufficientFunds
from ledger.rows import rows_of
from ledger.services.posting import (
    POST_MANY,
    POST_TWO,
    ReferenceReused,
    call_that_posts,
    facts_of,
    post,
)
from ledger.services.verification import verify
from tests.ledger import raw
from tests.ledger.factories import (
    DAY,
    UserFactory,
    book,
    credit,
    debit,
    give,
    move,
    open_account,
    posting,
    transfer,
)
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db


def test_a_posting_moves_money_between_accounts(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00")
    assert balances(cash, bank) == [70, 30]


def test_an_income_account_grows_by_credits(cash: Account, sales: Account) -> None:
    move(sales, cash, "30.00")
    assert balances(cash, sales) == [130, 30]


def test_a_journal_entry_keeps_what_it_was_told(cash: Account, bank: Account) -> None:
    person = UserFactory.create()
    wanted = transfer(cash, bank, "1.00", description="Tea", posted_by_id=person.pk)
    entry = JournalEntry.objects.get(pk=book(wanted))
    assert (entry.reference, entry.description) == (wanted.reference, "Tea")
    assert (entry.company, entry.effective_on, entry.posted_by) == (cash.company, DAY, person)


def test_a_posting_may_have_many_lines(cash: Account, bank: Account, sales: Account) -> None:
    lines = debit(cash, "6.00"), debit(bank, "4.00"), credit(sales, "10.00")
    book(posting(cash, *lines))
    assert balances(cash, bank, sales) == [106, 4, 10]


def test_a_posting_may_touch_one_account_twice(cash: Account, bank: Account) -> None:
    lines = debit(bank, "1.00"), debit(bank, "2.00"), credit(cash, "3.00")
    entry = book(posting(cash, *lines))
    after = LedgerEntry.objects.filter(journal_entry=entry, account=bank).order_by("sequence")
    assert [line.balance_after for line in after] == [1, 3]


def test_a_posting_may_balance_in_two_currencies(cash: Account, bank: Account) -> None:
    dollars = open_account(cash.company, currency="USD")
    exchange = open_account(cash.company, currency="USD")
    give(cash, "30.00")
    lines = debit(bank, "130.00"), credit(cash, "130.00"), debit(dollars, "1.00")
    book(posting(cash, *lines, credit(exchange, "1.00")))
    assert balances(bank, dollars, exchange) == [130, 1, -1]


def test_posting_the_same_reference_again_returns_the_first(cash: Account, bank: Account) -> None:
    first = book(transfer(cash, bank, "30.00", reference="r"))
    assert book(transfer(cash, bank, "30.00", reference="r")) == first
    assert balances(cash, bank) == [70, 30]


def test_the_same_reference_may_come_with_other_words_and_date(
    cash: Account, bank: Account
) -> None:
    first = book(transfer(cash, bank, "30.00", reference="r"))
    again = transfer(cash, bank, "30.00", reference="r", description="Retried next day")
    assert book(again) == first


def test_the_same_lines_in_another_order_are_the_same(cash: Account, bank: Account) -> None:
    wanted = transfer(cash, bank, "30.00", reference="r")
    assert book(wanted) == book(replace(wanted, lines=wanted.lines[::-1]))


@pytest.mark.parametrize("change", ["amount", "account", "direction", "reversal"])
def test_a_reference_stands_for_one_content(
    cash: Account, bank: Account, sales: Account, change: str
) -> None:
    first = move(cash, bank, "30.00", reference="r")
    other = {
        "amount": transfer(cash, bank, "31.00", reference="r"),
        "account": transfer(cash, sales, "30.00", reference="r"),
        "direction": transfer(bank, cash, "30.00", reference="r"),
        "reversal": transfer(cash, bank, "30.00", reference="r", reversal_of_id=first),
    }[change]
    with pytest.raises(ReferenceReused):
        book(other)
    assert balances(cash, bank) == [70, 30]


def test_a_reference_of_another_company_is_taken(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00", reference="r")
    theirs = open_account(balance="100.00")
    with pytest.raises(ReferenceReused):
        move(theirs, open_account(theirs.company), "30.00", reference="r")


def test_a_refusal_does_not_use_the_reference_up(cash: Account, bank: Account) -> None:
    with pytest.raises(InsufficientFunds):
        move(cash, bank, "100.01", reference="r")
    move(cash, bank, "99.00", reference="r")
    assert balances(bank) == [99]


@pytest.mark.django_db(transaction=True)
def test_posting_needs_a_transaction() -> None:
    account = open_account()
    with pytest.raises(RuntimeError, match="inside a command's transaction"):
        post(transfer(account, account, "1.00"))


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_stands_alone_is_a_transaction_by_itself(
    cash: Account, bank: Account
) -> None:
    wanted = transfer(cash, bank, "30.00")
    ((entry,),) = call_that_posts(POST_TWO, (*facts_of(wanted), *padded_keys()), alone=True)
    assert not connection.in_atomic_block
    assert JournalEntry.objects.get(reference=wanted.reference).pk == entry
    assert balances(cash, bank) == [70, 30]
    beyond = transfer(cash, bank, "70.01")
    with pytest.raises(InsufficientFunds):
        call_that_posts(POST_TWO, (*facts_of(beyond), *padded_keys()), alone=True)
    assert verify().holds


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_stands_alone_obeys_the_deferred_laws(cash: Account) -> None:
    nothing = Jsonb([raw.posting(cash, reference="empty")])
    with pytest.raises(IntegrityError, match="fewer than two lines"):
        rows_of(POST_MANY, (nothing, *padded_keys()))
    assert not JournalEntry.objects.filter(reference="empty").exists()
