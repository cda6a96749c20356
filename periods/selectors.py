"""What one may ask periods. Staff see what lies within reach of their roles."""

from django.db.models import QuerySet

from ledger.access import visible
from ledger.models import User
from periods.models import (
    Association,
    BalanceSheet,
    BudgetItem,
    Contribution,
    Expense,
    Meter,
    Owner,
    Property,
    Reading,
    RecalculationRun,
    ReopenRequest,
    ServiceCharge,
    ServicePeriod,
)

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
    return visible(rows, user, prefix=PLACE)


def charges_seen_by(user: User) -> QuerySet[ServiceCharge]:
    """Their service charges."""
    return visible(ServiceCharge.objects.select_related("association"), user, prefix=PLACE)


def meters_seen_by(user: User) -> QuerySet[Meter]:
    """Their meters."""
    return visible(Meter.objects.select_related("association", "property"), user, prefix=PLACE)


def readings_seen_by(user: User) -> QuerySet[Reading]:
    """Their readings."""
    return visible(Reading.objects.select_related("association"), user, prefix=PLACE)


def balance_sheets_seen_by(user: User) -> QuerySet[BalanceSheet]:
    """The versions of their balance sheets, without the documents."""
    rows = BalanceSheet.objects.select_related("association", "period", "generated_by")
    return visible(rows.defer("document"), user, prefix=PLACE)


def reopen_requests_seen_by(user: User) -> QuerySet[ReopenRequest]:
    """Who opened their periods again or wants to, and why."""
    rows = ReopenRequest.objects.select_related("association", "period", "requested_by")
    return visible(rows, user, prefix=PLACE)


def recalculations_seen_by(user: User) -> QuerySet[RecalculationRun]:
    """What corrections of their closed periods did to the later ones."""
    rows = RecalculationRun.objects.select_related("association", "period", "request", "run_by")
    return visible(rows, user, prefix=PLACE)


def statements_sent(period: ServicePeriod) -> bool:
    """Whether statements of the period were sent, so that reopening it takes two persons."""
    return period.statements_sent_at is not None
