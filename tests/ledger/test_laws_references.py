"""Law 4: a reference is posted once, a journal entry is reversed once."""

import pytest

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.services.verification import verify
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, move, open_account

pytestmark = pytest.mark.django_db(transaction=True)
UNIQUE = "23505"


@pytest.fixture
def cash() -> Account:
    return open_account(balance="100.00")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company)


def test_a_call_that_is_repeated_to_the_letter_is_refused(cash: Account, bank: Account) -> None:
    wanted = raw.balanced(cash, bank, "10")
    raw.call_post(wanted)
    with raw.refused(UNIQUE):
        raw.call_post(wanted)
    assert LedgerEntry.objects.filter(account=bank).count() == 1


def test_the_id_of_an_earlier_entry_is_nobodys_to_use_again(cash: Account, bank: Account) -> None:
    (entry,) = raw.call_post(raw.balanced(cash, bank, "10"))
    with raw.refused(UNIQUE):
        raw.call_post(raw.balanced(cash, bank, "10", id=str(entry)))


def test_a_known_reference_returns_its_entry_and_writes_nothing(
    cash: Account, bank: Account
) -> None:
    first = raw.call_post(raw.balanced(cash, bank, "10", reference="r"))
    written = raw.rows_of(JournalEntry, LedgerEntry, Account)
    assert raw.call_post(raw.balanced(cash, bank, "10", reference="r")) == first
    assert raw.rows_of(JournalEntry, LedgerEntry, Account) == written


def test_a_known_reference_with_other_content_is_refused(cash: Account, bank: Account) -> None:
    raw.call_post(raw.balanced(cash, bank, "10", reference="r"))
    with raw.refused(UNIQUE):
        raw.call_post(raw.balanced(cash, bank, "11", reference="r"))


def test_the_owner_cannot_insert_a_reference_twice(
    cash: Account, bank: Account, as_owner: str
) -> None:
    move(cash, bank, "1.00", reference="r")
    with raw.refused(UNIQUE):
        raw.insert_journal(cash, reference="r")


def test_a_second_reversal_is_refused(cash: Account, bank: Account) -> None:
    (entry,) = raw.call_post(raw.balanced(cash, bank, "10"))
    raw.call_post(raw.balanced(bank, cash, "10", reversal_of=str(entry)))
    with raw.refused(UNIQUE):
        raw.call_post(raw.balanced(bank, cash, "10", reversal_of=str(entry)))


def test_a_reversal_stays_within_its_company(cash: Account, bank: Account) -> None:
    (entry,) = raw.call_post(raw.balanced(cash, bank, "10"))
    ours = open_account(CompanyFactory.create(), balance="10")
    with raw.refused("23503"):
        raw.call_post(raw.balanced(ours, open_account(ours.company), "10", reversal_of=str(entry)))


def test_what_is_refused_leaves_no_gap_in_the_numbers(cash: Account, bank: Account) -> None:
    with raw.refused():
        raw.call_post(raw.posting(cash, raw.line(bank, "debit", "1")))
    move(cash, bank, "1.00")
    assert bank.entry_count == 1
    assert verify().holds
