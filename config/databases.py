"""Which database is asked, as whom, and how long anyone may wait there.

Two roles: the owner has the tables and migrates, the runtime role owns nothing and may not change what is
append-only. A process that found itself with the owner's rights would be one mistake away from rewriting
the books, so in production it refuses to work.
"""

from collections.abc import Sequence
from typing import Any

import environ
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Whoever waits longer for a lock, or holds one while doing nothing, has lost. Commands look again at what was
# committed while they waited for a lock, which only this isolation shows, whatever the server's default is.
RUNTIME_LIMITS: dict[str, str] = {
    "default_transaction_isolation": r"read\ committed",
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "10s",
}
# A migration that waits for a lock makes everyone else wait behind it, so it gives up soon and is tried
# again; once it has the lock it may work as long as it needs.
OWNER_LIMITS: dict[str, str] = {"lock_timeout": "5s"}
# A replica that does not answer at once is not waited for: the primary is there.
REPLICA_LIMITS: dict[str, str] = {"statement_timeout": "60s", "default_transaction_read_only": "on"}
REPLICA_CONNECT_S = 2
PREPARE_AFTER = 3

RIGHTS = """
    SELECT current_user, rolsuper,
        EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
                AND pg_has_role(current_user, relowner, 'MEMBER'))
    FROM pg_roles WHERE rolname = current_user
"""


def connection_settings(url: str, *, limits: dict[str, str], pool_size: int = 0) -> dict[str, Any]:
    """Return what Django's ``DATABASES`` says of the database at ``url``.

    ``limits`` are PostgreSQL settings of each session; with a ``pool_size`` connections are kept in a pool.
    """
    found: dict[str, Any] = environ.Env.db_url_config(url) | {"ENGINE": "config.postgresql"}
    options = found.setdefault("OPTIONS", {})
    options.setdefault("options", " ".join(f"-c {name}={value}" for name, value in limits.items()))
    # Django's own cursors never prepare; the few hand-written statements of the hot path do, once seen often.
    options.setdefault("prepare_threshold", PREPARE_AFTER)
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
        return found
    return found | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def replica_settings(url: str) -> dict[str, Any]:
    """Return the same for a read replica; its tests are those of the primary."""
    found = connection_settings(url, limits=REPLICA_LIMITS)
    found["OPTIONS"].setdefault("connect_timeout", REPLICA_CONNECT_S)
    return found | {"TEST": {"MIRROR": DEFAULT_DB_ALIAS}}


# --- The runtime role -----------------------------------------------------------------------------------


class ExcessRights(ImproperlyConfigured):
    """The connected role could rewrite the books."""


def excess_rights(connection: BaseDatabaseWrapper) -> str:
    """Return why the connected role has too many rights to run Bursar, "" when it has not."""
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS)
        role, is_superuser, owns = cursor.fetchone()
    if is_superuser:
        return f"DATABASE_URL names {role}, a superuser."
    if owns:
        return f"DATABASE_URL names {role}, which has the rights of the tables' owner."
    return ""


def refuse_excess_rights(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Close a new connection whose role has too many rights, and raise ``ExcessRights``."""
    if connection.alias != DEFAULT_DB_ALIAS:
        return
    if problem := excess_rights(connection):
        connection.close()
        raise ExcessRights(f"{problem} {ADVICE}")


ADVICE = (
    "Bursar runs as a role that owns nothing: let DATABASE_URL name bursar_app, DATABASE_OWNER_URL the"
    " owner, and run `manage.py prepare_database`."
)


def require_fit_database() -> None:
    """Raise ``ImproperlyConfigured`` at start where role or keys are wrong: a connection is refused then.

    A database that is down is looked at when it is up again.
    """
    try:
        connections[DEFAULT_DB_ALIAS].ensure_connection()
    except OperationalError:
        return
    finally:
        connections[DEFAULT_DB_ALIAS].close()


def check_runtime_role(
    app_configs: Any, *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """The same as a system check: ``manage.py check --database default``; not for who migrates."""
    if DEFAULT_DB_ALIAS not in (databases or []) or settings.DATABASE_ROLE == "owner":
        return []
    try:
        problem = excess_rights(connections[DEFAULT_DB_ALIAS])
    except ExcessRights as error:
        return [Error(str(error), id="bursar.E001")]
    except ImproperlyConfigured:
        return []  # the keys are wrong, which their own check says
    return [Error(problem, hint=ADVICE, id="bursar.E001")] if problem else []
