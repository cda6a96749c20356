"""The treasury dashboard: cash by fund, payments by status, approvals by age, the gateways, what is due."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger.access import companies_of
from ledger.admin.requests import user_of
from ledger.clock import database_now
from ledger.models import User
from ledger.money import Money
from ledger.once import read_once
from ledger.reports import one_snapshot
from treasury.admin import tones
from treasury.counting import count_payments
from treasury.models import TreasuryFund
from treasury.overview import (
    DueDay,
    Health,
    Narrowed,
    StatusTotal,
    approvals_by_age,
    funds_at_a_glance,
    health_of_providers,
)
from treasury.pages.charts import Bar, Chart
from treasury.selectors import funds_seen_by

ZERO = Decimal(0)
DUE = (
    ("to_code", "wait for a code", "pending"),
    ("to_execute", "can be executed now", "pending"),
    ("scheduled", "scheduled for a later day", "pending&due_on_from={tomorrow}"),
    ("failed", "failed, to be tried again or cancelled", "failed"),
    ("retried", "refused, tried again by itself", "failed"),
    ("in_doubt", "in doubt: the gateway is being asked", "unknown"),
    ("in_review", "in review: two people decide", "review"),
)


@login_required
@never_cache
@require_safe
@read_once()
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show treasury at a glance, all of it read at one moment; very many payments are counted once a minute."""
    user = user_of(request)
    narrowed = _narrowed(request)
    with one_snapshot():
        now, companies = database_now(), list(companies_of(user))
        zone = companies[0].time_zone if len(companies) == 1 else "UTC"
        context = _figures(user, narrowed, now, zone) | {
            "companies": companies,
            "zone": zone,
            "all_funds": list(funds_seen_by(user).order_by("name")),
            "narrowed": narrowed,
            "now": now,
            "section": "treasury",
        }
    context["currencies"] = sorted({fund.currency for fund in context["all_funds"]})
    return render(request, "pages/treasury.html", context)


def _figures(user: User, narrowed: Narrowed, now: Any, zone: str) -> dict[str, Any]:
    funds = funds_at_a_glance(user, narrowed)
    # What is later is counted by each company's own day; the list behind it knows one day for all of them.
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    counted = count_payments(user, narrowed, now)
    return {
        "counted_at": counted.at,
        "cash": [_cash(currency, rows) for currency, rows in _by_currency(funds).items()],
        "statuses": [
            _statuses(currency, rows) for currency, rows in _by_currency(counted.statuses).items()
        ],
        "scheduled": [
            _scheduled(currency, rows) for currency, rows in _by_currency(counted.scheduled).items()
        ],
        "ages": _ages(approvals_by_age(user, narrowed, now)),
        "health": [_health(one) for one in health_of_providers(user, narrowed)],
        "due": [
            (counted.due[name], words, narrowing.format(tomorrow=tomorrow))
            for name, words, narrowing in DUE
        ],
        "low": sum(fund.check_reorder_needed() for fund in funds),
    }


def _narrowed(request: HttpRequest) -> Narrowed:
    currency = request.GET.get("currency", "")
    return Narrowed(
        company_id=_id(request.GET.get("company", "")),
        fund_id=_id(request.GET.get("fund", "")),
        currency=currency if len(currency) == 3 and currency.isascii() else "",
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _by_currency(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.currency, []).append(row)
    return found


def _cash(currency: str, funds: list[TreasuryFund]) -> Chart:
    low = [fund for fund in funds if fund.check_reorder_needed()]
    return Chart(
        f"cash-{currency.lower()}",
        f"Cash by fund, {currency}",
        f"{len(low)} of {len(funds)} below the reorder level." if low else "Every fund has enough.",
        [
            Bar(
                fund.name,
                max(fund.available_balance, ZERO),
                str(Money(fund.available_balance, currency)),
                "bad" if fund.check_reorder_needed() else "good",
                fund.reorder_level or None,
            )
            for fund in funds
        ],
        ("Fund", "Available", "Held", "Reorder level", "Target", "Level"),
        [
            (
                fund.name,
                str(Money(fund.available_balance, currency)),
                str(Money(fund.held, currency)),
                str(Money(fund.reorder_level, currency)),
                str(Money(fund.target_level, currency)),
                "Low" if fund.check_reorder_needed() else "Enough",
            )
            for fund in funds
        ],
    )


def _statuses(currency: str, totals: list[StatusTotal]) -> Chart:
    many = sum(one.many for one in totals)
    return Chart(
        f"payments-{currency.lower()}",
        f"Payments by status, {currency}",
        f"{many:,} payments: those of the last 30 days, and every open one.",
        [
            Bar(
                one.status.label,
                one.amount,
                f"{one.many:,} · {Money(one.amount, currency)}",
                tones.PAYMENT.get(one.status.value, "quiet"),
            )
            for one in totals
        ],
        ("Status", "Payments", "Amount"),
        [(one.status.label, f"{one.many:,}", str(Money(one.amount, currency))) for one in totals],
    )


def _scheduled(currency: str, days: list[DueDay]) -> Chart:
    many = sum(one.many for one in days)
    late = sum(one.many for one in days if one.is_late)
    waits = "1 payment waits for its" if many == 1 else f"{many:,} payments wait for their"
    due = f", {late:,} {'is' if late == 1 else 'are'} due" if late else ""
    return Chart(
        f"scheduled-{currency.lower()}",
        f"Scheduled payments, {currency}",
        f"{waits} day{due}.",
        [
            Bar(
                f"{one.day:%-d %b %Y}",
                one.amount,
                f"{one.many:,} · {Money(one.amount, currency)}",
                "careful" if one.is_late else "busy",
            )
            for one in days
        ],
        ("Goes out on", "Payments", "Amount", "Need a code", "State"),
        [
            (
                f"{one.day:%-d %b %Y}",
                f"{one.many:,}",
                str(Money(one.amount, currency)),
                f"{one.with_code:,}",
                "Due" if one.is_late else "Later",
            )
            for one in days
        ],
    )


def _ages(ages: list[tuple[str, dict[str, int]]]) -> Chart:
    kinds = list(ages[0][1])
    tones_of = ("good", "careful", "bad", "bad")
    total = sum(sum(counts.values()) for _, counts in ages)
    return Chart(
        "approvals-by-age",
        "Approvals by age",
        f"{total:,} requests wait for a decision." if total else "Nothing waits for a decision.",
        [
            Bar(age, sum(counts.values()), f"{sum(counts.values()):,}", tone)  # type: ignore[arg-type]
            for (age, counts), tone in zip(ages, tones_of, strict=True)
        ],
        ("Waiting", *kinds, "All"),
        [
            (age, *(f"{counts[kind]:,}" for kind in kinds), f"{sum(counts.values()):,}")
            for age, counts in ages
        ],
    )


def _health(one: Health) -> dict[str, Any]:
    tone = {"running": "good", "stopped": "bad"}.get(one.provider.status, "quiet")
    if tone == "good" and (one.provider.rests or (one.percent is not None and one.percent < 80)):
        tone = "careful"
    return {
        "provider": one.provider,
        "health": one,
        "tone": tone,
        "share": "no outcome yet" if one.percent is None else f"{one.percent} % succeeded",
    }
