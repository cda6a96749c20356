"""Cleaning up idempotency keys."""

from datetime import timedelta

from ledger.clock import database_now
from ledger.models import IdempotencyKey

KEPT_FOR = timedelta(days=400)  # money commands are repeated long after; a day is too short
ROWS_AT_ONCE = 5_000


def forget_old_keys() -> int:
    """Delete up to 5,000 answers older than 400 days; return how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=database_now() - KEPT_FOR)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:ROWS_AT_ONCE])
    deleted, _ = IdempotencyKey.objects.filter(pk__in=ids).delete()
    return deleted
