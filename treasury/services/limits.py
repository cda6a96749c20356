"""Setting what may leave in a day, and how long a payee's new destination waits."""

from collections.abc import Collection
from datetime import time
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.models import Company
from ledger.money import format_amount, minor_unit, parse_amount
from ledger.refusals import InvalidInput
from treasury import duties, locks
from treasury.calendar import Roll
from treasury.inputs import UNCHANGED, Unchanged
from treasury.models import LimitScope, PaymentRules, SpendingLimit, TreasuryFund
from treasury.models.limit import LONGEST_COOLING_OFF_H
from treasury.services.calendars import move_due_payments
from treasury.services.noting import note_company

Amount = str | int | Decimal
MOST_PAYMENTS = 1_000_000


@command("limit.set")
def set_spending_limit(
    *,
    actor: Actor,
    company_id: UUID,
    currency: str,
    scope: str,
    fund_id: UUID | None = None,
    most_payments: int | None = None,
    most_amount: Amount | None = None,
) -> SpendingLimit:
    """Let at most so many payments, and so much in the currency, leave in a civil day; return the limit.

    ``scope`` is payee, destination or fund; ``fund_id`` makes it the limit of that fund alone. None is no
    limit, and both None switch it off. What left earlier that day counts. By a CFO of the company. Raises
    ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    minor_unit(currency)
    limit = _limit_of(company, currency, scope, fund_id)
    before = None if limit._state.adding else limit_facts(limit)
    _write_limit(limit, most_payments, most_amount)
    # Nothing of the company's is on its way while the day is counted anew.
    locks.lock_funds(TreasuryFund.objects.filter(company=company).values_list("pk", flat=True))
    limit.save()
    note_company(actor, "limit.set", company_id, before=before, after=limit_facts(limit))
    return limit


@command("payment_rules.set")
def set_payment_rules(
    *,
    actor: Actor,
    company_id: UUID,
    cooling_off_hours: int | None = None,
    weekend: Collection[int] | None = None,
    cut_off: time | Unchanged | None = UNCHANGED,
    roll: str | None = None,
) -> PaymentRules:
    """Set how the company pays, and return the rules; None leaves one as it is. By a CFO of the company.

    ``cooling_off_hours``: how long a payee's new destination waits after its first approval, 0 not at all;
    it counts at once, for what was approved before as well. ``weekend`` are weekdays (0 is Monday) on which
    scheduled payments do not go out, ``cut_off`` the local time from which they wait for the next business
    day, ``roll`` (next or previous) where one goes that is due on none. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput`` on the field.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    rules = rules_of(company)
    before = rules_facts(rules)
    if cooling_off_hours is not None:
        rules.cooling_off_hours = _hours(cooling_off_hours)
    if weekend is not None:
        rules.weekend = _weekend(weekend)
    if not isinstance(cut_off, Unchanged):
        rules.cut_off = cut_off
    if roll is not None:
        rules.roll = _roll(roll)
    rules.save()
    move_due_payments(company)
    note_company(actor, "payment_rules.set", company_id, before=before, after=rules_facts(rules))
    return rules


def _hours(hours: int) -> int:
    if not 0 <= hours <= LONGEST_COOLING_OFF_H:
        message = f"This is a number of hours from 0 to {LONGEST_COOLING_OFF_H}."
        raise InvalidInput.on("cooling_off_hours", message, code="out_of_range")
    return hours


def _weekend(days: Collection[int]) -> list[int]:
    if not set(days) < set(range(7)):
        message = "These are some of the weekdays 0 (Monday) to 6 (Sunday)."
        raise InvalidInput.on("weekend", message)
    return sorted(set(days))


def _roll(roll: str) -> str:
    if roll not in set(Roll):
        raise InvalidInput.on("roll", "This is next or previous.")
    return roll


def rules_of(company: Company) -> PaymentRules:
    """Return the company's payment rules, those of a company that has set none included."""
    rules = PaymentRules.objects.select_related("company").filter(company=company).first()
    return rules or PaymentRules(company=company)


def _limit_of(company: Company, currency: str, scope: str, fund_id: UUID | None) -> SpendingLimit:
    if scope not in LimitScope.values:
        raise InvalidInput.on("scope", "This is payee, destination or fund.")
    if fund_id is not None and scope != LimitScope.FUND:
        raise InvalidInput.on("fund", "Only a limit of a fund names one.")
    if fund_id is not None:
        known = TreasuryFund.objects.filter(pk=fund_id, company=company, currency=currency)
        if not known.exists():
            raise InvalidInput.on("fund", f"There is no such fund in {currency}.")
    place = {"company": company, "currency": currency, "scope": scope, "fund_id": fund_id}
    return SpendingLimit.objects.filter(**place).first() or SpendingLimit(**place)


def _write_limit(
    limit: SpendingLimit, most_payments: int | None, most_amount: Amount | None
) -> None:
    if most_payments is not None and not 1 <= most_payments <= MOST_PAYMENTS:
        message = f"This is a number from 1 to {MOST_PAYMENTS}."
        raise InvalidInput.on("most_payments", message, code="out_of_range")
    limit.most_payments = most_payments
    limit.most_amount = (
        None
        if most_amount is None
        else parse_amount(most_amount, limit.currency, field="most_amount")
    )


def limit_facts(limit: SpendingLimit) -> dict[str, Any]:
    """Return the limit as the audit trail keeps it."""
    most = limit.most_amount
    return {
        "scope": str(limit.scope),
        "currency": limit.currency,
        "fund": str(limit.fund_id) if limit.fund_id else None,
        "most_payments": limit.most_payments,
        "most_amount": None if most is None else format_amount(most, limit.currency),
    }


def rules_facts(rules: PaymentRules) -> dict[str, Any]:
    """Return the rules as the audit trail keeps them."""
    return {
        "cooling_off_hours": rules.cooling_off_hours,
        "weekend": list(rules.weekend),
        "cut_off": rules.cut_off.isoformat() if rules.cut_off else None,
        "roll": str(rules.roll),
    }
