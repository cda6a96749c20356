"""A service period: the time over which costs are collected and shared."""

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import ExtractYear, Lower

from ledger.clock import DatabaseClock
from periods.models.association import Association
from periods.models.referenced import Referenced
from periods.states import PeriodStatus


class ServicePeriod(Referenced, models.Model):
    """From ``start_date`` to ``end_date``, both included.

    Periods of an association follow each other without gap or overlap: each names the one before and that
    one's last day, tied to it by a composite foreign key, and starts the day after. ``version`` is that of
    its balance sheet, 0 before the first close. Once statements were sent, reopening takes two persons.
    """

    noun = "period"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="periods")
    name = models.CharField(max_length=120)
    start_date = models.DateField()
    end_date = models.DateField()
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="following"
    )
    previous_end = models.DateField(null=True, editable=False)
    status = models.CharField(max_length=6, choices=PeriodStatus.choices, default=PeriodStatus.OPEN)
    version = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    statements_sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("association", "start_date")
        constraints = (
            models.UniqueConstraint(
                "association",
                Lower("name"),
                ExtractYear("start_date"),
                name="periods_period_name_of_year",
            ),
            models.UniqueConstraint(
                fields=("association", "start_date"), name="periods_period_start"
            ),
            models.UniqueConstraint(
                fields=("association",),
                condition=Q(previous__isnull=True),
                name="periods_period_first",
            ),
            models.UniqueConstraint(fields=("id", "association"), name="periods_period_copied"),
            models.UniqueConstraint(
                fields=("id", "association", "end_date"), name="periods_period_end_copied"
            ),
            models.CheckConstraint(
                condition=Q(start_date__lt=F("end_date")), name="periods_period_order"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def holds(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.start_date <= day <= self.end_date
