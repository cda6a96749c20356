"""Reopenings: who opened a closed period again or wanted to, and why."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from periods.models.association import Association
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced

WAITING = Q(reopened_at__isnull=True, withdrawn_at__isnull=True, rejected_at__isnull=True)


class ReopenRequest(Referenced, models.Model):
    """Somebody wants a closed period open again.

    It happens at once, unless statements of the period were sent: then ``needs_approval``, and it waits for
    another person. ``reopened_at`` is when it happened, ``withdrawn_at`` when whoever asked took it back,
    ``rejected_at`` when another person said no, and why; while it waits all three are null.
    """

    noun = "reopen_request"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(
        ServicePeriod, on_delete=models.PROTECT, related_name="reopen_requests"
    )
    reason = models.TextField()
    needs_approval = models.BooleanField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reopened_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rejected_at = models.DateTimeField(null=True)
    rejection_reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering = ("requested_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("period",), condition=WAITING, name="periods_reopenrequest_waiting"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="periods_reopenrequest_reason"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="periods_reopenrequest_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, approved_by__isnull=True)
                | Q(reopened_at__isnull=False, needs_approval=False, approved_by__isnull=True)
                | Q(reopened_at__isnull=False, needs_approval=True, approved_by__isnull=False),
                name="periods_reopenrequest_approved",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True)
                | Q(needs_approval=True, reopened_at__isnull=True),
                name="periods_reopenrequest_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(rejected_by__isnull=True, rejected_at__isnull=True, rejection_reason="")
                | Q(
                    ~Q(rejection_reason=""),
                    ~Q(rejected_by=F("requested_by")),
                    rejected_by__isnull=False,
                    rejected_at__isnull=False,
                    needs_approval=True,
                    reopened_at__isnull=True,
                    withdrawn_at__isnull=True,
                ),
                name="periods_reopenrequest_rejected",
            ),
        )

    def __str__(self) -> str:
        return f"{self.period}: {self.reason}"

    @property
    def is_waiting(self) -> bool:
        return self.reopened_at is None and self.withdrawn_at is None and self.rejected_at is None
