"""Figures about all payments in sight. Where there are very many, they are counted once a minute.

What was counted is kept in the cache with its moment, for the person with these roles and this choice. A cache
that is away costs time, not figures.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from ledger.access import memberships_of
from ledger.encryption import blind_index
from ledger.models import User
from treasury.overview import (
    DueDay,
    Narrowed,
    StatusTotal,
    payments_by_status,
    scheduled_by_day,
    what_is_due,
)

KEPT_S = 60
# So many are counted in a tenth of a second or two.
KEPT_FROM = 100_000
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """The payments by status, those that go out on a day and those that wait for a step, as of ``at``."""

    at: datetime
    statuses: list[StatusTotal]
    scheduled: list[DueDay]
    due: dict[str, int]


def count_payments(user: User, narrowed: Narrowed, now: datetime) -> Counted:
    """Return the figures of ``now``, or where there are very many those of less than a minute ago."""
    key = f"treasury.counted:{blind_index(_asked_by(user, narrowed))}"
    kept = _kept(key)
    if kept is not None and kept.at <= now:
        return kept
    found = Counted(
        now,
        payments_by_status(user, narrowed, now),
        scheduled_by_day(user, narrowed),
        what_is_due(user, narrowed),
    )
    if sum(one.many for one in found.statuses) >= KEPT_FROM:
        _keep(key, found)
    return found


def _asked_by(user: User, narrowed: Narrowed) -> str:
    """Whose figures they are: another role sees others at once."""
    held = sorted(str(one) for one in memberships_of(user))
    return f"{user.pk} {user.is_active} {user.is_superuser} {held} {narrowed}"


def _kept(key: str) -> Counted | None:
    try:
        kept = cache.get(key)
    except (RedisError, OSError):
        logger.warning("counted payments cannot be looked up: the cache is away")
        return None
    return kept if isinstance(kept, Counted) else None


def _keep(key: str, found: Counted) -> None:
    try:
        cache.set(key, found, KEPT_S)
    except (RedisError, OSError):
        logger.warning("counted payments were not kept: the cache is away")
