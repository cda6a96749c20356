"""What periods keeps; one file per noun."""

from periods.models.allocation_run import AllocatedExpense, AllocationBasis, AllocationRun
from periods.models.association import Association
from periods.models.balance_sheet import BalanceSheet, SheetLine
from periods.models.budget_item import BudgetItem, ScopedProperty
from periods.models.charge import ServiceCharge
from periods.models.contribution import Contribution
from periods.models.expense import Expense
from periods.models.instalment import Instalment, InstalmentPlan, LateFeeRule
from periods.models.meter import Meter, Reading
from periods.models.opening_balance import OpeningBalances, OwnerOpening
from periods.models.owner import Owner
from periods.models.period import ServicePeriod
from periods.models.property import Ownership, Property
from periods.models.recalculation import CarriedDifference, RecalculatedPeriod, RecalculationRun
from periods.models.reopening import ReopenRequest
from periods.models.statement import Reminder, Statement

__all__ = [
    "AllocatedExpense",
    "AllocationBasis",
    "AllocationRun",
    "Association",
    "BalanceSheet",
    "BudgetItem",
    "CarriedDifference",
    "Contribution",
    "Expense",
    "Instalment",
    "InstalmentPlan",
    "LateFeeRule",
    "Meter",
    "OpeningBalances",
    "Owner",
    "OwnerOpening",
    "Ownership",
    "Property",
    "Reading",
    "RecalculatedPeriod",
    "RecalculationRun",
    "Reminder",
    "ReopenRequest",
    "ScopedProperty",
    "ServiceCharge",
    "ServicePeriod",
    "SheetLine",
    "Statement",
]
