"""Encryption at rest for phone numbers, bank accounts and credentials.

Values are encrypted with Fernet (AES-128-CBC with HMAC-SHA256) under the first of
``BURSAR_ENCRYPTION_KEYS`` and decrypted under any, so that keys rotate. What must be found again has a
keyed hash beside it, because no two encryptions of one value are alike.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression


class Undecryptable(RuntimeError):
    """A stored value was encrypted under a key that is not configured any more."""


def _cipher() -> MultiFernet:
    return _cipher_for(tuple(settings.BURSAR_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _cipher_for(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Return the text encrypted under the first key."""
    return _cipher().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text behind a token; raise ``Undecryptable`` when no configured key fits."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Undecryptable("A stored value fits none of the encryption keys.") from error


def reencrypt(token: str) -> str:
    """Return the token encrypted anew under the first key."""
    return _cipher().rotate(token.encode()).decode()


def encrypt_bytes(content: bytes) -> bytes:
    """Return the bytes encrypted under the first key."""
    return _cipher().encrypt(content)


def decrypt_bytes(token: bytes) -> bytes:
    """Return the bytes behind a token; raise ``Undecryptable`` when no configured key fits."""
    try:
        return _cipher().decrypt(token)
    except InvalidToken as error:
        raise Undecryptable("A stored value fits none of the encryption keys.") from error


def blind_index(text: str) -> str:
    """Return the keyed hash (hex) by which an encrypted value is found without decrypting any."""
    key: bytes = settings.BURSAR_INDEX_KEY
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def mask(text: str) -> str:
    """Return a number with all but its country code or start and its last three characters hidden."""
    if len(text) <= 4:
        return "•" * len(text)
    shown = 4 if text.startswith("+") else 0
    return f"{text[:shown]}{'•' * (len(text) - shown - 3)}{text[-3:]}"


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database and plain in Python; it cannot be searched or ordered by."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if isinstance(prepared, str) and prepared else prepared

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every look-up but for null: comparing ciphertext finds nothing and misleads."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


class EncryptedBinaryField(models.BinaryField):
    """Bytes that are encrypted in the database and plain in Python.

    For what is kept exactly as it came. Where the rows are append-only they cannot be encrypted anew, so
    the key they were written under stays configured for as long as they are read.
    """

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return encrypt_bytes(bytes(prepared)) if prepared is not None else None

    def from_db_value(
        self, value: bytes | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> bytes | None:
        return decrypt_bytes(bytes(value)) if value is not None else None

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every look-up but for null: comparing ciphertext finds nothing and misleads."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
