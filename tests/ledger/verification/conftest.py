"""Books with postings, a reversal and holds; the anchor beside them, and who tampers with them."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from ledger.models import Account
from ledger.services.posting import release, reverse
from tests.ledger.factories import DAY, UserFactory, keep, move, open_account
from tests.ledger.verification.tampering import Superuser


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
