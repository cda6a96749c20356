"""How much may leave in a day, and how soon after a payee's destination changed: rules as data."""

import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from ledger.clock import DatabaseClock
from ledger.models import Company
from ledger.models.account import MoneyField
from ledger.models.organisation import CurrencyField
from treasury.calendar import SATURDAY, SUNDAY, Roll
from treasury.models.fund import TreasuryFund

LONGEST_COOLING_OFF_H = 30 * 24


def saturday_and_sunday() -> list[int]:
    return [SATURDAY, SUNDAY]


class LimitScope(models.TextChoices):
    """What a limit counts together, in one company and currency."""

    DESTINATION = "destination", "One destination"
    FUND = "fund", "One fund"
    PAYEE = "payee", "One payee"


class SpendingLimit(models.Model):
    """At most so many payments, and so much money, to one payee or destination or from one fund a day.

    The day is the company's civil day. A number that is null is no limit; a row with neither switches the
    limit off, and for one ``fund`` exempts it from the limit of all funds (``fund`` null). What was spent
    is counted in ``DailySpending`` only while a limit asks for it; when a limit is set the database counts
    the day anew.
    """

    limit_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="spending_limits")
    currency = CurrencyField()
    scope = models.CharField(max_length=12, choices=LimitScope.choices)
    fund = models.ForeignKey(
        TreasuryFund,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="spending_limits",
        help_text="Empty: every fund without a limit of its own.",
    )
    most_payments = models.PositiveIntegerField(null=True, blank=True)
    most_amount = MoneyField(null=True, blank=True)

    class Meta:
        ordering = ("company", "currency", "scope", F("fund").asc(nulls_first=True), "limit_id")
        constraints = (
            models.UniqueConstraint(
                fields=("company", "currency", "scope", "fund"),
                nulls_distinct=False,
                name="treasury_limit_once",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=LimitScope.values), name="treasury_limit_scope"
            ),
            models.CheckConstraint(
                condition=Q(fund__isnull=True) | Q(scope=LimitScope.FUND),
                name="treasury_limit_fund_of_scope",
            ),
            models.CheckConstraint(
                condition=Q(most_payments__isnull=True) | Q(most_payments__gte=1),
                name="treasury_limit_payments",
            ),
            models.CheckConstraint(
                condition=Q(most_amount__isnull=True) | Q(most_amount__gt=0),
                name="treasury_limit_amount",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_scope_display()}, {self.currency}, a day"

    @property
    def is_on(self) -> bool:
        """Whether it limits anything."""
        return self.most_payments is not None or self.most_amount is not None


class DailySpending(models.Model):
    """What has left, or may have left, on one civil day for one key of a limit's scope.

    ``key`` is the keyed hash of a payee or destination, or a fund's id: nothing to read. Two funds that pay
    one destination meet at its row. The database keeps the rows, from the payments' ``spent_on``; the
    application can only read them.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = CurrencyField()
    scope = models.CharField(max_length=12, choices=LimitScope.choices)
    key = models.CharField(max_length=64)
    on = models.DateField()
    payments = models.IntegerField()
    amount = MoneyField()

    class Meta:
        verbose_name_plural = "daily spending"
        ordering = ("company", "currency", "scope", "key", "on")
        constraints = (
            models.UniqueConstraint(
                fields=("company", "currency", "scope", "key", "on"),
                name="treasury_dailyspending_once",
            ),
            models.CheckConstraint(
                condition=Q(payments__gte=0, amount__gte=0), name="treasury_dailyspending_counted"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} on {self.on}"


class PayeeDestination(models.Model):
    """That a requisition to this payee at this destination was approved, for the first time ``since``.

    Both are keyed hashes; written by the database with the approval, append-only. Cash has no destination
    that could be somebody else's, so it leaves no row.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    payee_index = models.CharField(max_length=64)
    destination_index = models.CharField(max_length=64)
    since = models.DateTimeField(db_default=DatabaseClock())

    class Meta:
        ordering = ("company", "payee_index", "since")
        constraints = (
            models.UniqueConstraint(
                fields=("company", "payee_index", "destination_index"),
                name="treasury_payeedestination_once",
            ),
        )

    def __str__(self) -> str:
        return f"a destination since {self.since}"


class PaymentRules(models.Model):
    """How a company pays, whatever the currency; a company without a row has these defaults."""

    company = models.OneToOneField(
        Company, on_delete=models.PROTECT, primary_key=True, related_name="payment_rules"
    )
    cooling_off_hours = models.PositiveSmallIntegerField(
        default=0,
        help_text="How long a payee's new destination is not paid to; 0: at once.",
    )
    weekend = ArrayField(
        models.PositiveSmallIntegerField(),
        default=saturday_and_sunday,
        blank=True,
        help_text="Weekdays on which scheduled payments do not go out; 0 is Monday.",
    )
    cut_off = models.TimeField(
        null=True,
        blank=True,
        help_text="Local time from which a scheduled payment waits for the next business day.",
    )
    roll = models.CharField(
        max_length=8,
        choices=[(roll.value, f"The {roll.value} business day") for roll in Roll],
        default=Roll.NEXT.value,
        help_text="Where a payment goes that is due on no business day.",
    )

    class Meta:
        verbose_name_plural = "payment rules"
        ordering = ("company",)
        constraints = (
            models.CheckConstraint(
                condition=Q(cooling_off_hours__lte=LONGEST_COOLING_OFF_H),
                name="treasury_paymentrules_cooling_off",
            ),
            models.CheckConstraint(
                condition=Q(weekend__contained_by=list(range(7))) & ~Q(weekend__len=7),
                name="treasury_paymentrules_weekend",
            ),
            models.CheckConstraint(
                condition=Q(roll__in=list(Roll)), name="treasury_paymentrules_roll"
            ),
        )

    def __str__(self) -> str:
        return f"Payment rules of {self.company}"

    @property
    def cooling_off(self) -> timedelta:
        return timedelta(hours=self.cooling_off_hours)
