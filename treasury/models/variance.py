"""A variance: the payee got another amount than the books say."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When

from ledger.clock import DatabaseClock
from ledger.models import Company, JournalEntry
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money
from treasury.models.delegation import Delegation
from treasury.models.payment import Payment
from treasury.risk import Risk
from treasury.states import VarianceStatus

# One that takes money from the fund wants to be looked at before one that brings some back.
WEIGHT = Case(
    When(variance_amount__gt=0, then=Value(Risk.RAISED.value)),
    default=Value(Risk.ORDINARY.value),
    output_field=models.IntegerField(),
)


class VarianceAdjustment(models.Model):
    """A correction of a payment's amount, recorded by one person and decided by another.

    ``variance_amount`` is adjusted less original: positive takes money from the fund, negative returns it.
    """

    variance_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="variances")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    original_amount = MoneyField()
    adjusted_amount = MoneyField()
    variance_amount = MoneyField()
    reason = models.TextField()
    status = models.CharField(
        max_length=10, choices=VarianceStatus.choices, default=VarianceStatus.PENDING
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    delegation = models.ForeignKey(
        Delegation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rejected_at = models.DateTimeField(null=True, editable=False)
    rejection_reason = models.TextField(blank=True)
    journal_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, related_name="variance"
    )

    class Meta:
        ordering = ("-created_at", "-variance_id")
        constraints = (
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(status=VarianceStatus.PENDING),
                name="treasury_variance_one_pending",
            ),
            models.CheckConstraint(
                condition=Q(original_amount__gt=0) & Q(adjusted_amount__gte=0),
                name="treasury_variance_amounts",
            ),
            models.CheckConstraint(
                condition=Q(variance_amount=F("adjusted_amount") - F("original_amount"))
                & ~Q(variance_amount=0),
                name="treasury_variance_difference",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("recorded_by")),
                name="treasury_variance_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(approved_for=F("recorded_by")) & ~Q(approved_for=F("approved_by")),
                name="treasury_variance_approved_for_another",
            ),
            models.CheckConstraint(
                condition=Q(approved_for__isnull=True, delegation__isnull=True)
                | Q(approved_for__isnull=False, delegation__isnull=False),
                name="treasury_variance_delegated_whole",
            ),
            models.CheckConstraint(
                condition=~Q(rejected_by=F("recorded_by")),
                name="treasury_variance_rejected_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status=VarianceStatus.APPROVED)
                | Q(
                    approved_by__isnull=False,
                    approved_at__isnull=False,
                    journal_entry__isnull=False,
                ),
                name="treasury_variance_approved_whole",
            ),
        )
        indexes = (
            models.Index(fields=("company", "-created_at"), name="treasury_variance_recent"),
            # The queue of those who approve, in its order.
            models.Index(
                WEIGHT.desc(),
                F("created_at"),
                F("variance_id"),
                condition=Q(status=VarianceStatus.PENDING),
                name="treasury_variance_queue",
            ),
        )

    def __str__(self) -> str:
        return f"Variance of {Money(self.variance_amount, self.currency)}"

    @property
    def reference(self) -> str:
        """The name under which the books and the audit trail know this variance."""
        return f"treasury.variance:{self.variance_id}"
