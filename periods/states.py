"""The statuses and choices of periods, and which status may follow which.

The transition table is used by Python and, through a migration, by the trigger that guards the column.
"""

from collections.abc import Mapping, Set

from django.db import models

Transitions = Mapping[str, Set[str]]


class PeriodStatus(models.TextChoices):
    OPEN = "OPEN", "Open"
    CLOSED = "CLOSED", "Closed"
    STALE = "STALE", "Stale"


PERIOD: Transitions = {
    "": {"OPEN"},
    "OPEN": {"CLOSED"},
    # Stale when an earlier period was reopened: what it starts from may change.
    "CLOSED": {"OPEN", "STALE"},
    "STALE": {"OPEN", "CLOSED"},
}


class RemainderRule(models.TextChoices):
    """Who gets the minor units that an exact split leaves over (reference 4f)."""

    LARGEST_REMAINDER = "LARGEST_REMAINDER", "Largest remainder"
    LARGEST_HOLDER = "LARGEST_HOLDER", "Largest share holder"


class Recalculation(models.TextChoices):
    """What a correction in a closed period does to the closed ones after it (reference 4h)."""

    RECALCULATE = "RECALCULATE", "Recalculate later periods"
    FREEZE_DOWNSTREAM = "FREEZE_DOWNSTREAM", "Freeze later periods, adjust the first open one"


class Strategy(models.TextChoices):
    PROPORTIONAL = "PROPORTIONAL", "By share weight"
    FIXED_FEE = "FIXED_FEE", "Equal for each property"
    USAGE_BASED = "USAGE_BASED", "By consumption"
    NONE = "NONE", "Not shared"


class Fallback(models.TextChoices):
    """How a cost is shared when nothing was consumed; none means that the close is refused."""

    NONE = "", "None: refuse"
    EQUAL = "EQUAL", "Equal for each property"
    BY_SHARE = "BY_SHARE", "By share weight"


class Billing(models.TextChoices):
    """Whether readings weigh in sharing the item's expenses, or are charged at their own price."""

    SHARE = "share", "Share of the item's expenses"
    UNIT_PRICE = "unit_price", "Consumption times unit price"


class ExpenseKind(models.TextChoices):
    EXPENSE = "expense", "Expense"
    REFUND = "refund", "Refund"


class ReadingKind(models.TextChoices):
    ACTUAL = "ACTUAL", "Actual"
    ESTIMATED = "ESTIMATED", "Estimated"
    INTERPOLATED = "INTERPOLATED", "Interpolated"
    CORRECTION = "CORRECTION", "Correction"


class ChargeKind(models.TextChoices):
    CHARGE = "charge", "Service charge"
    LATE_FEE = "late_fee", "Late fee"
    CONSUMPTION = "consumption", "Consumption"
    ADJUSTMENT = "adjustment", "Prior period adjustment"
