"""What one may ask periods. Staff see what lies within reach of their roles, an owner what is his own."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Prefetch, Q, QuerySet

from ledger.access import roles_of, visible, within_reach
from ledger.models import User
from ledger.roles import READING_ROLES, Role
from periods.models import (
    Association,
    BalanceSheet,
    BudgetItem,
    Contribution,
    Expense,
    Instalment,
    InstalmentPlan,
    Meter,
    OpeningBalances,
    Owner,
    Ownership,
    Property,
    Reading,
    RecalculationRun,
    ReopenRequest,
    ServiceCharge,
    ServicePeriod,
)
from periods.models.reopening import WAITING
from periods.states import ExpenseKind
from treasury.states import RequisitionStatus

PLACE = "association__"
Row = TypeVar("Row", bound=Model)


def associations_seen_by(user: User) -> QuerySet[Association]:
    """The associations within the user's reach, and those he is an owner in."""
    his = Owner.objects.filter(user=user).values("association")
    return _seen(Association.objects.all(), user, own=Q(pk__in=his), prefix="")


def owners_seen_by(user: User) -> QuerySet[Owner]:
    """The owners of these associations, with their accounts; to an owner himself."""
    return _seen(Owner.objects.select_related("account"), user, own=Q(user=user))


def properties_seen_by(user: User) -> QuerySet[Property]:
    """Their properties, with who owns and owned them; to an owner those that are or were his."""
    his = Ownership.objects.filter(owner__user=user)
    ownerships = Ownership.objects.select_related("owner").order_by("from_on")
    shown = _seen(ownerships, user, own=Q(owner__user=user))
    rows = Property.objects.prefetch_related(Prefetch("ownerships", queryset=shown))
    return _seen(rows, user, own=Q(pk__in=his.values("property")))


def periods_seen_by(user: User) -> QuerySet[ServicePeriod]:
    """Their periods, with who wants them open again; to an owner those of his associations."""
    his = Owner.objects.filter(user=user).values("association")
    waiting = reopen_requests_seen_by(user).filter(WAITING)
    rows = ServicePeriod.objects.select_related("association").prefetch_related(
        Prefetch("reopen_requests", queryset=waiting)
    )
    return _seen(rows, user, own=Q(association__in=his))


def periods_awaiting(user: User) -> QuerySet[ServicePeriod]:
    """The periods that wait for this CFO to confirm that they are opened again."""
    waiting = ReopenRequest.objects.filter(WAITING).exclude(requested_by=user)
    rows = ServicePeriod.objects.filter(pk__in=waiting.values("period"))
    return visible(rows, user, prefix=PLACE, roles=(Role.CFO,))


def budget_items_seen_by(user: User) -> QuerySet[BudgetItem]:
    """Their budget items, with their scopes; staff alone."""
    rows = BudgetItem.objects.select_related("association").prefetch_related("scope")
    return visible(rows, user, prefix=PLACE)


def contributions_seen_by(user: User) -> QuerySet[Contribution]:
    """Their contributions; to an owner what he paid in."""
    rows = Contribution.objects.select_related("association")
    return _seen(rows, user, own=Q(owner__user=user))


def expenses_seen_by(user: User) -> QuerySet[Expense]:
    """Their expenses, with the requisitions that pay them; to an owner what he laid out."""
    rows = Expense.objects.select_related("association", "requisition")
    rows = rows.defer("requisition__destination")
    return _seen(rows, user, own=Q(paid_by__user=user))


def expenses_to_pay(association: Association) -> QuerySet[Expense]:
    """What an association with a fund owes for: expenses of its own that treasury has not paid."""
    rows = Expense.objects.filter(association=association, association__fund__isnull=False)
    rows = rows.filter(kind=ExpenseKind.EXPENSE, paid_by=None, voided_at=None)
    paid = Q(requisition__status=RequisitionStatus.PAID, requisition__isnull=False)
    return rows.exclude(paid).select_related("association", "requisition")


