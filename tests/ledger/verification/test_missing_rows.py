"""``verify_ledger`` finds rows that are missing or too many."""

import pytest

from ledger.models import Account
from ledger.services.anchoring import publish_heads
from ledger.services.verification import verify
from tests.ledger.verification.tampering import (
    Superuser,
    checks,
    cut,
    entry_of,
    make_numbers_follow,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_row_deleted_in_the_middle_is_found(cash: Account, intruder: Superuser) -> None:
    cut(intruder, entry_of(cash, 2))
    assert f"{cash.pk} entry 3" in {fault.place for fault in verify().faults}


def test_a_row_deleted_in_the_middle_and_numbers_made_to_follow_is_found(
    cash: Account, intruder: Superuser
) -> None:
    cut(intruder, entry_of(cash, 2))
    make_numbers_follow(intruder)
    assert checks(verify()) == {"entries"}


def test_a_missing_tail_is_found(cash: Account, intruder: Superuser) -> None:
    cut(intruder, entry_of(cash, 4))
    assert "accounts" in checks(verify())


def test_a_missing_tail_cut_with_its_head_is_found_by_the_published_one(
    cash: Account, bank: Account, intruder: Superuser
) -> None:
    publish_heads()
    cut(intruder, entry_of(cash, 4))
    make_numbers_follow(intruder)
    report = verify()
    assert checks(report) == {"anchors"}
    assert {fault.place for fault in report.faults} == {str(cash.pk), str(bank.pk)}
    assert "a tail was cut" in report.faults[0].detail


def test_a_missing_journal_entry_is_found(cash: Account, intruder: Superuser) -> None:
    intruder.execute("DELETE FROM ledger_journalentry WHERE id = %s", [entry_of(cash, 2)])
    assert "its journal entry is missing" in {fault.detail for fault in verify().faults}


def test_a_missing_account_is_found(cash: Account, bank: Account, intruder: Superuser) -> None:
    intruder.execute("DELETE FROM ledger_account WHERE id = %s", [bank.pk])
    assert "its account is missing" in {fault.detail for fault in verify().faults}


def test_a_missing_account_without_a_trace_is_found_by_the_published_head(
    cash: Account, bank: Account, intruder: Superuser
) -> None:
    publish_heads()
    for table in ("dailytotal", "ledgerentry"):
        intruder.execute(f"DELETE FROM ledger_{table} WHERE account_id = %s", [bank.pk])
    intruder.execute("DELETE FROM ledger_account WHERE id = %s", [bank.pk])
    assert str(bank.pk) in {fault.place for fault in verify().faults if fault.check == "anchors"}


def test_an_entry_that_bursar_did_not_write_is_found(
    cash: Account, bank: Account, intruder: Superuser
) -> None:
    copied = (
        "account_id, company_id, side, amount, currency, balance_after, effective_on, posted_at"
    )
    intruder.execute(
        f"INSERT INTO ledger_ledgerentry (id, sequence, chain_hash, journal_entry_id, {copied})"
        f" SELECT gen_random_uuid(), sequence + 1, chain_hash, journal_entry_id, {copied}"
        " FROM ledger_ledgerentry WHERE sequence = 4"
    )
    make_numbers_follow(intruder)
    assert "entries" in checks(verify())
