"""How two people end the doubt about a payment."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from treasury.models.attempt import PaymentAttempt
from treasury.models.payment import Payment


class Resolution(models.Model):
    """One person's finding about an attempt in review, with evidence, and who confirmed it."""

    class Outcome(models.TextChoices):
        PAID = "paid", "Paid"
        NOT_PAID = "not_paid", "Not paid"

    resolution_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="resolutions")
    attempt = models.ForeignKey(
        PaymentAttempt, on_delete=models.PROTECT, related_name="resolutions"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    evidence = models.TextField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    confirming_evidence = models.TextField(blank=True)

    class Meta:
        ordering = ("proposed_at", "resolution_id")
        constraints = (
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="treasury_resolution_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("proposed_by")), name="treasury_resolution_two_people"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="treasury_resolution_confirmed_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.get_outcome_display()}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a second person."""
        return self.confirmed_at is None and self.withdrawn_at is None
