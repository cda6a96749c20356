"""A service charge: what one owner alone is charged."""

from django.db import models
from django.db.models import Q

from ledger.models.account import POSITIVE_AMOUNT, MoneyField
from ledger.money import LARGEST_AMOUNT
from periods.models.instalment import Instalment
from periods.models.meter import Reading
from periods.models.owner import Owner
from periods.models.recorded import Recorded
from periods.states import ChargeKind

SIGNED = (ChargeKind.CONSUMPTION, ChargeKind.ADJUSTMENT, ChargeKind.LATE_FEE)


class ServiceCharge(Recorded):
    """An amount that one owner owes the association, shared with nobody.

    A charge for consumption names its ``reading``, a late fee its ``instalment``. What corrects an earlier
    period, an estimate or a fee may be negative: then the association owes it him.
    """

    noun = "charge"

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="charges")
    kind = models.CharField(max_length=12, choices=ChargeKind.choices, default=ChargeKind.CHARGE)
    amount = MoneyField()
    date = models.DateField()
    description = models.CharField(max_length=500)
    reading = models.ForeignKey(
        Reading, on_delete=models.PROTECT, null=True, editable=False, related_name="charges"
    )
    instalment = models.ForeignKey(
        Instalment, on_delete=models.PROTECT, null=True, editable=False, related_name="late_fees"
    )

    class Meta:
        verbose_name = "charge"
        ordering = ("date", "recorded_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("id", "association"), name="periods_servicecharge_copied"
            ),
            models.CheckConstraint(
                condition=POSITIVE_AMOUNT
                | Q(kind__in=SIGNED, amount__lt=0, amount__gt=-LARGEST_AMOUNT),
                name="periods_servicecharge_amount",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ChargeKind.values), name="periods_servicecharge_kind"
            ),
            models.UniqueConstraint(
                fields=("reading", "owner"),
                condition=Q(reading__isnull=False, voided_at__isnull=True),
                name="periods_servicecharge_once",
            ),
            models.CheckConstraint(
                condition=Q(reading__isnull=True) | Q(kind=ChargeKind.CONSUMPTION),
                name="periods_servicecharge_reading",
            ),
            models.UniqueConstraint(
                fields=("instalment", "date"),
                condition=Q(instalment__isnull=False, voided_at__isnull=True),
                name="periods_servicecharge_late_once",
            ),
            models.CheckConstraint(
                condition=Q(instalment__isnull=True) | Q(kind=ChargeKind.LATE_FEE),
                name="periods_servicecharge_instalment",
            ),
        )
        indexes = (
            models.Index(
                fields=("period", "date", "recorded_at", "id"), name="periods_charge_listed"
            ),
            models.Index(fields=("owner", "date"), name="periods_charge_owner"),
        )

    def __str__(self) -> str:
        return f"{self.owner} {self.description}"
