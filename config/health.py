"""Is it up: database, migrations and Redis, each for itself; and for those who watch, how all goes."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from config.monitors import is_monitor, is_staff
from config.signs import signs

logger = logging.getLogger(__name__)
_migrated = False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _migrations() -> bool:
    """Whether every migration is applied; once it is so, it stays so for this process's code."""
    global _migrated  # noqa: PLW0603 -- remembered per process
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _redis() -> bool:
    cache.set("health", "up", 10)
    return bool(cache.get("health") == "up")


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
}
# Without Redis requests are answered and sweepers find the work: slower, not down.
VITAL = ("database", "migrations")


def _asked(check: Callable[[], bool]) -> str:
    try:
        return "up" if check() else "down"
    except (DatabaseError, RedisError, OSError, ImproperlyConfigured) as error:
        logger.warning("health check failed: %s", type(error).__name__)
        return "down"


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when ready to work, 503 when not; ``status`` is ``up``, ``degraded``, ``starting`` or ``down``.

    A monitor and staff also see the ``signs``, and whether one of them needs ``attention``; that does not
    change the status, because a web process that is taken out for an old backup helps nobody.
    """
    if settings.BURSAR_READY_FILE and not settings.BURSAR_READY_FILE.exists():
        return JsonResponse({"status": "starting"}, status=503)
    parts: dict[str, Any] = {name: _asked(check) for name, check in CHECKS.items()}
    if any(parts.get(name) == "down" for name in VITAL):
        return JsonResponse({"status": "down", **parts}, status=503)
    status = "degraded" if "down" in parts.values() else "up"
    if is_monitor(request) or is_staff(request):
        found = {sign.name: sign.shown() for sign in signs()}
        well = all(sign["state"] == "well" for sign in found.values())
        parts |= {"attention": not well, "signs": found}
    return JsonResponse({"status": status, **parts})
