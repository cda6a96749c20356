"""What one may ask periods. Staff see what lies within reach of their roles."""

from django.db.models import Q, QuerySet

from ledger.access import visible
from ledger.models import User
from periods.models import (
    Association,
    BudgetItem,
    Contribution,
    Expense,
    Meter,
    Owner,
    Property,
    Reading,
    ServiceCharge,
    ServicePeriod,
)
from periods.states import ExpenseKind
from treasury.states import RequisitionStatus

PLACE = "association__"


def associations_seen_by(user: User) -> QuerySet[Association]:
    """The associations within the user's reach."""
    return visible(Association.objects.all(), user)


def owners_seen_by(user: User) -> QuerySet[Owner]:
    """The owners of these associations, with their accounts."""
    return visible(Owner.objects.select_related("account"), user, prefix=PLACE)


def properties_seen_by(user: User) -> QuerySet[Property]:
    """Their properties, with who owns and owned them."""
    rows = Property.objects.prefetch_related("ownerships__owner")
    return visible(rows, user, prefix=PLACE)


def periods_seen_by(user: User) -> QuerySet[ServicePeriod]:
    """Their periods."""
    return visible(ServicePeriod.objects.select_related("association"), user, prefix=PLACE)


def budget_items_seen_by(user: User) -> QuerySet[BudgetItem]:
    """Their budget items, with their scopes."""
    rows = BudgetItem.objects.select_related("association").prefetch_related("scope")
    return visible(rows, user, prefix=PLACE)


def contributions_seen_by(user: User) -> QuerySet[Contribution]:
    """Their contributions."""
    return visible(Contribution.objects.select_related("association"), user, prefix=PLACE)


def expenses_seen_by(user: User) -> QuerySet[Expense]:
    """Their expenses, with the requisitions that pay them."""
    rows = Expense.objects.select_related("association", "requisition")
    return visible(rows.defer("requisition__destination"), user, prefix=PLACE)


def expenses_to_pay(association: Association) -> QuerySet[Expense]:
    """What an association with a fund owes for: expenses of its own that treasury has not paid."""
    rows = Expense.objects.filter(association=association, association__fund__isnull=False)
    rows = rows.filter(kind=ExpenseKind.EXPENSE, paid_by=None, voided_at=None)
    paid = Q(requisition__status=RequisitionStatus.PAID, requisition__isnull=False)
    return rows.exclude(paid).select_related("association", "requisition")


def charges_seen_by(user: User) -> QuerySet[ServiceCharge]:
    """Their service charges."""
    return visible(ServiceCharge.objects.select_related("association"), user, prefix=PLACE)


def meters_seen_by(user: User) -> QuerySet[Meter]:
    """Their meters."""
    return visible(Meter.objects.select_related("association", "property"), user, prefix=PLACE)


def readings_seen_by(user: User) -> QuerySet[Reading]:
    """Their readings."""
    return visible(Reading.objects.select_related("association"), user, prefix=PLACE)
