"""Answers kept for clients that ask the same thing twice."""

import uuid

from django.conf import settings
from django.db import models

from ledger.clock import DatabaseClock


class IdempotencyKey(models.Model):
    """The answer given to a command that carried an ``Idempotency-Key``; written with its effect."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    scope = models.CharField(max_length=255, help_text="Method and path.")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField()
    status_code = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "scope", "key"), name="ledger_idempotency_once"
            ),
        )
        indexes = (models.Index(fields=("created_at",), name="ledger_idempotency_age"),)

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
