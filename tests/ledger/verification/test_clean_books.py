"""``verify_ledger`` finds nothing in clean books, and says what it looked at."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from ledger.models import Account
from ledger.services.anchoring import publish_heads
from ledger.services.verification import verify
from tests.ledger.verification.tampering import Superuser

pytestmark = pytest.mark.django_db(transaction=True)


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
