"""``verify_ledger`` finds every column that was edited, and every number that drifted."""

import pytest

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.services.verification import verify
from tests.ledger.factories import CompanyFactory
from tests.ledger.verification.tampering import Superuser, checks, make_numbers_follow

pytestmark = pytest.mark.django_db(transaction=True)


# Every column of the two tables, and another value for it.
EDITS: list[tuple[type[JournalEntry | LedgerEntry], str, str]] = [
    (JournalEntry, "id", "gen_random_uuid()"),
    (JournalEntry, "company_id", "(SELECT id FROM ledger_company WHERE code = 'other')"),
    (JournalEntry, "reference", "'another'"),
    (JournalEntry, "description", "'another'"),
    (JournalEntry, "effective_on", "effective_on - 1"),
    (JournalEntry, "posted_at", "posted_at + interval '1 microsecond'"),
    (JournalEntry, "posted_by_id", "NULL"),
    (
        JournalEntry,
        "reversal_of_id",
        "(SELECT id FROM ledger_journalentry WHERE reference = 'undo')",
    ),
    (JournalEntry, "content_hash", "content_hash || '\\x00'"),
    (LedgerEntry, "id", "gen_random_uuid()"),
    (
        LedgerEntry,
        "journal_entry_id",
        "(SELECT id FROM ledger_journalentry WHERE reference = 'undo')",
    ),
    (LedgerEntry, "account_id", "(SELECT id FROM ledger_account WHERE type = 'equity')"),
    (LedgerEntry, "company_id", "(SELECT id FROM ledger_company WHERE code = 'other')"),
    (LedgerEntry, "sequence", "sequence + 10"),
    (LedgerEntry, "side", "CASE side WHEN 'debit' THEN 'credit' ELSE 'debit' END"),
    (LedgerEntry, "amount", "amount + 0.0001"),
    (LedgerEntry, "currency", "'USD'"),
    (LedgerEntry, "balance_after", "balance_after + 1"),
    (LedgerEntry, "effective_on", "effective_on + 1"),
    (LedgerEntry, "posted_at", "posted_at - interval '1 microsecond'"),
    (LedgerEntry, "chain_hash", "sha256(chain_hash)"),
]


def test_every_column_is_tried() -> None:
    tried = {(model, column) for model, column, _ in EDITS}
    there = {
        (model, field.column)
        for model in (JournalEntry, LedgerEntry)
        for field in model._meta.fields
    }
    assert tried == there


@pytest.mark.parametrize(
    ("model", "column", "value"),
    EDITS,
    ids=[f"{model.__name__}.{name}" for model, name, _ in EDITS],
)
def test_an_edited_column_is_found(
    cash: Account,
    intruder: Superuser,
    model: type[JournalEntry | LedgerEntry],
    column: str,
    value: str,
) -> None:
    CompanyFactory.create(code="other")
    second = LedgerEntry.objects.get(account=cash, sequence=2)
    row = second.pk if model is LedgerEntry else second.journal_entry_id
    table = model._meta.db_table
    changed = intruder.execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [row])
    assert changed.rowcount == 1
    assert not verify().holds


def test_the_first_row_that_differs_is_named_first(cash: Account, intruder: Superuser) -> None:
    intruder.execute(
        "UPDATE ledger_ledgerentry SET chain_hash = '' WHERE account_id = %s AND sequence > 2",
        [cash.pk],
    )
    assert verify().faults[0].place == f"{cash.pk} entry 3"


def test_an_edited_row_is_the_only_one_named(cash: Account, intruder: Superuser) -> None:
    intruder.execute(
        "UPDATE ledger_ledgerentry SET amount = 1 WHERE account_id = %s AND sequence = 2", [cash.pk]
    )
    places = [fault.place for fault in verify().faults if fault.check == "entries"]
    assert places == [f"{cash.pk} entry 2"]


def test_an_amount_edited_on_both_sides_with_every_balance_is_found(
    cash: Account, intruder: Superuser
) -> None:
    entry = LedgerEntry.objects.get(account=cash, sequence=2).journal_entry_id
    intruder.execute(
        "UPDATE ledger_ledgerentry SET amount = 4 WHERE journal_entry_id = %s", [entry]
    )
    make_numbers_follow(intruder)
    assert checks(verify()) == {"entries"}


# --- Numbers that drifted ---------------------------------------------------------------------------------

DRIFTS = {
    "balance": ("UPDATE ledger_account SET balance = balance + 1 WHERE code = 'bank'", "accounts"),
    "held": ("UPDATE ledger_account SET held = held + 1 WHERE code = 'bank'", "accounts"),
    "count": ("UPDATE ledger_account SET entry_count = 1 WHERE code = 'bank'", "accounts"),
    "head": ("UPDATE ledger_account SET chain_head = '' WHERE code = 'bank'", "accounts"),
    "instant": ("UPDATE ledger_account SET last_posted_at = NULL WHERE code = 'bank'", "accounts"),
    "normal side": (
        "UPDATE ledger_account SET normal_side = 'credit' WHERE code = 'bank'",
        "entries",
    ),
    "currency": ("UPDATE ledger_account SET currency = 'USD' WHERE code = 'bank'", "entries"),
    "a hold's amount": ("UPDATE ledger_hold SET amount = 1 WHERE reference = 'open'", "accounts"),
    "a hold lost": ("DELETE FROM ledger_hold WHERE reference = 'open'", "accounts"),
    "a release lost": ("DELETE FROM ledger_holdrelease", "accounts"),
    "a daily total": ("UPDATE ledger_dailytotal SET debit = debit + 1", "daily totals"),
    "a daily total lost": ("DELETE FROM ledger_dailytotal", "daily totals"),
    "a daily total too many": (
        "UPDATE ledger_dailytotal SET \"on\" = '2020-01-01'",
        "daily totals",
    ),
}


@pytest.mark.parametrize(("drift", "check"), DRIFTS.values(), ids=DRIFTS.keys())
def test_a_number_that_drifted_is_found(
    cash: Account, intruder: Superuser, drift: str, check: str
) -> None:
    intruder.execute(drift)
    assert check in checks(verify())


def test_an_unbalanced_entry_is_found(cash: Account, intruder: Superuser) -> None:
    intruder.execute("UPDATE ledger_ledgerentry SET amount = 1 WHERE account_id = %s", [cash.pk])
    assert "its debits and credits differ" in {fault.detail for fault in verify().faults}


def test_an_entry_without_lines_is_found(cash: Account, intruder: Superuser) -> None:
    intruder.execute("DELETE FROM ledger_ledgerentry WHERE sequence = 4")
    assert "it has fewer than two lines" in {fault.detail for fault in verify().faults}
