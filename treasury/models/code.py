"""One-time codes, and how often somebody may guess."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from treasury.models.payment import Payment

MOST_TRIES = 5
MOST_FAILED_TRIES_A_DAY = 20


class OneTimeCode(models.Model):
    """A code sent to an executor for one version of one payment; the code itself is nowhere.

    ``digest`` is keyed over everything the code is bound to and the code, ``bound_digest`` over the same
    without the code, so that a change after the verification is seen. Code and verification both end at
    ``expires_at``, by the database's clock.
    """

    code_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="codes", db_index=False
    )
    payment_version = models.PositiveIntegerField()
    executor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    digest = models.CharField(max_length=64)
    bound_digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)
    consumed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("payment", "sent_at")
        constraints = (
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(consumed_at__isnull=True, voided_at__isnull=True),
                name="treasury_code_one_live",
            ),
            models.CheckConstraint(condition=Q(tries__lte=MOST_TRIES), name="treasury_code_tries"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("sent_at")), name="treasury_code_expires"
            ),
            models.CheckConstraint(
                condition=Q(consumed_at__isnull=True) | Q(verified_at__isnull=False),
                name="treasury_code_consumed_verified",
            ),
        )
        indexes = (models.Index(fields=("payment", "-sent_at"), name="treasury_code_sent"),)

    def __str__(self) -> str:
        return f"code for {self.payment_id}"


class FailedTries(models.Model):
    """How many wrong codes a person gave on one day (UTC, by the database's clock)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="failed_tries"
    )
    on = models.DateField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "failed tries"
        ordering = ("-on", "user")
        constraints = (
            models.UniqueConstraint(fields=("user", "on"), name="treasury_failedtries_once"),
            models.CheckConstraint(
                condition=Q(tries__lte=MOST_FAILED_TRIES_A_DAY), name="treasury_failedtries_most"
            ),
        )

    def __str__(self) -> str:
        return f"{self.tries} on {self.on}"
