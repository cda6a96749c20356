"""What periods keeps; one file per noun."""

from periods.models.association import Association
from periods.models.budget_item import BudgetItem, ScopedProperty
from periods.models.charge import ServiceCharge
from periods.models.contribution import Contribution
from periods.models.expense import Expense
from periods.models.instalment import Instalment, InstalmentPlan, LateFeeRule
from periods.models.meter import Meter, Reading
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.property import Ownership, Property
from periods.models.statement import Reminder, Statement

__all__ = [
    "Association",
    "BudgetItem",
    "Contribution",
    "Expense",
    "Instalment",
    "InstalmentPlan",
    "LateFeeRule",
    "Meter",
    "Owner",
    "Ownership",
    "Property",
    "Reading",
    "ScopedProperty",
    "Reminder",
    "ServiceCharge",
    "ServicePeriod",
    "Statement",
]
