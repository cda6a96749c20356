"""What an owner with a login may ask: his own figures, and nobody else's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from django.db.models import F, QuerySet

from ledger.models import User
from ledger.money import Money, quantized
from periods.models import (
    Contribution,
    Expense,
    Instalment,
    Owner,
    ServiceCharge,
    ServicePeriod,
    SheetLine,
    Statement,
)
from periods.sheet_document import COLUMNS
from periods.statements.facts import verdict_of
from periods.states import ExpenseKind, PeriodStatus

SHOWN = 50


def owners_of(user: User) -> QuerySet[Owner]:
    """The owners that a person is: himself, in each association."""
    rows = Owner.objects.filter(user=user, user__is_active=True)
    return rows.select_related("association", "account").order_by("association__name", "pk")


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A period as its owner sees it; ``figures`` are his columns on its newest sheet, none before a close."""

    period: ServicePeriod
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """An instalment that the owner is asked for."""

    what: str
    number: int
    of: int
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Record:
    """Something recorded about an owner; the amount is positive where it is owed to him."""

    on: date
    what: str
    amount: Money


@dataclass(frozen=True, slots=True)
class OwnerAccount:
    """All that an owner sees of one association; while it ``waits``, costs of an open period are still to come."""

    owner: Owner
    verdict: str
    balance: Money
    waits: bool
    periods: list[PeriodLine]
    due: list[Asked]
    records: list[Record]


def account_of(owner: Owner) -> OwnerAccount:
    """Return what one owner sees, with a fixed number of queries."""
    currency = owner.association.currency
    balance = owner.account.balance
    periods = _periods(owner, currency)
    return OwnerAccount(
        owner=owner,
        verdict=verdict_of(balance),
        balance=Money(abs(balance), currency),
        waits=any(line.period.status == PeriodStatus.OPEN for line in periods),
        periods=periods,
        due=_due(owner, currency),
        records=_records(owner, currency),
    )


def _periods(owner: Owner, currency: str) -> list[PeriodLine]:
    periods = ServicePeriod.objects.filter(association=owner.association).order_by("-start_date")
    lines = SheetLine.objects.filter(owner=owner, sheet__version=F("sheet__period__version"))
    figures = {
        line.sheet.period_id: tuple(
            f"{quantized(getattr(line, column), currency):,f}" for column in COLUMNS
        )
        for line in lines.select_related("sheet").defer("sheet__document")
    }
    return [PeriodLine(period, figures.get(period.pk, ())) for period in periods[:SHOWN]]


def _due(owner: Owner, currency: str) -> list[Asked]:
    """Return what he is asked for, the last of it, by the day on which it is due."""
    rows = Instalment.objects.filter(owner=owner, plan__withdrawn_at=None)
    latest = rows.select_related("plan").order_by("-due_on", "pk")[:SHOWN]
    return [
        Asked(
            what=row.plan.description,
            number=row.number,
            of=row.plan.instalments,
            due_on=row.due_on,
            amount=Money(row.amount, currency),
        )
        for row in reversed(list(latest))
    ]


def _records(owner: Owner, currency: str) -> list[Record]:
    """Return what was recorded last, newest first."""

    def newest(
        rows: QuerySet[Contribution] | QuerySet[Expense] | QuerySet[ServiceCharge],
    ) -> Iterator[tuple[date, str, Decimal]]:
        for row in rows.filter(voided_at=None).order_by("-date", "-recorded_at")[:SHOWN]:
            yield row.date, *_told(row)

    found = chain(
        newest(Contribution.objects.filter(owner=owner)),
        newest(Expense.objects.filter(paid_by=owner)),
        newest(ServiceCharge.objects.filter(owner=owner)),
    )
    latest = sorted(found, key=lambda record: record[0], reverse=True)[:SHOWN]
    return [Record(on, what, Money(amount, currency)) for on, what, amount in latest]


def _told(row: Contribution | Expense | ServiceCharge) -> tuple[str, Decimal]:
    """Return what a record is in words, and its amount as the owner sees it."""
    if isinstance(row, Contribution):
        return row.comment or "Contribution", row.amount
    if isinstance(row, ServiceCharge):
        return row.description, -row.amount
    amount = -row.amount if row.kind == ExpenseKind.REFUND else row.amount
    return f"You paid: {row.payment_type}", amount


def statements_of(owner: Owner) -> list[Statement]:
    """Return the statements that were issued to an owner, newest first, without what stands on them."""
    rows = Statement.objects.filter(owner=owner).select_related("period").defer("facts")
    return list(rows.order_by("-number")[:SHOWN])
