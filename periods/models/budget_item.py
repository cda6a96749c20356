"""A budget item: what is planned for one kind of cost, and how it is shared."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from ledger.clock import DatabaseClock
from ledger.models.account import MoneyField
from ledger.money import LARGEST_AMOUNT
from periods.models.association import Association
from periods.models.period import ServicePeriod
from periods.models.property import Property
from periods.models.referenced import Referenced
from periods.states import Billing, Fallback, Strategy


class BudgetItem(Referenced, models.Model):
    """How expenses of one payment type are shared in a period.

    ``scope`` are the properties that share, none meaning all active ones. ``base_percent`` of each amount is
    shared by weight before the rest goes by consumption (USAGE_BASED).
    """

    noun = "budget_item"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(ServicePeriod, on_delete=models.PROTECT, related_name="budget_items")
    payment_type = models.CharField(max_length=80)
    budgeted_cost = MoneyField()
    allocation_strategy = models.CharField(max_length=12, choices=Strategy.choices)
    base_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    fallback = models.CharField(
        max_length=8, choices=Fallback.choices, default=Fallback.NONE, blank=True
    )
    billing = models.CharField(max_length=10, choices=Billing.choices, default=Billing.SHARE)
    scope = models.ManyToManyField(
        Property, through="ScopedProperty", blank=True, related_name="budget_items"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)

    class Meta:
        ordering = ("period", "recorded_at", "id")
        constraints = (
            models.UniqueConstraint(
                "period", Lower("payment_type"), name="periods_budgetitem_payment_type"
            ),
            models.UniqueConstraint(fields=("id", "period"), name="periods_budgetitem_period"),
            models.UniqueConstraint(fields=("id", "association"), name="periods_budgetitem_copied"),
            models.CheckConstraint(
                condition=Q(budgeted_cost__gte=0, budgeted_cost__lt=LARGEST_AMOUNT),
                name="periods_budgetitem_cost",
            ),
            models.CheckConstraint(
                condition=Q(allocation_strategy__in=Strategy.values),
                name="periods_budgetitem_strategy",
            ),
            models.CheckConstraint(
                condition=Q(base_percent__isnull=True)
                | Q(
                    base_percent__gte=0,
                    base_percent__lte=100,
                    allocation_strategy=Strategy.USAGE_BASED,
                ),
                name="periods_budgetitem_base_percent",
            ),
            models.CheckConstraint(
                condition=Q(fallback=Fallback.NONE)
                | Q(
                    fallback__in=(Fallback.EQUAL, Fallback.BY_SHARE),
                    allocation_strategy=Strategy.USAGE_BASED,
                ),
                name="periods_budgetitem_fallback",
            ),
            models.CheckConstraint(
                condition=Q(billing=Billing.SHARE)
                | Q(billing=Billing.UNIT_PRICE, allocation_strategy=Strategy.USAGE_BASED),
                name="periods_budgetitem_billing",
            ),
        )

    def __str__(self) -> str:
        return self.payment_type


class ScopedProperty(models.Model):
    """One of the properties that share a budget item's expenses."""

    item = models.ForeignKey(BudgetItem, on_delete=models.CASCADE, related_name="scoped")
    property = models.ForeignKey(Property, on_delete=models.PROTECT, related_name="+")
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("item", "property"), name="periods_scopedproperty_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.property)
