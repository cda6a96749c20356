"""What records of a period share: where they belong, who wrote them, what they are in the books."""

import uuid

from django.conf import settings
from django.db import models

from ledger.clock import DatabaseClock
from ledger.models import JournalEntry
from periods.models.association import Association
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced


class Recorded(Referenced, models.Model):
    """A record of a period that stands in the ledger.

    ``version`` counts its contents; an edit reverses the ``journal_entry`` and posts the next one. A voided
    record counts for nothing and keeps its last contents.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="%(class)ss")
    version = models.PositiveIntegerField(default=1, editable=False)
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, editable=False, related_name="+"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    void_reason = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def posting_reference(self) -> str:
        """The reference under which this version is posted."""
        return f"{self.reference}:{self.version}"

    @property
    def is_void(self) -> bool:
        return self.voided_at is not None
