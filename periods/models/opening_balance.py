"""What an association brings along that starts in mid-life."""

import uuid

from django.conf import settings
from django.db import models

from ledger.clock import DatabaseClock
from ledger.models import JournalEntry
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.owner import Owner
from periods.models.referenced import Referenced


class OpeningBalances(Referenced, models.Model):
    """The cash an association had and what it owed its owners, the day before its first period.

    ``equity`` is the rest: what belongs to all of them. The lines, one per owner, add up to cash less equity.
    """

    noun = "opening_balances"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.OneToOneField(
        Association, on_delete=models.PROTECT, related_name="opening_balances"
    )
    on = models.DateField()
    cash = MoneyField()
    equity = MoneyField()
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        verbose_name_plural = "opening balances"
        ordering = ("association",)
        constraints = (
            models.UniqueConstraint(
                fields=("id", "association"), name="periods_openingbalances_copied"
            ),
        )

    def __str__(self) -> str:
        return f"{self.association} {self.on}"


class OwnerOpening(models.Model):
    """What the association owed one owner; negative: he owed it."""

    opening = models.ForeignKey(OpeningBalances, on_delete=models.PROTECT, related_name="lines")
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    owner = models.OneToOneField(Owner, on_delete=models.PROTECT, related_name="opening")
    amount = MoneyField()

    class Meta:
        ordering = ("opening", "owner__number")

    def __str__(self) -> str:
        return f"{self.owner} {self.amount}"
