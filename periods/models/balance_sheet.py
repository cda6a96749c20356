"""Balance sheets as they were handed out: every version stays."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced
from periods.states import RemainderRule


class BalanceSheet(Referenced, models.Model):
    """One version of a period's balance sheet.

    ``document`` is canonical JSON and ``hash`` its SHA-256: it carries neither version nor instant, so that a
    close that changes nothing makes no new version. Cash and equity are what the next period opens with.
    """

    noun = "balance_sheet"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="sheets")
    version = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    rule = models.CharField(max_length=20, choices=RemainderRule.choices)
    cash_closing = MoneyField()
    equity_closing = MoneyField()
    document = models.TextField()
    generated_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    generated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("period", "version")
        constraints = (
            models.UniqueConstraint(
                fields=("period", "version"), name="periods_balancesheet_version"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="periods_balancesheet_first_version"
            ),
            models.CheckConstraint(
                condition=Q(rule__in=RemainderRule.values), name="periods_balancesheet_rule"
            ),
        )

    def __str__(self) -> str:
        return f"{self.period} version {self.version}"


def column() -> MoneyField:
    """A column of the sheet, signed as a balance is: above zero the association owes it."""
    return MoneyField(default=0)


def reference(to: Any) -> Any:
    """A foreign key that a trigger checks for all lines of a statement at once."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, related_name="sheet_lines", db_constraint=False
    )


class SheetLine(models.Model):
    """One owner's line of a balance sheet; who has nothing on it has no line."""

    sheet = models.ForeignKey(
        BalanceSheet,
        on_delete=models.PROTECT,
        related_name="lines",
        db_constraint=False,
        db_index=False,
    )
    owner: models.ForeignKey[Owner, Owner] = reference(Owner)
    opening = column()
    contributions = column()
    expenses_paid = column()
    allocated = column()
    service_charges = column()
    closing = column()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "owner"), name="periods_sheetline_once"),
            models.CheckConstraint(
                condition=Q(
                    closing=F("opening")
                    + F("contributions")
                    + F("expenses_paid")
                    - F("allocated")
                    - F("service_charges")
                ),
                name="periods_sheetline_closing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.closing}"
