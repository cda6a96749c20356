"""What banks report about files: the report as it came, and what became of each of its rows."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.encryption import EncryptedBinaryField
from ledger.models import Company
from ledger.models.account import MoneyField
from payments.models import Provider
from treasury.models.attempt import PaymentAttempt
from treasury.models.bank_file import BankFile


class BankReport(models.Model):
    """One pain.002 of a provider's bank, byte for byte and encrypted; append-only.

    ``message_id`` is the bank's id of it: the same id with other bytes is refused. ``file`` is the file
    that it is about, None where we made none of that name (``original_message_id``).
    """

    report_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, null=True, related_name="reports")
    message_id = models.CharField(max_length=140)
    original_message_id = models.CharField(max_length=140)
    status = models.CharField(max_length=140, blank=True)
    content = EncryptedBinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("-uploaded_at", "-report_id")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "message_id"), name="treasury_bankreport_message"
            ),
            models.UniqueConstraint(
                fields=("provider", "sha256"), name="treasury_bankreport_content"
            ),
        )

    def __str__(self) -> str:
        return self.message_id

    @property
    def reference(self) -> str:
        """The name under which the audit trail knows this report."""
        return f"treasury.bank_report:{self.report_id}"


class BankReportRow(models.Model):
    """What a report says of one payment, and what came of it; what it says never changes.

    ``listed`` is False where it is said of the whole file. ``outcome`` is what it means for the money
    (a class of ``payments/gateways/outcome.py``), empty where it says nothing. ``attempt`` is None where
    none of ours is meant; ``objection`` is why it is not taken at its word. ``effect`` is written once.
    """

    class Effect(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SETTLED = "settled", "Paid"
        FAILED = "failed", "Failed"
        ACCEPTED = "accepted", "Accepted"
        DOUBTED = "doubted", "In doubt"
        REVIEW = "review", "Before two people"
        INCIDENT = "incident", "Contradicts the books"
        UNCHANGED = "unchanged", "Changes nothing"
        UNMATCHED = "unmatched", "Not one of ours"

    row_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(BankReport, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField()
    listed = models.BooleanField()
    end_to_end_id = models.CharField(max_length=140, blank=True)
    uetr = models.CharField(max_length=140, blank=True)
    status = models.CharField(max_length=140, blank=True)
    reasons = models.CharField(max_length=160, blank=True)
    text = models.CharField(max_length=500, blank=True)
    bank_reference = models.CharField(max_length=140, blank=True)
    amount = MoneyField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    attempt = models.ForeignKey(
        PaymentAttempt, on_delete=models.PROTECT, null=True, related_name="report_rows"
    )
    objection = models.CharField(max_length=160, blank=True)
    effect = models.CharField(max_length=12, choices=Effect.choices, default=Effect.WAITING)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("report", "number")
        constraints = (
            models.UniqueConstraint(
                fields=("report", "number"), name="treasury_bankreportrow_number"
            ),
            models.CheckConstraint(
                condition=Q(effect="waiting", applied_at=None)
                | ~Q(effect="waiting") & Q(applied_at__isnull=False),
                name="treasury_bankreportrow_applied",
            ),
            models.CheckConstraint(
                condition=Q(attempt__isnull=False) | Q(effect__in=("waiting", "unmatched")),
                name="treasury_bankreportrow_effect_on_whom",
            ),
        )
        indexes = (
            models.Index(
                fields=("report",),
                condition=Q(applied_at=None),
                name="treasury_bankreportrow_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"row {self.number} of {self.report_id}"
