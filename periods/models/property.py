"""A property and who owns it when."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from periods.models.association import Association
from periods.models.owner import Owner
from periods.models.referenced import Referenced


class Property(Referenced, models.Model):
    """A flat, shop or plot with its weight in sharing costs; an inactive one shares in nothing.

    ``number`` counts the properties of the association and decides ties between equal shares.
    """

    noun = "property"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(
        Association, on_delete=models.PROTECT, related_name="properties"
    )
    number = models.PositiveIntegerField(editable=False)
    label = models.CharField(max_length=120)
    share_weight = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(1))
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        verbose_name_plural = "properties"
        ordering = ("association", "number")
        constraints = (
            models.UniqueConstraint(fields=("association", "label"), name="periods_property_label"),
            models.UniqueConstraint(
                fields=("association", "number"), name="periods_property_number"
            ),
            models.UniqueConstraint(fields=("id", "association"), name="periods_property_copied"),
            models.CheckConstraint(
                # PostgreSQL counts NaN as greater than every number; the upper bound keeps it out.
                condition=Q(share_weight__gte=0, share_weight__lt=Decimal(10) ** 8),
                name="periods_property_weight",
            ),
        )

    def __str__(self) -> str:
        return self.label


class Ownership(models.Model):
    """Who owns a property from a day on, until the day before the next one.

    A foreign key ties the day on which one ends to the day on which the next begins, so that neither a gap
    nor an overlap can be written (``sql/laws.sql``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    property = models.ForeignKey(Property, on_delete=models.PROTECT, related_name="ownerships")
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="ownerships")
    from_on = models.DateField()
    until_on = models.DateField(null=True, help_text="The first day on which it is another's.")
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("property", "from_on")
        constraints = (
            models.UniqueConstraint(fields=("property", "from_on"), name="periods_ownership_from"),
            # With at most one that goes on, and ends tied to beginnings, they follow each other.
            models.UniqueConstraint(
                fields=("property",),
                condition=Q(until_on__isnull=True),
                name="periods_ownership_last",
            ),
            models.UniqueConstraint(
                fields=("property", "until_on"), name="periods_ownership_until"
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gt=F("from_on")),
                name="periods_ownership_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner} from {self.from_on}"
