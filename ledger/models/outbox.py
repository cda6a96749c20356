"""What happened, for those outside who want to know: written with the change itself, told afterwards."""

import uuid

from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models.organisation import Company


class OutboxEvent(models.Model):
    """One event of one subject, in the subject's own order; kept as it was written.

    ``sequence`` counts the events of ``subject`` (``treasury.payment:<uuid>``) from 1 without a gap.
    ``payload`` holds no secret. ``fanned_out_at`` is when it was handed to the company's webhooks.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    sequence = models.PositiveIntegerField()
    payload = models.JSONField()
    occurred_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    fanned_out_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "event"
        ordering = ("-occurred_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("subject", "sequence"), name="ledger_outboxevent_sequence"
            ),
            models.CheckConstraint(
                condition=Q(sequence__gte=1), name="ledger_outboxevent_from_one"
            ),
        )
        indexes = (
            models.Index(
                fields=("company", "-occurred_at", "-id"), name="ledger_outboxevent_company"
            ),
            models.Index(
                fields=("occurred_at",),
                condition=Q(fanned_out_at=None),
                name="ledger_outboxevent_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence}"
