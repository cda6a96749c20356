"""``verify_ledger`` finds what even PostgreSQL's superuser has done to the books."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import transaction

from ledger.models import Account, JournalEntry, LedgerEntry
from ledger.services.anchoring import mail_heads, publish_heads
from ledger.services.posting import release, reverse
from ledger.services.verification import Report, verify
from tests.ledger.factories import (
    DAY,
    CompanyFactory,
    UserFactory,
    book,
    keep,
    move,
    open_account,
    transfer,
)
from tests.properties.reference_ledger import seal_entry

pytestmark = pytest.mark.django_db(transaction=True)
Superuser = psycopg.Connection


@pytest.fixture
def anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kept" / "anchor.jsonl"
    monkeypatch.setattr(settings, "BURSAR_ANCHOR", path)
    return path


@pytest.fixture
def cash(anchor: Path) -> Account:
    """An account with four entries: three postings and the reversal of one; and a hold."""
    cash = open_account(balance="100.00")
    bank = open_account(cash.company, code="bank")
    move(cash, bank, "10.00", posted_by_id=UserFactory.create().pk)
    entry = move(cash, bank, "20.00")
    with transaction.atomic():
        reverse(journal_entry_id=entry, reference="undo", description="", effective_on=DAY)
    keep(cash, "5.00", "open")
    keep(cash, "6.00", "ended")
    with transaction.atomic():
        release(reference="ended")
    return Account.objects.get(pk=cash.pk)


@pytest.fixture
def bank(cash: Account) -> Account:
    return Account.objects.get(code="bank")


@pytest.fixture
def intruder(cash: Account, superuser_connection: Superuser) -> Superuser:
    """The superuser, with triggers and foreign keys asleep."""
    superuser_connection.execute("SET session_replication_role = replica")
    return superuser_connection


def checks(report: Report) -> set[str]:
    return {fault.check for fault in report.faults}


# --- Nothing wrong ----------------------------------------------------------------------------------------


def test_clean_books_hold(cash: Account) -> None:
    publish_heads()
    report = verify()
    assert report.holds
    assert (report.entries, report.accounts, report.anchored) == (8, 3, 3)


def test_empty_books_hold(anchor: Path) -> None:
    assert verify().holds


def test_the_command_says_what_it_looked_at(cash: Account) -> None:
    publish_heads()
    said = StringIO()
    call_command("verify_ledger", stdout=said)
    assert said.getvalue() == "8 entries in 3 accounts agree; 3 published heads agree.\n"


def test_the_command_is_quiet_when_told(cash: Account) -> None:
    said = StringIO()
    call_command("verify_ledger", "--quiet", stdout=said)
    assert said.getvalue() == ""


def test_the_command_names_what_differs_and_fails(cash: Account, intruder: Superuser) -> None:
    intruder.execute("UPDATE ledger_ledgerentry SET amount = 11 WHERE sequence = 3")
    said, wrong = StringIO(), StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("verify_ledger", stdout=said, stderr=wrong)
    assert caught.value.code == 1
    assert f"entries: {cash.pk} entry 3: its balance does not follow" in wrong.getvalue()
    assert said.getvalue() == ""


# --- An edited row ----------------------------------------------------------------------------------------

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


def make_numbers_follow(intruder: Superuser) -> None:
    """Recompute every balance, account row and daily total, as a careful intruder would."""
    intruder.execute(
        # Out of the way first: numbers are unique at each row of a statement, in whatever order it goes.
        "UPDATE ledger_ledgerentry SET sequence = sequence + 1000000;"
        "UPDATE ledger_ledgerentry entry SET balance_after = due.balance, sequence = due.number FROM ("
        "  SELECT line.id, sum(CASE WHEN line.side = account.normal_side THEN amount ELSE -amount END)"
        "      OVER history AS balance, count(*) OVER history AS number"
        "  FROM ledger_ledgerentry line JOIN ledger_account account ON account.id = line.account_id"
        "  WINDOW history AS (PARTITION BY line.account_id ORDER BY line.sequence)) due"
        " WHERE due.id = entry.id;"
        "UPDATE ledger_account account SET balance = last.balance_after, entry_count = last.sequence,"
        "    chain_head = last.chain_hash, last_posted_at = last.posted_at"
        "  FROM (SELECT DISTINCT ON (account_id) * FROM ledger_ledgerentry"
        "        ORDER BY account_id, sequence DESC) last WHERE last.account_id = account.id;"
        "DELETE FROM ledger_dailytotal;"
        'INSERT INTO ledger_dailytotal (account_id, "on", debit, credit)'
        "  SELECT account_id, effective_on, coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0),"
        "      coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)"
        "  FROM ledger_ledgerentry GROUP BY account_id, effective_on"
    )


# --- A row that is missing or too many --------------------------------------------------------------------


def cut(intruder: Superuser, entry: Any) -> None:
    intruder.execute("DELETE FROM ledger_ledgerentry WHERE journal_entry_id = %s", [entry])
    intruder.execute("DELETE FROM ledger_journalentry WHERE id = %s", [entry])


def entry_of(account: Account, sequence: int) -> Any:
    return LedgerEntry.objects.get(account=account, sequence=sequence).journal_entry_id


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


# --- A full rewrite ---------------------------------------------------------------------------------------


def rewrite(intruder: Superuser) -> None:
    """Seal every entry anew under the right key, as somebody could who has stolen it."""
    make_numbers_follow(intruder)
    with transaction.atomic():
        for account in Account.objects.all():
            seal = b""
            lines = LedgerEntry.objects.filter(account=account).select_related("journal_entry")
            for line in lines.order_by("sequence"):
                seal = seal_entry(settings.BURSAR_CHAIN_KEY, seal, line)
                intruder.execute(
                    "UPDATE ledger_ledgerentry SET chain_hash = %s WHERE id = %s", [seal, line.pk]
                )
    make_numbers_follow(intruder)


def test_the_rewrite_of_clean_books_changes_no_seal(cash: Account, intruder: Superuser) -> None:
    before = list(LedgerEntry.objects.order_by("pk").values_list("chain_hash", flat=True))
    rewrite(intruder)
    assert list(LedgerEntry.objects.order_by("pk").values_list("chain_hash", flat=True)) == before
    assert verify().holds


def test_a_full_rewrite_with_the_right_key_is_found_by_the_published_heads(
    cash: Account, bank: Account, intruder: Superuser
) -> None:
    publish_heads()
    entry = entry_of(cash, 2)
    intruder.execute(
        "UPDATE ledger_ledgerentry SET amount = 4 WHERE journal_entry_id = %s", [entry]
    )
    rewrite(intruder)
    report = verify()
    assert checks(report) == {"anchors"}
    assert {fault.place for fault in report.faults} == {str(cash.pk), str(bank.pk)}
    assert "the ledger was rewritten" in report.faults[0].detail


def test_another_key_is_named_as_the_reason(cash: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BURSAR_CHAIN_KEY", b"another key, of another instance, so long")
    assert verify().faults[0].check == "key"


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


# --- The published heads ----------------------------------------------------------------------------------


def test_heads_are_published_once(cash: Account, anchor: Path) -> None:
    assert (publish_heads(), publish_heads()) == (3, 0)
    assert len(anchor.read_text().splitlines()) == 3


def test_only_accounts_that_moved_are_published_again(cash: Account, bank: Account) -> None:
    publish_heads()
    move(cash, bank, "1.00")
    assert publish_heads() == 2
    assert verify().holds


def edit_line(change: Callable[[dict[str, Any]], object]) -> Callable[[list[str]], list[str]]:
    def edit(lines: list[str]) -> list[str]:
        facts = json.loads(lines[1])
        change(facts)
        return [lines[0], json.dumps(facts) + "\n", *lines[2:]]

    return edit


FORGERIES: dict[str, Callable[[list[str]], list[str]]] = {
    "another head": edit_line(lambda facts: facts.update(head="00" * 32)),
    "another number": edit_line(lambda facts: facts.update(entries=facts["entries"] + 1)),
    "another account": edit_line(lambda facts: facts.update(account="0" * 32)),
    "another instant": edit_line(lambda facts: facts.update(at="2020-01-01T00:00:00+00:00")),
    "another seal": edit_line(lambda facts: facts.update(seal="00" * 32)),
    "no seal": edit_line(lambda facts: facts.pop("seal")),
    "a line cut from the middle": lambda lines: [lines[0], *lines[2:]],
    "a line cut from the start": lambda lines: lines[1:],
    "two lines swapped": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a line twice": lambda lines: [lines[0], *lines],
    "no JSON": lambda lines: [lines[0], "{\n", *lines[2:]],
    "JSON of another kind": lambda lines: [lines[0], "[]\n", *lines[2:]],
    "an empty line": lambda lines: [lines[0], "\n", *lines[1:]],
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_an_edited_anchor_file_is_found(
    cash: Account, anchor: Path, forge: Callable[[list[str]], list[str]]
) -> None:
    publish_heads()
    lines = anchor.read_text().splitlines(keepends=True)
    anchor.write_text("".join(forge(lines)))
    assert "anchor file" in checks(verify())


def test_a_file_that_is_not_text_is_found(cash: Account, anchor: Path) -> None:
    publish_heads()
    anchor.write_bytes(anchor.read_bytes() + b"\xff\xfe\n")
    assert "anchor file" in checks(verify())


def test_a_line_that_was_torn_is_found_and_the_next_ones_go_on(
    cash: Account, bank: Account, anchor: Path
) -> None:
    publish_heads()
    anchor.write_bytes(anchor.read_bytes() + b'{"account": "torn')
    move(cash, bank, "1.00")
    publish_heads()
    report = verify()
    assert [fault.place for fault in report.faults] == ["line 4"]
    assert len(anchor.read_text().splitlines()) == 6


def test_the_seal_of_the_last_line_is_mailed(cash: Account, anchor: Path) -> None:
    publish_heads()
    settings.BURSAR_ANCHOR_MAIL, before = ["cfo@example.com"], settings.BURSAR_ANCHOR_MAIL
    try:
        assert mail_heads() == 1
    finally:
        settings.BURSAR_ANCHOR_MAIL = before
    assert json.loads(anchor.read_text().splitlines()[-1])["seal"] in mail.outbox[0].body


def test_a_mailed_seal_is_found_in_the_file_for_ever_after(
    cash: Account, bank: Account, anchor: Path
) -> None:
    publish_heads()
    mailed = json.loads(anchor.read_text().splitlines()[-1])["seal"]
    move(cash, bank, "1.00")
    publish_heads()
    assert verify([mailed]).holds


def test_an_anchor_file_rewritten_with_the_right_key_is_found_by_a_mailed_seal(
    cash: Account, anchor: Path
) -> None:
    publish_heads()
    mailed = json.loads(anchor.read_text().splitlines()[-1])["seal"]
    anchor.unlink()
    publish_heads()
    assert verify().holds
    assert checks(verify([mailed])) == {"mailed seal"}
    with pytest.raises(SystemExit):
        call_command("verify_ledger", "--seal", mailed, stderr=StringIO())


def test_a_posting_between_two_publications_breaks_nothing(cash: Account, bank: Account) -> None:
    publish_heads()
    book(transfer(cash, bank, "1.00"))
    assert verify().holds
