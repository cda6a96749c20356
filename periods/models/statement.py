"""Statements and reminders: what owners are sent."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.balance_sheet import BalanceSheet
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced


class Mailed(models.Model):
    """A mail to an owner that goes out after the commit; without an address it waits for one."""

    email = models.EmailField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    try_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class Statement(Referenced, Mailed):
    """What one owner was told about a period, under one version of its balance sheet.

    ``number`` counts the association's statements; ``previous`` is the one before of the same owner. ``facts``
    are all that stands on it, so that it can be printed again as it was.
    """

    noun = "statement"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="statements")
    sheet = models.ForeignKey(BalanceSheet, on_delete=models.PROTECT, related_name="statements")
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="statements")
    number = models.PositiveIntegerField()
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="next"
    )
    closing = MoneyField()
    facts = models.JSONField()
    issued_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("period__start_date", "sheet__version", "owner__number")
        constraints = (
            models.UniqueConstraint(fields=("sheet", "owner"), name="periods_statement_once"),
            models.UniqueConstraint(
                fields=("association", "number"), name="periods_statement_number"
            ),
        )
        indexes = (
            models.Index(
                fields=("try_at",),
                condition=Q(sent_at__isnull=True) & ~Q(email=""),
                name="periods_statement_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number:06}"


class Reminder(Referenced, Mailed):
    """A reminder to an owner of what he owes, at most one a day."""

    noun = "reminder"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="reminders")
    on = models.DateField()
    owed = MoneyField()
    reminded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reminded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("-on", "owner__number")
        constraints = (
            models.UniqueConstraint(fields=("owner", "on"), name="periods_reminder_once"),
            models.CheckConstraint(condition=Q(owed__gt=0), name="periods_reminder_owed"),
        )
        indexes = (
            models.Index(
                fields=("try_at",),
                condition=Q(sent_at__isnull=True) & ~Q(email=""),
                name="periods_reminder_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.on}"
