"""A line has the company of its journal entry, and the company and currency of its account; both stay."""

import uuid
from collections.abc import Callable

import pytest

from ledger.models import Account, AccountType, LedgerEntry, Side
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, move, open_account

pytestmark = pytest.mark.django_db(transaction=True)
FOREIGN_KEY = "23503"


@pytest.fixture
def cash(as_owner: str) -> Account:
    return open_account(balance="100.00")


@pytest.fixture
def bank(cash: Account) -> Account:
    account = open_account(cash.company)
    move(cash, account, "10.00")
    return account


def test_the_owner_cannot_insert_a_line_of_another_company_than_its_account(
    cash: Account, bank: Account
) -> None:
    company = {"company_id": CompanyFactory.create().pk}
    with raw.refused(FOREIGN_KEY):
        entry = raw.insert_journal(cash, **company)
        debit = raw.next_line(bank, "debit", "1", **company)
        raw.insert_lines(entry, debit, raw.next_line(cash, "credit", "1", **company))


def test_the_owner_cannot_insert_a_line_of_another_company_than_its_journal_entry(
    cash: Account, bank: Account
) -> None:
    with raw.refused(FOREIGN_KEY):
        entry = raw.insert_journal(cash, company_id=CompanyFactory.create().pk)
        debit = raw.next_line(bank, "debit", "1")
        raw.insert_lines(entry, debit, raw.next_line(cash, "credit", "1"))


def test_the_owner_cannot_insert_a_line_of_another_currency_than_its_account(
    cash: Account, bank: Account
) -> None:
    with raw.refused(FOREIGN_KEY):
        entry = raw.insert_journal(cash)
        debit = raw.next_line(bank, "debit", "1", currency="USD")
        raw.insert_lines(entry, debit, raw.next_line(cash, "credit", "1", currency="USD"))


def test_one_line_among_many_that_does_not_belong_is_seen(cash: Account, bank: Account) -> None:
    stranger = open_account()
    with raw.refused(FOREIGN_KEY):
        entry = raw.insert_journal(cash)
        sound = [raw.next_line(bank, side, "1") for side in ("debit", "credit") * 10]
        lost = raw.next_line(stranger, "credit", "1", company_id=cash.company_id)
        raw.insert_lines(entry, *sound, raw.next_line(cash, "debit", "1"), lost)


def test_the_owner_cannot_insert_a_line_on_an_account_that_is_not_there(
    cash: Account, bank: Account
) -> None:
    nowhere = raw.next_line(bank, "debit", "1", account_id=uuid.uuid4(), sequence=1)
    with raw.refused(FOREIGN_KEY):
        raw.insert_lines(raw.insert_journal(cash), nowhere, raw.next_line(cash, "credit", "1"))


def test_the_owner_cannot_insert_lines_of_an_entry_that_is_not_there(
    cash: Account, bank: Account
) -> None:
    lines = raw.next_line(bank, "debit", "1"), raw.next_line(cash, "credit", "1")
    with raw.refused(FOREIGN_KEY):
        raw.insert_lines(uuid.uuid4(), *lines)


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM ledger_account",
        "TRUNCATE ledger_account CASCADE",
        "DELETE FROM ledger_journalentry",
        "TRUNCATE ledger_journalentry CASCADE",
        "UPDATE ledger_account SET id = gen_random_uuid()",
        "UPDATE ledger_account SET currency = 'USD'",
        "UPDATE ledger_account SET company_id = gen_random_uuid()",
        "UPDATE ledger_journalentry SET id = gen_random_uuid()",
        "UPDATE ledger_journalentry SET company_id = gen_random_uuid()",
    ],
)
def test_what_lines_belong_to_is_never_taken_from_under_them(bank: Account, attack: str) -> None:
    before = raw.rows_of(Account, LedgerEntry)
    with raw.refused():
        raw.run(attack)
    assert raw.rows_of(Account, LedgerEntry) == before


def saved(account: Account) -> None:
    account.save(force_insert=True)


def created_in_bulk(account: Account) -> None:
    Account.objects.bulk_create([account])


@pytest.mark.parametrize("way", [saved, created_in_bulk])
@pytest.mark.parametrize(("type", "side"), [("asset", "left"), ("x", "debit"), ("", "")])
def test_an_account_of_no_kind_is_refused(
    cash: Account, way: Callable[[Account], None], type: str, side: str
) -> None:
    account = Account(company=cash.company, code="new", name="New", currency="KES")
    account.type, account.normal_side = type, side
    with raw.refused():
        way(account)


@pytest.mark.parametrize("type", AccountType.values)
@pytest.mark.parametrize("side", Side.values)
def test_an_account_of_any_kind_is_opened(cash: Account, type: str, side: str) -> None:
    account = Account(company=cash.company, code="new", name="New", currency="KES")
    account.type, account.normal_side = type, side
    account.save(force_insert=True)
