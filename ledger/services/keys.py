"""Whether the configured keys are those that this database was written under.

Under another index key every known payee looks new, and under another chain key nothing can be posted; what
was encrypted under a key that is gone cannot be read. None of that shows by itself, so each key leaves a
mark at its first use, HMAC-SHA256 of a fixed text under it, and every process compares.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.encryption import EncryptedTextField, Undecryptable, blind_index, decrypt
from ledger.models import KeyFingerprint, KeyVariable

# Of each table that tells: enough to know a key by, even where some rows are under one that was lost.
TRIED = 20
CHAIN_MARK = "SELECT encode(fingerprint, 'hex') FROM ledger_chainkey"
PUT_BACK = "Put back the key with which this database was first used, and start again."


class WrongKeys(ImproperlyConfigured):
    """The configured keys are not those of this database; the message names the variable."""


def require_keys() -> None:
    """Compare the configured keys with their marks in the database, and mark those that are new to it.

    A database without marks (a new one, or one of an older version) is marked only where the keys fit what
    is stored in it. Raises ``WrongKeys``, and what the database raises.
    """
    indexes, ring = _marks(KeyVariable.INDEX), _marks(KeyVariable.ENCRYPTION)
    _compare(indexes, ring)
    if not indexes:
        _require_fit()
    # What stands in front is written under from now on; what stood behind it before the first mark may be.
    used = _ring()[:1] if ring else _ring()
    if indexes and {mark.fingerprint for mark in ring}.issuperset(used):
        return
    _note(used)
    _compare(_marks(KeyVariable.INDEX), ring)  # somebody with another key may have been faster


def lacking_keys() -> str:
    """Say which key of this database the process does not have, "" when it has all; marks nothing."""
    try:
        _compare(_marks(KeyVariable.INDEX), _marks(KeyVariable.ENCRYPTION))
    except WrongKeys as error:
        return str(error)
    return ""


@command("keys.forget")
def forget_keys(*, actor: Actor, numbers: Sequence[int]) -> int:
    """Take note that nothing is under these of ``BURSAR_ENCRYPTION_KEYS`` (from 1); returns how many are new."""
    ring = _ring()
    unused = [ring[number - 1] for number in numbers]
    noted = KeyFingerprint.objects.filter(fingerprint__in=unused, needed=True)
    if forgotten := noted.update(needed=False):
        audit.record(
            actor=actor, action="keys.forget", subject="ledger.keys", after={"forgotten": forgotten}
        )
    return forgotten


def _marks(variable: KeyVariable) -> list[KeyFingerprint]:
    return list(KeyFingerprint.objects.filter(variable=variable, needed=True).order_by("noted_at"))


def _note(ring: Sequence[str]) -> None:
    index = KeyFingerprint(fingerprint=_index(), variable=KeyVariable.INDEX)
    KeyFingerprint.objects.bulk_create([index], ignore_conflicts=True)
    KeyFingerprint.objects.bulk_create(
        [KeyFingerprint(fingerprint=mark, variable=KeyVariable.ENCRYPTION) for mark in ring],
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=["needed"],
    )


# --- Comparing --------------------------------------------------------------------------------------------


def _index() -> str:
    return _mark(settings.BURSAR_INDEX_KEY, b"bursar index key")


def _ring() -> list[str]:
    keys: list[str] = settings.BURSAR_ENCRYPTION_KEYS
    return [_mark(key.encode(), b"bursar encryption key") for key in keys]


def _mark(key: bytes, text: bytes) -> str:
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _compare(indexes: Sequence[KeyFingerprint], ring: Sequence[KeyFingerprint]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CHAIN_MARK)
        sealed_by = [row[0] for row in cursor.fetchall()]
    if set(sealed_by) - {_mark(settings.BURSAR_CHAIN_KEY, b"bursar chain key")}:
        raise WrongKeys(
            f"BURSAR_CHAIN_KEY is not the key that seals this ledger: nothing could be posted. {PUT_BACK}"
        )
    if {mark.fingerprint for mark in indexes} - {_index()}:
        raise _wrong_index()
    configured = _ring()
    if lacking := [mark for mark in ring if mark.fingerprint not in configured]:
        days = ", ".join(f"{mark.noted_at:%Y-%m-%d}" for mark in lacking)
        raise WrongKeys(
            f"BURSAR_ENCRYPTION_KEYS lacks a key that this database was written under (in use since {days}):"
            " what is under it could not be read. Put it back, behind the first, until `manage.py"
            " rotate_keys` says that it is not needed any more."
        )


def _wrong_index() -> WrongKeys:
    return WrongKeys(
        "BURSAR_INDEX_KEY is not the key by which this database finds phone numbers and accounts: known"
        f" payees would look new, and limits would not count. {PUT_BACK}"
    )


# --- A database without marks -----------------------------------------------------------------------------


def _require_fit() -> None:
    """Hold the keys against values that are stored encrypted, with their keyed hash beside them."""
    tried = opened = 0
    for model, name in _indexed():
        for token, index in _stored(model, name):
            tried += 1
            try:
                plain = decrypt(token)
            except Undecryptable:
                continue
            opened += 1
            if blind_index(plain) != index:
                raise _wrong_index()
    if tried and not opened:
        raise WrongKeys(
            "BURSAR_ENCRYPTION_KEYS has no key that opens what is stored in this database. Put back those"
            " under which it was written, and start again."
        )


def _indexed() -> Iterator[tuple[type[Model], str]]:
    for model in apps.get_models():
        names = {field.name for field in model._meta.concrete_fields}
        for found in model._meta.concrete_fields:
            if isinstance(found, EncryptedTextField) and f"{found.name}_index" in names:
                yield model, found.name


def _stored(model: type[Model], name: str) -> list[tuple[str, str]]:
    hashed = model._default_manager.exclude(**{f"{name}_index": ""})
    rows = hashed.annotate(token=Cast(name, TextField())).values_list("token", f"{name}_index")
    return list(rows[:TRIED])
