"""A contribution: what an owner pays in."""

from django.db import models

from ledger.models.account import POSITIVE_AMOUNT, MoneyField
from periods.models.owner import Owner
from periods.models.recorded import Recorded


class Contribution(Recorded):
    """An amount that an owner paid to the association on a day of the period."""

    noun = "contribution"

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="contributions")
    amount = MoneyField()
    date = models.DateField()
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("date", "recorded_at", "id")
        constraints = (
            models.CheckConstraint(condition=POSITIVE_AMOUNT, name="periods_contribution_amount"),
        )
        indexes = (
            models.Index(
                fields=("period", "date", "recorded_at", "id"), name="periods_contribution_listed"
            ),
            models.Index(fields=("owner", "date"), name="periods_contribution_owner"),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.date}"
