"""What is kept of second factors beside the secrets themselves (allauth's ``Authenticator``)."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value

from ledger.clock import DatabaseClock

MOST_TRIES_A_DAY = 10
LONGEST_STEP_UP = timedelta(minutes=15)


class SecondFactorUse(models.Model):
    """How far a person's codes are used up, and how often he was wrong on one day (UTC).

    ``last_counter`` is the time step of the last code that was taken: no code of that step or an earlier
    one is taken again.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    last_counter = models.BigIntegerField(default=0)
    tries_on = models.DateField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(tries__lte=MOST_TRIES_A_DAY), name="ledger_secondfactoruse_tries"
            ),
        )

    def __str__(self) -> str:
        return f"{self.tries} on {self.tries_on}"


class StepUp(models.Model):
    """That a person showed his second factor, for a few minutes, in one session or with one token.

    ``carrier`` is the keyed hash of that session or token: what was shown in one counts in no other.
    ``enrolment`` is the number of the app's ``Authenticator``: with it gone, what it showed counts no more.
    """

    class Means(models.TextChoices):
        TOTP = "totp", "Code of an app"
        RECOVERY_CODE = "recovery_code", "Recovery code"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    carrier = models.CharField(max_length=64)
    means = models.CharField(max_length=20, choices=Means.choices)
    verified_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    expires_at = models.DateTimeField()
    enrolment = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ("-verified_at",)
        constraints = (
            models.CheckConstraint(condition=~Q(carrier=""), name="ledger_stepup_carrier"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("verified_at"))
                & Q(
                    expires_at__lte=models.ExpressionWrapper(
                        F("verified_at")
                        + Value(LONGEST_STEP_UP, output_field=models.DurationField()),
                        output_field=models.DateTimeField(),
                    )
                ),
                name="ledger_stepup_ends",
            ),
        )
        indexes = (models.Index(fields=("user", "carrier"), name="ledger_stepup_of"),)

    def __str__(self) -> str:
        return f"step-up by {self.get_means_display()}"
