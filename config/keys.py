"""No process works under keys that are not this database's: they are compared on its first connection.

Migrating, backing up and restoring are the owner's and need no key of these; a database in which the marks'
table is still to be made is compared when it is there.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.services.keys import WrongKeys, lacking_keys, require_keys

THERE = "SELECT to_regclass('public.ledger_keyfingerprint') IS NOT NULL"
_compared = False


def refuse_wrong_keys(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Close the first connection of a process whose keys are not this database's, and raise ``WrongKeys``."""
    global _compared  # noqa: PLW0603 -- remembered per process
    if _compared or connection.alias != DEFAULT_DB_ALIAS:
        return
    if not _is_there(connection):
        return
    try:
        require_keys()
    except WrongKeys:
        connection.close()
        raise
    _compared = True


def _is_there(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(THERE)
        return bool(cursor.fetchone()[0])


def check_keys(
    app_configs: Any, *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """The same as a system check: ``manage.py check --database default``; not for who migrates."""
    if DEFAULT_DB_ALIAS not in (databases or []) or settings.DATABASE_ROLE == "owner":
        return []
    try:
        connections[DEFAULT_DB_ALIAS].ensure_connection()
        problem = lacking_keys()
    except WrongKeys as error:
        problem = str(error)
    return [Error(problem, id="bursar.E002")] if problem else []
