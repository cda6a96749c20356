"""Evidence for a requisition."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from treasury.models.requisition import Requisition


class Attachment(models.Model):
    """A file that belongs to a requisition: its hash, its size in bytes, and who brought it."""

    attachment_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requisition = models.ForeignKey(
        Requisition, on_delete=models.PROTECT, related_name="attachments"
    )
    file = models.FileField(upload_to="attachments/%Y/%m/")
    name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=60)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("uploaded_at", "attachment_id")
        constraints = (
            models.UniqueConstraint(
                fields=("requisition", "sha256"), name="treasury_attachment_once"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="treasury_attachment_size"),
        )

    def __str__(self) -> str:
        return self.name
