"""What owners are asked to pay by when, and what paying late costs them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models.account import POSITIVE_AMOUNT, ZERO, MoneyField
from periods.models.association import Association
from periods.models.budget_item import BudgetItem
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced


class LateFeeRule(Referenced, models.Model):
    """What an association asks of those who pay late (reference 4j); amounts in its currency.

    Nothing for ``grace_days`` after an instalment is due; then ``fixed_fee`` once, and simple interest of
    ``yearly_percent`` on what is still owed, at most ``legal_yearly_percent``, both up to ``cap`` in all.
    """

    noun = "late_fee_rule"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.OneToOneField(
        Association, on_delete=models.PROTECT, related_name="late_fee_rule"
    )
    grace_days = models.PositiveSmallIntegerField(default=0)
    fixed_fee = MoneyField(default=ZERO)
    yearly_percent = models.DecimalField(max_digits=6, decimal_places=3, default=ZERO)
    legal_yearly_percent = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True
    )
    cap = MoneyField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(fixed_fee__gte=0, yearly_percent__gte=0)
                & (Q(cap__isnull=True) | Q(cap__gte=0))
                & (Q(legal_yearly_percent__isnull=True) | Q(legal_yearly_percent__gte=0)),
                name="periods_latefeerule_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"Late fees of {self.association}"


class InstalmentPlan(Referenced, models.Model):
    """An amount that the owners of a period are asked for in instalments, each by his share.

    It asks and books nothing: what an owner pays is a contribution, and what he bears is shared when the
    period closes. A withdrawn plan asks for nothing any more.
    """

    noun = "instalment_plan"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(
        ServicePeriod, on_delete=models.PROTECT, related_name="instalment_plans"
    )
    budget_item = models.ForeignKey(
        BudgetItem, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    description = models.CharField(max_length=200)
    amount = MoneyField()
    instalments = models.PositiveSmallIntegerField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("period", "recorded_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("id", "association"), name="periods_instalmentplan_copied"
            ),
            models.CheckConstraint(
                condition=POSITIVE_AMOUNT & Q(instalments__gte=1),
                name="periods_instalmentplan_amount",
            ),
        )

    def __str__(self) -> str:
        return self.description


class Instalment(models.Model):
    """What one owner is asked to have paid by a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(InstalmentPlan, on_delete=models.PROTECT, related_name="parts")
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    amount = MoneyField()

    class Meta:
        ordering = ("due_on", "plan", "owner__number")
        constraints = (
            models.UniqueConstraint(
                fields=("plan", "owner", "number"), name="periods_instalment_once"
            ),
            models.UniqueConstraint(fields=("id", "owner"), name="periods_instalment_owner"),
            models.CheckConstraint(condition=POSITIVE_AMOUNT, name="periods_instalment_amount"),
        )
        indexes = (models.Index(fields=("owner", "due_on"), name="periods_instalment_due"),)

    def __str__(self) -> str:
        return f"{self.plan} {self.number}: {self.owner}"
