"""Law 5: every entry is sealed under one key, which the database never keeps."""

import hashlib
import hmac

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, transaction

from ledger.chain import padded_keys
from ledger.models import Account, LedgerEntry
from ledger.services.posting import post
from tests.ledger import raw
from tests.ledger.factories import move, open_account, transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cash() -> Account:
    return open_account(balance="100.00")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company)


def hmac_by_pads(key: bytes, text: bytes) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "BURSAR_CHAIN_KEY", key)
        inner, outer = padded_keys()
    return hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).digest()


@pytest.mark.parametrize("key", [b"k", b"k" * 64, b"k" * 65, b"k" * 200])
def test_the_padded_keys_make_the_standard_hmac(key: bytes) -> None:
    assert hmac_by_pads(key, b"text") == hmac.digest(key, b"text", "sha256")


def test_another_key_is_refused(cash: Account, bank: Account) -> None:
    inner, outer = padded_keys()
    with raw.refused(raw.FORBIDDEN):
        raw.call_post(raw.balanced(cash, bank, "1"), keys=(inner[::-1], outer[::-1]))
    assert not LedgerEntry.objects.filter(account=bank).exists()


@pytest.mark.parametrize("keys", [(None, None), (b"", None)])
def test_no_key_is_refused(
    cash: Account, bank: Account, keys: tuple[bytes | None, bytes | None]
) -> None:
    with raw.refused():
        raw.call_post(raw.balanced(cash, bank, "1"), keys=keys)


def test_a_process_with_another_key_fails_loudly(
    cash: Account, bank: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BURSAR_CHAIN_KEY", b"the key of another instance, as it were")
    with pytest.raises(ProgrammingError, match="not the key that seals this ledger"):
        move(cash, bank, "1.00")


def test_the_fingerprint_of_the_key_never_changes(cash: Account, attacker: str) -> None:
    for attack in (
        "UPDATE ledger_chainkey SET fingerprint = 'x'",
        "DELETE FROM ledger_chainkey",
        "TRUNCATE ledger_chainkey",
        "INSERT INTO ledger_chainkey (fingerprint) VALUES ('x')",
    ):
        with raw.refused():
            raw.run(attack)


def test_the_fingerprint_does_not_tell_the_key(
    cash: Account, superuser_connection: psycopg.Connection
) -> None:
    row = superuser_connection.execute("SELECT fingerprint FROM ledger_chainkey").fetchone()
    assert row == (hmac.digest(settings.BURSAR_CHAIN_KEY, b"bursar chain key", "sha256"),)


def test_the_key_is_in_no_statement(
    cash: Account, bank: Account, superuser_connection: psycopg.Connection
) -> None:
    with transaction.atomic():
        post(transfer(cash, bank, "1.00"))
        rows = superuser_connection.execute("SELECT query FROM pg_stat_activity").fetchall()
    facts = ", ".join(f"${number}" for number in range(1, 21))
    assert (f"SELECT ledger_post_two({facts})",) in rows


def test_each_seal_is_another(cash: Account, bank: Account) -> None:
    for _ in range(3):
        move(cash, bank, "1.00")
    seals = {bytes(seal) for seal in LedgerEntry.objects.values_list("chain_hash", flat=True)}
    assert len(seals) == LedgerEntry.objects.count()
    assert {len(seal) for seal in seals} == {32}


def test_the_head_stands_on_the_account(cash: Account, bank: Account) -> None:
    move(cash, bank, "1.00")
    last = LedgerEntry.objects.filter(account=bank).latest("sequence")
    assert bytes(bank.chain_head) == bytes(last.chain_hash)
