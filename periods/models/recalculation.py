"""Recalculations: what closing a reopened period did to the periods after it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models import JournalEntry
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.balance_sheet import BalanceSheet
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced
from periods.models.reopening import ReopenRequest
from periods.states import Recalculation


class RecalculationRun(Referenced, models.Model):
    """A correction that was carried forward from ``period``: who did it, why, and what came of it.

    Under FREEZE_DOWNSTREAM the differences skip the closed periods and are charged in ``adjusted_period``;
    ``journal_entry`` holds them back in the books until then, and ``cash_difference`` is by how much the
    corrected period closes with more cash.
    """

    noun = "recalculation"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(
        Association, on_delete=models.PROTECT, related_name="recalculations"
    )
    period = models.ForeignKey(
        ServicePeriod, on_delete=models.PROTECT, related_name="recalculations"
    )
    request = models.ForeignKey(
        ReopenRequest, on_delete=models.PROTECT, null=True, related_name="recalculations"
    )
    policy = models.CharField(max_length=20, choices=Recalculation.choices)
    adjusted_period = models.ForeignKey(
        ServicePeriod, on_delete=models.PROTECT, null=True, related_name="adjusted_by"
    )
    cash_difference = MoneyField(default=0)
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, related_name="+"
    )
    run_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    run_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    duration_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ("run_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(policy=Recalculation.RECALCULATE, adjusted_period__isnull=True)
                | Q(policy=Recalculation.FREEZE_DOWNSTREAM, adjusted_period__isnull=False),
                name="periods_recalculationrun_policy",
            ),
        )

    def __str__(self) -> str:
        return f"{self.period} {self.run_at}"


class RecalculatedPeriod(models.Model):
    """A period that the run looked at: its sheet before and after, the same one where nothing changed."""

    run = models.ForeignKey(RecalculationRun, on_delete=models.PROTECT, related_name="periods")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey(BalanceSheet, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(BalanceSheet, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("run", "period__start_date")
        constraints = (
            models.UniqueConstraint(
                fields=("run", "period"), name="periods_recalculatedperiod_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.period)


class CarriedDifference(models.Model):
    """By how much one owner's balance is higher at the end of the corrected period, and ever after."""

    run = models.ForeignKey(RecalculationRun, on_delete=models.PROTECT, related_name="differences")
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="+")
    difference = MoneyField()

    class Meta:
        ordering = ("run", "owner__number")
        constraints = (
            models.UniqueConstraint(fields=("run", "owner"), name="periods_carrieddifference_once"),
            models.CheckConstraint(
                condition=~Q(difference=0), name="periods_carrieddifference_some"
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.difference}"
