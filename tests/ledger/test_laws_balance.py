"""Law 1: a journal entry has two or more lines and balances in each currency."""

import uuid

import psycopg
import pytest
from django.db import connection, transaction

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.services.verification import verify
from tests.ledger import raw
from tests.ledger.factories import CompanyFactory, move, open_account

pytestmark = pytest.mark.django_db(transaction=True)
CHECK = "23514"
FOREIGN_KEY = "23503"


@pytest.fixture
def accounts() -> tuple[Account, Account]:
    company = CompanyFactory.create()
    return open_account(company, balance="100.00"), open_account(company)


@pytest.fixture
def dollars(accounts: tuple[Account, Account]) -> Account:
    return open_account(accounts[0].company, currency="USD")


def test_an_unbalanced_entry_is_refused(accounts: tuple[Account, Account]) -> None:
    cash, bank = accounts
    lines = raw.line(bank, "debit", "10"), raw.line(cash, "credit", "9")
    with raw.refused(CHECK):
        raw.call_post(raw.posting(cash, *lines))
    assert not LedgerEntry.objects.filter(account=bank).exists()


def test_an_entry_with_one_line_is_refused(accounts: tuple[Account, Account]) -> None:
    with raw.refused(CHECK):
        raw.call_post(raw.posting(accounts[0], raw.line(accounts[0], "debit", "10")))


@pytest.mark.parametrize("lines", [{}, {"lines": []}])
def test_an_entry_without_lines_is_refused(
    accounts: tuple[Account, Account], lines: dict[str, object]
) -> None:
    wanted = raw.posting(accounts[0], reference="empty")
    del wanted["lines"]
    with raw.refused(CHECK):
        raw.call_post(wanted | lines)
    assert not JournalEntry.objects.filter(reference="empty").exists()


def test_one_leg_in_shillings_and_one_in_dollars_is_refused(
    accounts: tuple[Account, Account], dollars: Account
) -> None:
    lines = raw.line(dollars, "debit", "10"), raw.line(accounts[0], "credit", "10")
    with raw.refused(CHECK):
        raw.call_post(raw.posting(accounts[0], *lines))


def test_a_line_in_another_currency_than_its_account_is_refused(
    accounts: tuple[Account, Account], dollars: Account
) -> None:
    lines = raw.line(dollars, "debit", "10", currency="KES"), raw.line(accounts[0], "credit", "10")
    with raw.refused(FOREIGN_KEY):
        raw.call_post(raw.posting(accounts[0], *lines))


def test_a_line_on_another_companys_account_is_refused(accounts: tuple[Account, Account]) -> None:
    elsewhere = open_account()
    with raw.refused(FOREIGN_KEY):
        raw.call_post(raw.balanced(accounts[0], elsewhere, "10"))


def test_a_line_on_an_unknown_account_does_not_get_lost(accounts: tuple[Account, Account]) -> None:
    cash, bank = accounts
    nowhere = Account(company=cash.company, currency="KES")
    lost = raw.line(nowhere, "debit", "5"), raw.line(nowhere, "credit", "5")
    found = raw.line(bank, "debit", "10"), raw.line(cash, "credit", "10")
    with raw.refused(FOREIGN_KEY):
        raw.call_post(raw.posting(cash, *found, *lost))


@pytest.mark.parametrize("amount", ["0", "-10", "NaN", "0.00001", "10.00001", None])
def test_an_amount_that_is_none_is_refused(
    accounts: tuple[Account, Account], amount: str | None
) -> None:
    lines = raw.line(accounts[1], "debit", amount), raw.line(accounts[0], "credit", amount)
    with raw.refused():
        raw.call_post(raw.posting(accounts[0], *lines))


@pytest.mark.parametrize("amount", ["1e20", "Infinity"])
def test_an_amount_that_no_column_holds_is_refused(
    accounts: tuple[Account, Account], amount: str
) -> None:
    lines = raw.line(accounts[1], "debit", amount), raw.line(accounts[0], "credit", amount)
    with raw.refused("22003", "23514", "22P02"):
        raw.call_post(raw.posting(accounts[0], *lines))


@pytest.mark.parametrize("side", ["DEBIT", "", None])
def test_a_line_is_a_debit_or_a_credit(accounts: tuple[Account, Account], side: str | None) -> None:
    lines = raw.line(accounts[1], "debit", "1"), raw.line(accounts[0], side, "1")
    with raw.refused():
        raw.call_post(raw.posting(accounts[0], *lines))


def test_the_owner_cannot_insert_an_unbalanced_entry(
    accounts: tuple[Account, Account], as_owner: str
) -> None:
    cash, bank = accounts
    with raw.refused(CHECK):
        entry = raw.insert_journal(cash)
        lines = raw.next_line(bank, "debit", "10"), raw.next_line(cash, "credit", "9")
        raw.insert_lines(entry, *lines)


def test_the_owner_cannot_insert_an_entry_without_lines(
    accounts: tuple[Account, Account], as_owner: str
) -> None:
    with raw.refused(CHECK):
        raw.insert_journal(accounts[0])


