"""What a close shared among the owners: by which weights, and how much each bears of each expense."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ledger.clock import DatabaseClock
from ledger.models import JournalEntry
from ledger.models.account import MoneyField
from periods.models.association import Association
from periods.models.budget_item import BudgetItem
from periods.models.expense import Expense
from periods.models.period import ServicePeriod
from periods.models.referenced import Referenced
from periods.states import RemainderRule


def whole_number() -> models.DecimalField:
    """A weight as an exact whole number: the proportion is what counts."""
    return models.DecimalField(max_digits=60, decimal_places=0)


class AllocationRun(Referenced, models.Model):
    """One sharing of a period's expenses, from the close until the period is reopened.

    ``rule`` says who got the cents left over. ``journal_entry`` moves the costs to the owners; it is
    reversed with the run, null where there was nothing to share.
    """

    noun = "allocation_run"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.ForeignKey(Association, on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(
        ServicePeriod, on_delete=models.PROTECT, related_name="allocation_runs"
    )
    number = models.PositiveIntegerField()
    rule = models.CharField(max_length=20, choices=RemainderRule.choices)
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, related_name="+"
    )
    run_at = models.DateTimeField(db_default=DatabaseClock(), editable=False)
    run_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ("period", "number")
        constraints = (
            models.UniqueConstraint(
                fields=("period", "number"), name="periods_allocationrun_number"
            ),
            models.UniqueConstraint(
                fields=("period",),
                condition=Q(reversed_at__isnull=True),
                name="periods_allocationrun_live",
            ),
            models.CheckConstraint(
                condition=Q(rule__in=RemainderRule.values), name="periods_allocationrun_rule"
            ),
            models.CheckConstraint(
                condition=Q(reversed_at__isnull=True, reversed_by__isnull=True)
                | Q(reversed_at__isnull=False, reversed_by__isnull=False),
                name="periods_allocationrun_reversed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.period} {self.number}"

    @property
    def posting_reference(self) -> str:
        """The reference under which the run stands in the books."""
        return f"periods.period:{self.period_id}:allocation:{self.number}"


class AllocationBasis(models.Model):
    """By what the expenses of one budget item were shared, or the refunds of an earlier one.

    ``properties`` share by ``weights``; of each amount ``base_percent`` goes by ``base_weights`` first. Then
    each property's part goes to its owners by days: the n-th of ``held_by`` had the property at place
    ``held_places[n]`` for ``held_days[n]`` days. ``owners`` are all who share, in the order of the shares.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(AllocationRun, on_delete=models.PROTECT, related_name="bases")
    item = models.ForeignKey(BudgetItem, on_delete=models.PROTECT, related_name="+")
    properties = ArrayField(models.UUIDField())
    weights = ArrayField(whole_number())
    base_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    base_weights = ArrayField(whole_number(), null=True)
    held_places = ArrayField(models.IntegerField())
    held_by = ArrayField(models.UUIDField())
    held_days = ArrayField(models.IntegerField())
    owners = ArrayField(models.UUIDField())

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(base_percent__isnull=True, base_weights__isnull=True)
                | Q(base_percent__isnull=False, base_weights__isnull=False),
                name="periods_allocationbasis_base",
            ),
        )

    def __str__(self) -> str:
        return str(self.item)


class AllocatedExpense(models.Model):
    """What each owner bears of one expense; a refund's amount and shares are negative.

    ``shares`` are in the order of the basis' owners and add up to ``amount`` (T1, kept by the database).
    Without a basis nobody shares it: it stays with the association.
    """

    run = models.ForeignKey(AllocationRun, on_delete=models.PROTECT, related_name="allocated")
    expense = models.ForeignKey(Expense, on_delete=models.PROTECT, related_name="allocations")
    basis = models.ForeignKey(
        AllocationBasis, on_delete=models.PROTECT, null=True, related_name="allocated"
    )
    amount = MoneyField()
    shares = ArrayField(MoneyField())

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run", "expense"), name="periods_allocatedexpense_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.expense} {self.amount}"

    def by_owner(self) -> dict[uuid.UUID, Decimal]:
        """Return what each owner bears; nobody when it stays with the association."""
        owners = self.basis.owners if self.basis else []
        return dict(zip(owners, self.shares, strict=True))
