"""A replenishment: a fund runs low and asks to be filled."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company, JournalEntry
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from ledger.money import Money
from treasury.models.delegation import Delegation
from treasury.models.fund import TreasuryFund
from treasury.states import OPEN_REPLENISHMENTS, ReplenishmentStatus


class ReplenishmentRequest(models.Model):
    """A request to fill a fund; nothing is credited before it is funded.

    ``current_balance`` is what the fund held when it was made. ``requested_by`` is empty when the fund
    asked by itself (``auto_triggered``).
    """

    request_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fund = models.ForeignKey(TreasuryFund, on_delete=models.PROTECT, related_name="replenishments")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    current_balance = MoneyField()
    requested_amount = MoneyField()
    reason = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=ReplenishmentStatus.choices, default=ReplenishmentStatus.PENDING
    )
    auto_triggered = models.BooleanField(default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
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
    funded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    funded_at = models.DateTimeField(null=True, editable=False)
    journal_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, related_name="replenishment"
    )

    class Meta:
        ordering = ("-created_at", "-request_id")
        constraints = (
            models.UniqueConstraint(
                fields=("fund",),
                condition=Q(status__in=sorted(OPEN_REPLENISHMENTS)),
                name="treasury_replenishment_one_open",
            ),
            models.CheckConstraint(
                condition=Q(requested_amount__gt=0), name="treasury_replenishment_amount"
            ),
            models.CheckConstraint(
                condition=Q(auto_triggered=True) | Q(requested_by__isnull=False),
                name="treasury_replenishment_recorded_by",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("requested_by")),
                name="treasury_replenishment_approved_by_another",
            ),
            # A fund that asks by itself has no other second person.
            models.CheckConstraint(
                condition=~Q(funded_by=F("approved_by")) & ~Q(funded_by=F("approved_for")),
                name="treasury_replenishment_funded_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(approved_for=F("requested_by")) & ~Q(approved_for=F("approved_by")),
                name="treasury_replenishment_approved_for_another",
            ),
            models.CheckConstraint(
                condition=Q(approved_for__isnull=True, delegation__isnull=True)
                | Q(approved_for__isnull=False, delegation__isnull=False),
                name="treasury_replenishment_delegated_whole",
            ),
            models.CheckConstraint(
                condition=~Q(rejected_by=F("requested_by")),
                name="treasury_replenishment_rejected_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(ReplenishmentStatus.APPROVED, ReplenishmentStatus.FUNDED))
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="treasury_replenishment_approved_whole",
            ),
            models.CheckConstraint(
                condition=~Q(status=ReplenishmentStatus.FUNDED)
                | Q(funded_by__isnull=False, funded_at__isnull=False, journal_entry__isnull=False),
                name="treasury_replenishment_funded_whole",
            ),
        )
        indexes = (
            models.Index(fields=("company", "-created_at"), name="treasury_replenishment_recent"),
            models.Index(
                fields=("created_at", "request_id"),
                condition=Q(status=ReplenishmentStatus.PENDING),
                name="treasury_replenishment_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"Replenishment of {Money(self.requested_amount, self.currency)}"

    @property
    def reference(self) -> str:
        """The name under which the books and the audit trail know this request."""
        return f"treasury.replenishment:{self.request_id}"
