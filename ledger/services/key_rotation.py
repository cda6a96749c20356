"""Encrypting anew what was encrypted under an older key, while everybody works on.

Each value is replaced only where it is still the one that was read: who changes it meanwhile writes under the
newest key anyway, and wins. Values of append-only rows stay as they were written, so their key stays needed;
the counts say by how many.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Model
from psycopg import sql

from ledger import audit
from ledger.actor import Actor
from ledger.commands import TRY_AGAIN, command
from ledger.encryption import EncryptedBinaryField, EncryptedTextField, Undecryptable
from ledger.models import IdempotencyKey

MOST_PASSES = 5


@dataclass(frozen=True, slots=True)
class Column:
    """A column that holds encrypted values; ``shown`` is the SQL that reads its token as text."""

    table: str
    key: str
    name: str
    shown: str
    rewritable: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


@dataclass(slots=True)
class Found:
    """What a column holds: how many values are under which key (counted from 1, 0 for none of them)."""

    column: Column
    rewritten: int = 0
    under: Counter[int] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        """How many values are not under the newest key."""
        return sum(count for number, count in self.under.items() if number != 1)


def encrypted_columns() -> Iterator[Column]:
    """Find every encrypted column; the runtime role may not update what is kept as it was written."""
    for model in apps.get_models():
        table = model._meta.db_table
        for found in model._meta.concrete_fields:
            if not isinstance(found, EncryptedTextField | EncryptedBinaryField):
                continue
            name, binary = str(found.column), isinstance(found, EncryptedBinaryField)
            shown = "convert_from({}, 'UTF8')" if binary else "{}"
            rewritable = not binary and _may_update(table, name)
            yield Column(table, _key_of(model), name, shown, rewritable)
    table = IdempotencyKey._meta.db_table
    yield Column(table, _key_of(IdempotencyKey), "body", "{} #>> '{{}}'", rewritable=False)


def _key_of(model: type[Model]) -> str:
    return str(model._meta.pk.column)


def count_keys(*, chunk: int = 1000) -> list[Found]:
    """Return for each column how many values are under which key; nothing is changed."""
    return [_pass(column, chunk, rewrite=False) for column in encrypted_columns()]


def rotate_keys(*, actor: Actor, chunk: int = 500) -> list[Found]:
    """Encrypt everything that may be rewritten anew under the first of ``BURSAR_ENCRYPTION_KEYS``.

    Goes over each column until nothing is left, five times at most: a row that others hold is met again.
    Raises ``Undecryptable`` where a value fits none of the keys, before that row's column is gone on with.
    """
    found = [_rotated(column, chunk) for column in encrypted_columns()]
    # Its commit is on the disk, and with it the hastier ones before.
    _record(actor=actor, rewritten={str(each.column): each.rewritten for each in found})
    return found


def _rotated(column: Column, chunk: int) -> Found:
    if not column.rewritable:
        return _pass(column, chunk, rewrite=False)
    rewritten = 0
    for _ in range(MOST_PASSES):
        found = _pass(column, chunk, rewrite=True)
        rewritten += found.rewritten
        if not found.rewritten and not found.left:
            break
    found.rewritten = rewritten
    return found


def _pass(column: Column, chunk: int, *, rewrite: bool) -> Found:
    """Go over the column once; ``under`` counts what was met, before it was rewritten."""
    found = Found(column)
    for key, token in _tokens(column, chunk):
        number = _number_of_key(token)
        found.under[number] += 1
        if rewrite and number != 1:
            if number == 0:
                raise Undecryptable(f"A value of {column} fits none of the encryption keys.")
            found.rewritten += _replace(column, key, token)
    return found


def _tokens(column: Column, chunk: int) -> Iterator[tuple[Any, str]]:
    """Read the column in pieces, each in a transaction of its own."""
    after: Any = None
    while True:
        rows = _read(column, chunk, after)
        yield from rows
        if len(rows) < chunk:
            return
        after = rows[-1][0]


def _read(column: Column, chunk: int, after: Any) -> list[tuple[Any, str]]:
    statement = sql.SQL(
        "SELECT {key}, {shown} FROM {table} WHERE {name} IS NOT NULL AND {shown} <> '' {further}"
        " ORDER BY {key} LIMIT {chunk}"
    ).format(
        **_names(column),
        shown=sql.SQL(column.shown).format(sql.Identifier(column.name)),
        further=sql.SQL("" if after is None else "AND {} > %s").format(sql.Identifier(column.key)),
        chunk=sql.Literal(chunk),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, None if after is None else [after])
        return list(cursor.fetchall())


def _replace(column: Column, key: Any, token: str) -> bool:
    """Replace the value if it is still the one that was read; False where others were faster or hold it."""
    statement = sql.SQL("UPDATE {table} SET {name} = %s WHERE {key} = %s AND {name} = %s")
    fresh = _newest().encrypt(_plain(token)).decode()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(statement.format(**_names(column)), [fresh, key, token])
            return bool(cursor.rowcount == 1)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") not in TRY_AGAIN:
            raise
        return False


def _names(column: Column) -> dict[str, sql.Identifier]:
    return {
        "table": sql.Identifier(column.table),
        "name": sql.Identifier(column.name),
        "key": sql.Identifier(column.key),
    }


def _may_update(table: str, column: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_column_privilege(%s, %s, 'UPDATE')", [table, column])
        return bool(cursor.fetchone()[0])


# --- Keys -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> tuple[Fernet, ...]:
    return tuple(Fernet(key) for key in keys)


def _configured() -> Iterable[Fernet]:
    return _ciphers(tuple(settings.BURSAR_ENCRYPTION_KEYS))


def _newest() -> Fernet:
    return next(iter(_configured()))


def _number_of_key(token: str) -> int:
    """Return which key the token is under, counted from 1; 0 where none fits."""
    return next((number for number, _ in _opened(token)), 0)


def _plain(token: str) -> bytes:
    return next(plain for _, plain in _opened(token))


def _opened(token: str) -> Iterator[tuple[int, bytes]]:
    for number, cipher in enumerate(_configured(), 1):
        try:
            yield number, cipher.decrypt(token.encode())
        except InvalidToken:
            continue


@command("keys.rotate")
def _record(*, actor: Actor, rewritten: dict[str, int]) -> None:
    audit.record(actor=actor, action="keys.rotate", subject="ledger.keys", after=rewritten)