def charges_seen_by(user: User) -> QuerySet[ServiceCharge]:
    """Their service charges; to an owner what he is charged."""
    rows = ServiceCharge.objects.select_related("association")
    return _seen(rows, user, own=Q(owner__user=user))


def instalments_seen_by(user: User) -> QuerySet[Instalment]:
    """What their owners are asked for; an owner what he is asked for."""
    rows = Instalment.objects.select_related("association", "plan")
    return _seen(rows, user, own=Q(owner__user=user))


def instalment_plans_seen_by(user: User) -> QuerySet[InstalmentPlan]:
    """In which plans that stands, with each owner's part; staff alone."""
    parts = Instalment.objects.select_related("association", "plan")
    rows = InstalmentPlan.objects.select_related("association").prefetch_related(
        Prefetch("parts", queryset=parts.order_by("owner__number", "number"))
    )
    return visible(rows, user, prefix=PLACE)


def meters_seen_by(user: User) -> QuerySet[Meter]:
    """Their meters; staff alone."""
    return visible(Meter.objects.select_related("association", "property"), user, prefix=PLACE)


def readings_seen_by(user: User) -> QuerySet[Reading]:
    """Their readings; staff alone."""
    return visible(Reading.objects.select_related("association"), user, prefix=PLACE)


def balance_sheets_seen_by(user: User) -> QuerySet[BalanceSheet]:
    """The versions of their balance sheets, without the documents."""
    rows = BalanceSheet.objects.select_related("association", "period", "generated_by")
    return visible(rows.defer("document"), user, prefix=PLACE)


def reopen_requests_seen_by(user: User) -> QuerySet[ReopenRequest]:
    """Who opened their periods again or wants to, and why."""
    rows = ReopenRequest.objects.select_related("association", "period", "requested_by")
    return visible(rows, user, prefix=PLACE)


def opening_balances_seen_by(user: User) -> QuerySet[OpeningBalances]:
    """What their associations brought along; staff alone."""
    rows = OpeningBalances.objects.select_related("association").prefetch_related("lines")
    return visible(rows, user, prefix=PLACE)


def recalculations_seen_by(user: User) -> QuerySet[RecalculationRun]:
    """What corrections of their closed periods did to the later ones."""
    rows = RecalculationRun.objects.select_related("association", "period", "request", "run_by")
    rows = rows.prefetch_related(
        "differences", "periods__period", "periods__before", "periods__after"
    )
    return visible(rows, user, prefix=PLACE)


def waiting_reopening(period: ServicePeriod) -> ReopenRequest | None:
    """Who wants a closed period open again and waits for another person, if anybody does."""
    return ReopenRequest.objects.filter(WAITING, period=period).first()


def statements_sent(period: ServicePeriod) -> bool:
    """Whether statements of the period were sent, so that reopening it takes two persons."""
    return period.statements_sent_at is not None


def associations_kept_by(user: User, *roles: Role) -> QuerySet[Association]:
    """The associations in which the user has one of the roles."""
    return visible(Association.objects.all(), user, roles=roles)


def owner_with_login(association_id: UUID, user_id: UUID) -> Owner | None:
    """The association's owner who signs in as this user."""
    return Owner.objects.filter(association=association_id, user=user_id).first()


def reads_all_of(user: User, association: Association) -> bool:
    """Whether the user sees all of the association, and not only what is his own."""
    held = roles_of(
        user,
        company_id=association.company_id,
        region_id=association.region_id,
        branch_id=association.branch_id,
    )
    return not held.isdisjoint(READING_ROLES)


def _seen(rows: QuerySet[Row], user: User, *, own: Q, prefix: str = PLACE) -> QuerySet[Row]:
    """Keep what lies within reach of the user's roles, and of an owner what ``own`` says is his."""
    his = within_reach(user, prefix, (Role.OWNER,)) & own
    return rows.filter(within_reach(user, prefix) | his)
