"""Treasury at a glance: how the funds stand, what became of payments, what waits, how the gateways do.

Every figure is of one currency; nothing is ever added up across two. Each question is one query, however
many rows there are.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from ledger.access import visible, within_reach
from ledger.clock import CivilDate, DatabaseClock
from ledger.models import User
from ledger.roles import READING_ROLES
from payments.models import Provider
from treasury.authority import fund_in_reach
from treasury.models import (
    Payment,
    PaymentAttempt,
    ReplenishmentRequest,
    Requisition,
    TreasuryFund,
    VarianceAdjustment,
)
from treasury.selectors import funds_seen_by
from treasury.states import (
    AttemptState,
    PaymentStatus,
    ReplenishmentStatus,
    RequisitionStage,
    VarianceStatus,
)

LOOKS_BACK = timedelta(days=30)
HEALTH_OF = timedelta(hours=24)
FUNDS_SHOWN = 40
DAYS_SHOWN = 14
OPEN = (
    PaymentStatus.PENDING,
    PaymentStatus.EXECUTING,
    PaymentStatus.UNKNOWN,
    PaymentStatus.REVIEW,
    PaymentStatus.FAILED,
)
AGES = (
    ("under a day", timedelta(0), timedelta(days=1)),
    ("1 to 3 days", timedelta(days=1), timedelta(days=3)),
    ("3 to 7 days", timedelta(days=3), timedelta(days=7)),
    ("over a week", timedelta(days=7), timedelta(days=36500)),
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the dashboard is about: everything in sight, or less."""

    company_id: UUID | None = None
    fund_id: UUID | None = None
    currency: str = ""

    def apply(self, rows: QuerySet[Any], *, fund: str = "fund") -> QuerySet[Any]:
        """Narrow rows that lead to a fund by ``fund``."""
        wanted: dict[str, Any] = {}
        if self.company_id:
            wanted[f"{fund}__company"] = self.company_id
        if self.fund_id:
            wanted[fund] = self.fund_id
        if self.currency:
            wanted[f"{fund}__currency"] = self.currency
        return rows.filter(**wanted)


@dataclass(frozen=True, slots=True)
class StatusTotal:
    """How many payments of one currency have a status, and their sum."""

    currency: str
    status: PaymentStatus
    many: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Health:
    """How a gateway did in the last day: what ended well, badly, and not yet."""

    provider: Provider
    succeeded: int
    failed: int
    in_doubt: int
    on_their_way: int

    @property
    def percent(self) -> int | None:
        """The share of attempts with an outcome that succeeded; None where none has one."""
        ended = self.succeeded + self.failed
        return round(100 * self.succeeded / ended) if ended else None


@dataclass(frozen=True, slots=True)
class DueDay:
    """How many pending payments of one currency go out on a day, their sum, and how many need a code first.

    ``is_late`` where the day has come, and they have not gone out.
    """

    currency: str
    day: date
    many: int
    amount: Decimal
    with_code: int
    is_late: bool


def funds_at_a_glance(user: User, narrowed: Narrowed) -> list[TreasuryFund]:
    """Return the funds in sight by currency, those nearest to or below their reorder level first."""
    rows = funds_seen_by(user)
    if narrowed.company_id:
        rows = rows.filter(company=narrowed.company_id)
    if narrowed.fund_id:
        rows = rows.filter(pk=narrowed.fund_id)
    if narrowed.currency:
        rows = rows.filter(currency=narrowed.currency)
    margin = F("account__balance") - F("account__held") - F("reorder_level")
    return list(rows.order_by("currency", margin, "name")[:FUNDS_SHOWN])


def payments_by_status(user: User, narrowed: Narrowed, now: datetime) -> list[StatusTotal]:
    """Return the payments of the last 30 days before ``now`` and every open one, by currency and status."""
    rows = narrowed.apply(_with_fund_seen(Payment.objects.order_by(), user))
    open_ones = rows.filter(status__in=OPEN)
    # By themselves: an index leads to the open ones, and none to both.
    ended = rows.filter(created_at__gte=now - LOOKS_BACK).exclude(status__in=OPEN)
    found = [
        StatusTotal(row["currency"], PaymentStatus(row["status"]), row["n"], row["sum"])
        for part in (open_ones, ended)
        for row in part.values("currency", "status").annotate(n=Count("pk"), sum=Sum("amount"))
    ]
    places = list(PaymentStatus)
    return sorted(found, key=lambda one: (one.currency, places.index(one.status)))


