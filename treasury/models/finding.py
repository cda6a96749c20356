"""What one person finds and another confirms about money that has moved against the books."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company
from treasury.models.attempt import Incident, PaymentAttempt
from treasury.models.payment import Payment


def person(*, null: bool = False) -> models.ForeignKey:
    """Somebody who takes a part."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=null, related_name="+"
    )


class TwoPersonFinding(models.Model):
    """Proposed by one person with evidence, confirmed by another, never both by one; kept for ever.

    Requester, company and executor are copied and tied by composite foreign keys: neither takes a part in
    confirming, and the requester none at all. It moves something only with its confirmation.
    """

    finding_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    requester = person()
    executor = person()
    evidence = models.TextField()
    proposed_by = person()
    proposed_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)
    confirmed_by = person(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirming_evidence = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar[tuple[str, ...]] = ("proposed_at", "finding_id")
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("proposed_by")), name="%(app_label)s_%(class)s_two"
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("requester"))
                & (Q(confirmed_by=None) | ~Q(confirmed_by=F("requester"))),
                name="%(app_label)s_%(class)s_requester",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("executor")),
                name="%(app_label)s_%(class)s_executor",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False, withdrawn_at=None),
                name="%(app_label)s_%(class)s_whole",
            ),
        )

    @property
    def is_open(self) -> bool:
        """Whether it waits for a second person."""
        return self.confirmed_at is None and self.withdrawn_at is None


class Reversal(TwoPersonFinding):
    """That the money of a payment came back: once confirmed, the payment is reversed in the books."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="reversals")

    class Meta(TwoPersonFinding.Meta):
        abstract = False
        constraints = (
            *TwoPersonFinding.Meta.constraints,
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(withdrawn_at=None),
                name="treasury_reversal_one",
            ),
        )
        indexes = (
            models.Index(
                fields=("payment",),
                condition=Q(confirmed_at=None, withdrawn_at=None),
                name="treasury_reversal_open",
            ),
        )

    def __str__(self) -> str:
        return f"return of {self.payment_id}"


class LateSuccess(TwoPersonFinding):
    """How a success after a failure ends: recognised as spent, or returned by the provider."""

    class Outcome(models.TextChoices):
        RECOGNISED = "recognised", "Paid, and recognised as spent"
        RETURNED = "returned", "Returned by the provider"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="late_successes")
    attempt = models.ForeignKey(
        PaymentAttempt, on_delete=models.PROTECT, related_name="late_successes"
    )
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="late_successes")
    outcome = models.CharField(max_length=12, choices=Outcome.choices)

    class Meta(TwoPersonFinding.Meta):
        abstract = False
        verbose_name_plural = "late successes"
        constraints = (
            *TwoPersonFinding.Meta.constraints,
            models.UniqueConstraint(
                fields=("incident",),
                condition=Q(withdrawn_at=None),
                name="treasury_latesuccess_one",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=("recognised", "returned")),
                name="treasury_latesuccess_outcome",
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.get_outcome_display()}"
