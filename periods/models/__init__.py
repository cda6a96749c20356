"""What periods keeps; one file per noun."""

from periods.models.association import Association
from periods.models.budget_item import BudgetItem, ScopedProperty
from periods.models.charge import ServiceCharge
from periods.models.contribution import Contribution
from periods.models.expense import Expense
from periods.models.meter import Meter, Reading
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.property import Ownership, Property

__all__ = [
    "Association",
    "BudgetItem",
    "Contribution",
    "Expense",
    "Meter",
    "Owner",
    "Ownership",
    "Property",
    "Reading",
    "ScopedProperty",
    "ServiceCharge",
    "ServicePeriod",
]
