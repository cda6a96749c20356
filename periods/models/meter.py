"""Meters and what they read in a period."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.budget_item import BudgetItem
from periods.models.period import ServicePeriod
from periods.models.property import Property
from periods.models.referenced import Referenced
from periods.states import ReadingKind


class Meter(Referenced, models.Model):
    """A meter of one property, or the main meter of the house when ``property`` is null.

    It measures for the budget item of its ``payment_type`` in every period, that of ``budget_item`` when it
    was set up. ``digits`` is how many its counter has before it starts again at zero; readings are multiplied
    by ``multiplier``.
    """

    noun = "meter"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="meters")
    property = models.ForeignKey(
        Property, on_delete=models.PROTECT, null=True, blank=True, related_name="meters"
    )
    budget_item = models.ForeignKey(BudgetItem, on_delete=models.PROTECT, related_name="+")
    payment_type = models.CharField(max_length=80, editable=False)
    label = models.CharField(max_length=80, blank=True)
    digits = models.PositiveSmallIntegerField(default=6)
    multiplier = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(1))
    retired_on = models.DateField(null=True, blank=True, help_text="From this day it is not read.")
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("association", "created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("id", "association"), name="periods_meter_copied"),
            models.CheckConstraint(
                condition=Q(digits__gte=1, digits__lte=11), name="periods_meter_digits"
            ),
            models.CheckConstraint(
                condition=Q(multiplier__gt=0, multiplier__lt=Decimal(10) ** 8),
                name="periods_meter_multiplier",
            ),
        )

    def __str__(self) -> str:
        place = self.property.label if self.property else "main"
        return self.label or f"{self.payment_type}: {place}"

    def is_used_in(self, period: ServicePeriod) -> bool:
        """Whether it wants a reading for the period."""
        in_use = self.retired_on is None or self.retired_on > period.start_date
        return in_use and (self.property is None or self.property.active)


class Reading(Referenced, models.Model):
    """What a meter counted between two days of a period; a replaced meter has two in one period.

    ``consumption`` is in the meter's unit after its multiplier; a CORRECTION may be negative. ``total_cost``
    is consumption times ``unit_price``, rounded half up once, null without a price.
    """

    noun = "reading"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="readings")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="readings")
    kind = models.CharField(max_length=12, choices=ReadingKind.choices, default=ReadingKind.ACTUAL)
    from_on = models.DateField()
    to_on = models.DateField()
    meter_start_reading = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    meter_end_reading = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    rolled_over = models.BooleanField(default=False)
    consumption = models.DecimalField(max_digits=20, decimal_places=7, editable=False)
    unit_price = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    total_cost = MoneyField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("to_on", "recorded_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("meter", "to_on"),
                condition=Q(voided_at__isnull=True),
                name="periods_reading_day",
            ),
            models.UniqueConstraint(fields=("id", "association"), name="periods_reading_copied"),
            models.CheckConstraint(
                condition=Q(from_on__lte=F("to_on")), name="periods_reading_order"
            ),
            models.CheckConstraint(
                condition=Q(kind=ReadingKind.CORRECTION) | Q(consumption__gte=0),
                name="periods_reading_consumption",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReadingKind.values), name="periods_reading_kind"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__isnull=True) | Q(unit_price__gte=0),
                name="periods_reading_price",
            ),
        )
        indexes = (models.Index(fields=("period", "to_on", "id"), name="periods_reading_listed"),)

    def __str__(self) -> str:
        return f"{self.meter} to {self.to_on}"
