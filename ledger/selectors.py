"""What one may ask the books. Balances come back on the account's normal side, in its currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from ledger.access import companies_of, companies_read_as_a_whole, visible
from ledger.models import (
    Account,
    AuditEvent,
    Branch,
    Company,
    DailyTotal,
    JournalEntry,
    LedgerEntry,
    OutboxEvent,
    Region,
    Side,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from ledger.models.account import MoneyField

ZERO = Decimal(0)


def companies_seen_by(user: User) -> QuerySet[Company]:
    return companies_of(user)


def companies_whose_books_are_seen_by(user: User) -> QuerySet[Company]:
    return companies_read_as_a_whole(user)


def regions_seen_by(user: User) -> QuerySet[Region]:
    return visible(Region.objects.all(), user, by_company_only=True)


def branches_seen_by(user: User) -> QuerySet[Branch]:
    rows = Branch.objects.select_related("region")
    return visible(rows, user, prefix="region__", by_company_only=True)


def accounts_seen_by(user: User) -> QuerySet[Account]:
    return visible(Account.objects.select_related("company"), user, whole_company=True)


def journal_entries_seen_by(user: User) -> QuerySet[JournalEntry]:
    rows = JournalEntry.objects.select_related("company", "posted_by", "reversal_of", "reversed_by")
    return visible(rows, user, whole_company=True)


def journal_entries_with_lines_seen_by(user: User) -> QuerySet[JournalEntry]:
    # debits first
    lines = LedgerEntry.objects.select_related("account").order_by("-side", "account__code")
    return journal_entries_seen_by(user).prefetch_related(Prefetch("ledger_entries", lines))


def audit_events_seen_by(user: User) -> QuerySet[AuditEvent]:
    return visible(AuditEvent.objects.select_related("actor"), user, whole_company=True)


def events_seen_by(user: User) -> QuerySet[OutboxEvent]:
    return visible(OutboxEvent.objects.all(), user, whole_company=True)


def webhooks_seen_by(user: User) -> QuerySet[WebhookEndpoint]:
    """Webhooks, without their secrets: what was not read cannot be shown."""
    rows = WebhookEndpoint.objects.defer("secret", "previous_secret")
    return visible(rows, user, by_company_only=True)


def deliveries_seen_by(user: User) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.select_related("endpoint")
    rows = rows.defer("endpoint__secret", "endpoint__previous_secret")
    return visible(rows, user, prefix="endpoint__", whole_company=True)


def balance_at(account: Account, instant: datetime) -> Decimal:
    """Return the balance as it stood at ``instant``, in posting order: the last entry posted by then."""
    last = (
        LedgerEntry.objects.filter(account=account, posted_at__lte=instant)
        .order_by("-posted_at", "-sequence")
        .values_list("balance_after", flat=True)
        .first()
    )
    return last if last is not None else ZERO


def balance_on(account: Account, on: date) -> Decimal:
    """Return the balance at the end of the date ``on``, by effective date, whenever it was posted."""
    totals = DailyTotal.objects.filter(account=account, on__lte=on).aggregate(
        debit=Coalesce(Sum("debit"), ZERO, output_field=MoneyField()),
        credit=Coalesce(Sum("credit"), ZERO, output_field=MoneyField()),
    )
    difference: Decimal = totals["debit"] - totals["credit"]
    return difference if account.normal_side == Side.DEBIT else -difference


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """An account and its balance at the end of a date, in the column of its side."""

    account: Account
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account of a company at the end of a date; totals per currency, equal in both columns."""

    company: Company
    on: date
    rows: Sequence[TrialBalanceRow]
    totals: dict[str, tuple[Decimal, Decimal]]


def trial_balance(company: Company, on: date) -> TrialBalance:
    """Return the trial balance of a company at the end of the date ``on``."""
    upto = Q(daily_totals__on__lte=on)
    accounts = (
        Account.objects.filter(company=company)
        .annotate(
            net=Coalesce(Sum("daily_totals__debit", filter=upto), ZERO, output_field=MoneyField())
            - Coalesce(
                Sum("daily_totals__credit", filter=upto),
                ZERO,
                output_field=MoneyField(),
            )
        )
        .order_by("code")
    )
    rows = [
        TrialBalanceRow(account, debit=max(account.net, ZERO), credit=max(-account.net, ZERO))
        for account in accounts
    ]
    return TrialBalance(company, on, rows, _totals(rows))


def _totals(rows: Iterable[TrialBalanceRow]) -> dict[str, tuple[Decimal, Decimal]]:
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for row in rows:
        debit, credit = totals.get(row.account.currency, (ZERO, ZERO))
        totals[row.account.currency] = (debit + row.debit, credit + row.credit)
    return totals


def statement(
    account: Account, *, since: date | None = None, until: date | None = None
) -> QuerySet[LedgerEntry]:
    """Return the account's entries in posting order, newest first, each with its running balance.

    ``since`` and ``until`` bound the effective date, both inclusive.
    """
    rows = LedgerEntry.objects.filter(account=account).select_related("journal_entry")
    if since:
        rows = rows.filter(effective_on__gte=since)
    if until:
        rows = rows.filter(effective_on__lte=until)
    return rows.order_by("-sequence")


def statement_balances(
    account: Account, *, since: date | None = None, until: date | None = None
) -> tuple[Decimal, Decimal]:
    """Return the balance before the date ``since`` and at the end of the date ``until``.

    By effective date, so that the lines of the ``statement`` between them are exactly the difference.
    """
    has_past = since is not None and since > date.min
    opening = balance_on(account, since - timedelta(days=1)) if since and has_past else ZERO
    return opening, balance_on(account, until or date.max)
