"""What is secret at rest: encrypted in the database, found by a keyed hash, masked for the eye."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db import connection, models, transaction
from django.test.utils import isolate_apps
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from ledger.encryption import (
    EncryptedTextField,
    Undecryptable,
    blind_index,
    decrypt,
    encrypt,
    mask,
    reencrypt,
)

CANARY = "+254712345678"


def use_keys(settings: Settings, *keys: str) -> None:
    settings.BURSAR_ENCRYPTION_KEYS = list(keys)


def new_key() -> str:
    return Fernet.generate_key().decode()


@given(text=st.text())
def test_what_is_encrypted_is_read_back(text: str) -> None:
    assert decrypt(encrypt(text)) == text


def test_no_two_encryptions_are_alike() -> None:
    assert encrypt(CANARY) != encrypt(CANARY)


def test_what_was_written_under_an_old_key_is_still_read(settings: Settings) -> None:
    old, new = new_key(), new_key()
    use_keys(settings, old)
    token = encrypt(CANARY)
    use_keys(settings, new, old)
    assert decrypt(token) == CANARY


def test_the_first_key_encrypts(settings: Settings) -> None:
    old, new = new_key(), new_key()
    use_keys(settings, new, old)
    token = encrypt(CANARY)
    use_keys(settings, new)
    assert decrypt(token) == CANARY


def test_after_rotation_the_old_key_may_go(settings: Settings) -> None:
    old, new = new_key(), new_key()
    use_keys(settings, old)
    token = encrypt(CANARY)
    use_keys(settings, new, old)
    rotated = reencrypt(token)
    use_keys(settings, new)
    assert decrypt(rotated) == CANARY
    with pytest.raises(Undecryptable):
        decrypt(token)


@pytest.mark.parametrize("token", ["", "x", "gAAAA", "A" * 100])
def test_what_is_no_token_is_not_taken_for_one(token: str) -> None:
    with pytest.raises(Undecryptable):
        decrypt(token)


def test_a_token_that_was_tampered_with_is_refused() -> None:
    token = encrypt(CANARY)
    swapped = "A" if token[20] != "A" else "B"
    with pytest.raises(Undecryptable):
        decrypt(token[:20] + swapped + token[21:])


def test_the_blind_index_finds_the_same_and_nothing_else() -> None:
    assert blind_index(CANARY) == blind_index(CANARY)
    assert blind_index(CANARY) != blind_index(CANARY + " ")
    assert CANARY not in blind_index(CANARY)


def test_the_blind_index_depends_on_its_key(settings: Settings) -> None:
    before = blind_index(CANARY)
    settings.BURSAR_INDEX_KEY = b"another key of the index, quite long"
    assert blind_index(CANARY) != before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+254712345678", "+254••••••678"),
        ("1234567890", "•••••••890"),
        ("12345", "••345"),
        ("1234", "••••"),
        ("", ""),
    ],
)
def test_a_number_is_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


# --- The field --------------------------------------------------------------------------------------------


@pytest.fixture
def payee(as_owner: str) -> Iterator[Any]:
    """A model with an encrypted field; its table is gone after the test."""
    with isolate_apps("ledger"), transaction.atomic():

        class Payee(models.Model):
            phone = EncryptedTextField(null=True)

            class Meta:
                app_label = "ledger"

            def __str__(self) -> str:
                return "payee"

        with connection.schema_editor() as editor:
            editor.create_model(Payee)
        yield Payee
        transaction.set_rollback(True)


def stored(model: Any) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT phone FROM {model._meta.db_table}")
        value: str | None = cursor.fetchone()[0]
    return value


def test_the_database_never_sees_the_plain_text(payee: Any) -> None:
    payee.objects.create(phone=CANARY)
    assert CANARY not in (stored(payee) or CANARY)
    assert payee.objects.get().phone == CANARY


def test_an_update_encrypts_too(payee: Any) -> None:
    payee.objects.create(phone="x")
    payee.objects.update(phone=CANARY)
    assert CANARY not in (stored(payee) or CANARY)
    assert payee.objects.get().phone == CANARY


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_stays_nothing(payee: Any, nothing: str | None) -> None:
    payee.objects.create(phone=nothing)
    assert stored(payee) == nothing
    assert payee.objects.get().phone == nothing


@pytest.mark.parametrize("lookup", ["phone", "phone__contains", "phone__in", "phone__gt"])
def test_nobody_searches_in_ciphertext(payee: Any, lookup: str) -> None:
    with pytest.raises(FieldError):
        payee.objects.filter(**{lookup: CANARY}).exists()


def test_one_may_ask_whether_there_is_anything(payee: Any) -> None:
    payee.objects.create(phone=None)
    assert payee.objects.filter(phone__isnull=True).count() == 1