def approvals_by_age(
    user: User, narrowed: Narrowed, now: datetime
) -> list[tuple[str, dict[str, int]]]:
    """Return how many requests wait for whomever, by how long they have waited and by kind."""
    waiting: tuple[tuple[str, QuerySet[Any], str], ...] = (
        (
            "Requisitions",
            narrowed.apply(
                _with_fund_seen(Requisition.objects.filter(stage=RequisitionStage.WAITING), user)
            ),
            "requested_at",
        ),
        (
            "Variances",
            narrowed.apply(
                VarianceAdjustment.objects.filter(
                    within_reach(user, "payment__fund__"), status=VarianceStatus.PENDING
                ),
                fund="payment__fund",
            ),
            "created_at",
        ),
        (
            "Replenishments",
            narrowed.apply(
                _with_fund_seen(
                    ReplenishmentRequest.objects.filter(status=ReplenishmentStatus.PENDING), user
                )
            ),
            "created_at",
        ),
    )
    counts = {name: _aged(rows, field, now) for name, rows, field in waiting}
    return [(age, {name: counts[name][age] for name in counts}) for age, _, _ in AGES]


def _aged(rows: QuerySet[Any], field: str, now: datetime) -> dict[str, int]:
    """Count the rows in each age, in one query."""
    ages = {
        f"age{number}": Count(
            "pk", filter=Q(**{f"{field}__lte": now - least, f"{field}__gt": now - most})
        )
        for number, (_, least, most) in enumerate(AGES)
    }
    found = rows.order_by().aggregate(**ages)
    return {age: found[f"age{number}"] for number, (age, _, _) in enumerate(AGES)}


def health_of_providers(user: User, narrowed: Narrowed) -> list[Health]:
    """Return the gateways in sight and how their attempts of the last day ended."""
    providers = visible(Provider.objects.select_related("company"), user, by_company_only=True)
    if narrowed.company_id:
        providers = providers.filter(company=narrowed.company_id)
    shown = list(providers.order_by("company__name", "name"))
    attempts = PaymentAttempt.objects.filter(
        provider__in=[one.pk for one in shown], created_at__gte=DatabaseClock() - HEALTH_OF
    )
    rows = attempts.order_by().values_list("provider", "state").annotate(n=Count("pk"))
    counted = {(provider, state): n for provider, state, n in rows}

    def many(provider: Provider, *states: AttemptState) -> int:
        return sum(counted.get((provider.pk, state.value), 0) for state in states)

    return [
        Health(
            one,
            succeeded=many(one, AttemptState.SUCCEEDED),
            failed=many(one, AttemptState.FAILED),
            in_doubt=many(one, AttemptState.UNKNOWN, AttemptState.REVIEW),
            on_their_way=many(one, AttemptState.SENDING, AttemptState.ACCEPTED),
        )
        for one in shown
    ]


def scheduled_by_day(user: User, narrowed: Narrowed) -> list[DueDay]:
    """Return what is scheduled and has not gone out, by currency and day, the nearest days of each first."""
    scheduled = Payment.objects.filter(status=PaymentStatus.PENDING, due_on__isnull=False)
    rows = narrowed.apply(_with_fund_seen(scheduled, user)).order_by("currency", "due_on")
    today = CivilDate(F("company__time_zone"))
    totals = rows.values("currency", "due_on").annotate(
        n=Count("pk"),
        sum=Sum("amount"),
        codes=Count("pk", filter=Q(otp_required=True) | Q(step_up_required=True)),
        late=Count("pk", filter=Q(due_on__lte=today)),
    )
    found: dict[str, list[DueDay]] = {}
    for row in totals:
        days = found.setdefault(row["currency"], [])
        if len(days) < DAYS_SHOWN:
            figures = (row["n"], row["sum"], row["codes"], bool(row["late"]))
            days.append(DueDay(row["currency"], row["due_on"], *figures))
    return [one for days in found.values() for one in days]


def what_is_due(user: User, narrowed: Narrowed) -> dict[str, int]:
    """Return how many payments wait for which step of a treasurer."""
    rows = narrowed.apply(_with_fund_seen(Payment.objects.filter(status__in=OPEN), user))
    later = Q(due_on__gt=CivilDate(F("company__time_zone")))
    is_pending = Q(status=PaymentStatus.PENDING)
    # What goes out on a later day waits for nobody yet; a day that is not set is no later one.
    pending = is_pending & (Q(due_on=None) | ~later)
    found: dict[str, int] = rows.order_by().aggregate(
        to_code=Count("pk", filter=pending & Q(otp_required=True, otp_verified=False)),
        to_execute=Count("pk", filter=pending & (Q(otp_required=False) | Q(otp_verified=True))),
        scheduled=Count("pk", filter=is_pending & later),
        failed=Count("pk", filter=Q(status=PaymentStatus.FAILED, retry_at=None)),
        retried=Count("pk", filter=Q(status=PaymentStatus.FAILED, retry_at__isnull=False)),
        in_doubt=Count("pk", filter=Q(status=PaymentStatus.UNKNOWN)),
        in_review=Count("pk", filter=Q(status=PaymentStatus.REVIEW)),
    )
    return found


def _with_fund_seen(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    return rows.filter(fund_in_reach(user, *READING_ROLES))