def test_the_owner_cannot_insert_an_entry_of_no_company(
    accounts: tuple[Account, Account], as_owner: str
) -> None:
    cash, bank = accounts
    nowhere = {"company_id": uuid.uuid4()}
    with raw.refused(FOREIGN_KEY):
        entry = raw.insert_journal(cash, **nowhere)
        debit = raw.next_line(bank, "debit", "10", **nowhere)
        raw.insert_lines(entry, debit, raw.next_line(cash, "credit", "10", **nowhere))


@pytest.mark.parametrize("amounts", [("5", "4"), ("5", None)])
def test_a_late_line_on_an_older_entry_is_refused(
    accounts: tuple[Account, Account], as_owner: str, amounts: tuple[str, str | None]
) -> None:
    cash, bank = accounts
    entry = move(cash, bank, "10.00")
    debited, credited = amounts
    lines = [raw.next_line(bank, "debit", debited)]
    lines += [raw.next_line(cash, "credit", credited)] if credited else []
    with raw.refused(CHECK):
        raw.insert_lines(entry, *lines)


def test_a_line_cannot_slip_in_between_two_checks(
    accounts: tuple[Account, Account], as_owner: str
) -> None:
    cash, bank = accounts
    with raw.refused(CHECK), connection.cursor() as cursor:
        entry = raw.insert_journal(cash)
        lines = raw.next_line(bank, "debit", "10"), raw.next_line(cash, "credit", "10")
        raw.insert_lines(entry, *lines)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        raw.insert_lines(entry, raw.next_line(bank, "debit", "1"))


HALF_BY_HALF = "INSERT INTO ledger_ledgerentry SELECT * FROM half WHERE side = '{}'"
IN_PARTS = {
    "two statements": [HALF_BY_HALF.format(side) for side in ("debit", "credit")],
    "two parts of one statement": [
        "UPDATE half SET amount = 9 WHERE side = 'credit'",
        f"WITH first AS ({HALF_BY_HALF.format('debit')}) {HALF_BY_HALF.format('credit')}",
    ],
    "merge": [
        (
            "MERGE INTO ledger_ledgerentry kept USING (SELECT * FROM half WHERE side = 'debit') new"
            " ON kept.id = new.id WHEN NOT MATCHED THEN INSERT (id, journal_entry_id, account_id, company_id,"
            " sequence, side, amount, currency, balance_after, effective_on, posted_at, chain_hash)"
            " VALUES (new.id, new.journal_entry_id, new.account_id, new.company_id, new.sequence, new.side,"
            " new.amount, new.currency, new.balance_after, new.effective_on, new.posted_at, new.chain_hash)"
        )
    ],
    "a conflict": [f"{HALF_BY_HALF.format('debit')} ON CONFLICT DO NOTHING"],
    "no number": [
        "UPDATE half SET amount = 'NaN'",
        "INSERT INTO ledger_ledgerentry SELECT * FROM half",
    ],
}


@pytest.mark.parametrize("way", IN_PARTS)
def test_an_entry_in_parts_that_do_not_balance_is_refused(
    accounts: tuple[Account, Account], as_owner: str, way: str
) -> None:
    """At commit lines are only counted, so what does not balance must never get in."""
    cash, bank = accounts
    with raw.refused(CHECK), connection.cursor() as cursor:
        entry = raw.insert_journal(cash)
        cursor.execute("CREATE TEMPORARY TABLE half (LIKE ledger_ledgerentry) ON COMMIT DROP")
        raw.insert_lines(
            entry,
            raw.next_line(bank, "debit", "10"),
            raw.next_line(cash, "credit", "10"),
            table="half",
        )
        cursor.execute(
            "SET LOCAL search_path = pg_temp, public; CREATE TEMPORARY VIEW added AS TABLE half"
        )
        for statement in IN_PARTS[way]:
            cursor.execute(statement)


@pytest.mark.parametrize("table", ["ledger_journalentry", "ledger_ledgerentry"])
def test_the_application_writes_the_journal_through_functions_alone(
    accounts: tuple[Account, Account], table: str
) -> None:
    with raw.refused(raw.FORBIDDEN):
        raw.run(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 0")


def test_a_temporary_table_of_the_same_name_deceives_no_check(
    accounts: tuple[Account, Account], runtime_connection: psycopg.Connection
) -> None:
    cash, bank = accounts
    lines = raw.line(bank, "debit", "10"), raw.line(cash, "credit", "9")
    wanted = raw.posting(cash, *lines)
    decoy = (
        "CREATE TEMPORARY TABLE ledger_ledgerentry"
        " (journal_entry_id uuid, currency text, side text, amount numeric);"
        f"INSERT INTO ledger_ledgerentry VALUES ('{wanted['id']}', 'KES', 'debit', 1),"
        f" ('{wanted['id']}', 'KES', 'credit', 1)"
    )
    with raw.refused(CHECK):
        raw.run(decoy)
        raw.call_post(wanted)


def test_a_savepoint_does_not_weaken_the_check(accounts: tuple[Account, Account]) -> None:
    cash, bank = accounts
    lines = raw.line(bank, "debit", "10"), raw.line(cash, "credit", "9")
    with raw.refused(CHECK), transaction.atomic():
        raw.call_post(raw.posting(cash, *lines))


def test_a_balanced_entry_passes(accounts: tuple[Account, Account]) -> None:
    raw.call_post(raw.balanced(*accounts, "10"))
    assert verify().holds
