"""Heads published outside the database tell what the database alone no longer can."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command

from ledger.models import Account, LedgerEntry
from ledger.services.anchoring import mail_heads, publish_heads
from ledger.services.verification import verify
from tests.ledger.factories import book, move, transfer
from tests.ledger.verification.tampering import Superuser, checks, entry_of, rewrite

pytestmark = pytest.mark.django_db(transaction=True)


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
