"""What was sent to a gateway and what it answered: two rows, both append-only.

The request is committed before the call, so that a crash in mid-call leaves a request without a
response, which is exactly what is known then. Both are redacted before they are written.
"""

import uuid

from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from payments.models.provider import Provider


class GatewayRequest(models.Model):
    """One call that was about to be made. ``subject`` names what it was for (treasury.attempt:<id>).

    ``request_id`` is the request of ours that caused it, or the scheduled task.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="requests")
    subject = models.CharField(max_length=160)
    operation = models.CharField(max_length=20)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    at = models.DateTimeField(db_default=DatabaseClock())
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "gateway call"
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("subject", "at"), name="payments_request_subject"),
            models.Index(fields=("provider", "-at"), name="payments_request_provider"),
        )

    def __str__(self) -> str:
        return f"{self.operation} for {self.subject}"


class GatewayResponse(models.Model):
    """What came back: a status and a body, or the kind of failure that ended the call."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(
        GatewayRequest, on_delete=models.PROTECT, related_name="response"
    )
    http_status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    error = models.CharField(max_length=60, blank=True)
    duration_ms = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(http_status__isnull=False) | ~Q(error=""),
                name="payments_response_says_something",
            ),
        )

    def __str__(self) -> str:
        return str(self.http_status or self.error)
