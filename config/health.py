"""Is it up: database, migrations and Redis, each for itself."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

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
    """200 when ready to work, 503 when not; ``status`` is ``up``, ``degraded``, ``starting`` or ``down``."""
    if settings.BURSAR_READY_FILE and not settings.BURSAR_READY_FILE.exists():
        return JsonResponse({"status": "starting"}, status=503)
    parts = {name: _asked(check) for name, check in CHECKS.items()}
    if any(parts[name] == "down" for name in VITAL):
        return JsonResponse({"status": "down", **parts}, status=503)
    degraded = "down" in parts.values()
    return JsonResponse({"status": "degraded" if degraded else "up", **parts})
