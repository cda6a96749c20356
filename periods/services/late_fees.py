"""Late fees: what owners are charged who have not paid an instalment in time (reference 4j).

What is owed is reckoned anew from instalments and contributions, and only the difference to what was charged
is charged: running the job twice charges once, and a contribution dated back takes back what it shows to have
been too much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import parse_amount
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.facts import facts_of
from periods.fees import Debt, LateFeeTerms, Payment, fee_owed, oldest_first
from periods.models import (
    Association,
    Contribution,
    Instalment,
    LateFeeRule,
    Owner,
    ServiceCharge,
    ServicePeriod,
)
from periods.refusals import require_open, require_within
from periods.services import recording
from periods.services.booking import book_charge
from periods.services.charges import within
from periods.services.noting import note
from periods.states import ChargeKind, PeriodStatus
from periods.units import from_units, to_units
from treasury.dates import Today

Amount = str | int | Decimal
MOST_DAYS = 366
LARGEST_PERCENT = Decimal(1000)
PAID_BACK = "A contribution shows that it was paid in time."


@command("late_fee_rule.set")
def set_late_fee_rule(
    *,
    actor: Actor,
    association_id: UUID,
    grace_days: int = 0,
    fixed_fee: Amount = 0,
    yearly_percent: Amount = 0,
    legal_yearly_percent: Amount | None = None,
    cap: Amount | None = None,
) -> LateFeeRule:
    """Say what an association asks of those who pay late from now on; return the rule.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    if not 0 <= grace_days <= MOST_DAYS:
        raise InvalidInput.on("grace_days", f"From 0 to {MOST_DAYS}.")
    rule = LateFeeRule.objects.filter(association=association).first()
    before = facts_of(rule, currency=association.currency) if rule else None
    rule = rule or LateFeeRule(association=association)
    rule.grace_days = grace_days
    rule.fixed_fee = _amount("fixed_fee", fixed_fee, association)
    rule.yearly_percent = _percent("yearly_percent", yearly_percent)
    rule.legal_yearly_percent = (
        None
        if legal_yearly_percent is None
        else _percent("legal_yearly_percent", legal_yearly_percent)
    )
    rule.cap = None if cap is None else _amount("cap", cap, association)
    rule.save()
    note(actor, "late_fee_rule.set", rule, association=association, before=before)
    return rule


@command("late_fees.charge")
def charge_late_fees(*, actor: Actor, period_id: UUID, on: date) -> list[ServiceCharge]:
    """Charge what paying late costs up to a day of an open period; return the charges made now.

    By a treasurer, a reconciler or the daily job; once charged, a day costs nothing more. Nothing is charged
    where the association has no rule. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``,
    ``PeriodClosed``.
    """
    period = recording.begin(actor, period_id)
    require_within(period, on, field="on")
    require_open(period)
    terms = _terms(period.association)
    if terms is None:
        return []
    asked = Instalment.objects.filter(association=period.association, plan__withdrawn_at=None)
    owners = Owner.objects.filter(pk__in=asked.filter(due_on__lt=on).values("owner"))
    return [
        charge
        for owner in owners.order_by("number")
        for charge in _bring(period, owner, terms, on, actor)
    ]


def relieve(owner: Owner, period: ServicePeriod, actor: Actor) -> None:
    """Take back late fees that the owner's contributions show by now to have been too much.

    Plain, inside a command that locked the period, which is open.
    """
    charged = ServiceCharge.objects.filter(owner=owner, kind=ChargeKind.LATE_FEE, voided_at=None)
    last = charged.order_by("date").last()
    terms = _terms(period.association)
    if last is not None and terms is not None:
        _bring(period, owner, terms, last.date, actor, only_less=True)


def charge_late_fees_of_today(*, actor: Actor, today: Today) -> int:
    """Charge late fees in every open period that today lies in; return how many charges were made.

    For the daily job: each period is a command of its own.
    """
    rows = ServicePeriod.objects.filter(
        status=PeriodStatus.OPEN, association__late_fee_rule__isnull=False
    )
    made = 0
    for period in rows.select_related("association__company").order_by("association", "pk"):
        day = today(period.association.company)
        if period.holds(day):
            made += len(charge_late_fees(actor=actor, period_id=period.pk, on=day))
    return made


@dataclass(frozen=True, slots=True)
class _Asked:
    """An instalment as a debt, what was paid of it, and what being late has been charged."""

    instalment: Instalment
    debt: Debt
    paid: Sequence[Payment]
    charged: int


def _bring(
    period: ServicePeriod,
    owner: Owner,
    terms: LateFeeTerms,
    on: date,
    actor: Actor,
    *,
    only_less: bool = False,
) -> list[ServiceCharge]:
    """Charge the owner the difference between what is owed by a day and what was charged; return it."""
    made: list[ServiceCharge] = []
    for asked in _asked(owner, period.association):
        difference = fee_owed(asked.debt, terms, asked.paid, on=on) - asked.charged
        if difference > 0 and not only_less:
            made.append(_charge(period, owner, asked.instalment, difference, on, actor))
        elif difference < 0:
            made += _give_back(period, owner, asked.instalment, -difference, on, actor)
    return made


def _asked(owner: Owner, association: Association) -> list[_Asked]:
    currency = association.currency
    rows = Instalment.objects.filter(owner=owner, plan__withdrawn_at=None)
    instalments = list(rows.select_related("plan__period").order_by("due_on", "pk"))
    first = min((row.plan.period.start_date for row in instalments), default=date.max)
    debts = [Debt(to_units(row.amount, currency), row.due_on) for row in instalments]
    paid_in = Contribution.objects.filter(owner=owner, voided_at=None, date__gte=first)
    payments = [
        Payment(on, to_units(amount, currency))
        for on, amount in paid_in.values_list("date", "amount")
    ]
    fees = ServiceCharge.objects.filter(instalment__in=instalments, voided_at=None)
    charged = dict(fees.order_by().values_list("instalment").annotate(Sum("amount")))
    return [
        _Asked(row, debt, paid, to_units(charged.get(row.pk, Decimal(0)), currency))
        for row, debt, paid in zip(instalments, debts, oldest_first(debts, payments), strict=True)
    ]


def _charge(
    period: ServicePeriod,
    owner: Owner,
    instalment: Instalment,
    units: int,
    on: date,
    actor: Actor,
) -> ServiceCharge:
    charge = ServiceCharge(
        association=period.association,
        period=period,
        owner=owner,
        kind=ChargeKind.LATE_FEE,
        amount=from_units(units, period.association.currency),
        # A fee of another period that is given back in this one is credited on this one's nearest day.
        date=within(period, on),
        description=f"Late: {instalment.plan.description}, due on {instalment.due_on:%d %b %Y}",
        instalment=instalment,
    )
    return recording.insert(charge, book_charge, actor)


def _give_back(
    period: ServicePeriod,
    owner: Owner,
    instalment: Instalment,
    units: int,
    on: date,
    actor: Actor,
) -> list[ServiceCharge]:
    """Void fees of this period, newest first; return what is charged again of them, or credited for fees of
    periods that are closed."""
    association = period.association
    live = ServiceCharge.objects.filter(instalment=instalment, period=period, voided_at=None)
    for charge in live.select_related("journal_entry").order_by("-date"):
        if units <= 0:
            break
        charge.period, charge.association, charge.owner = period, association, owner
        units -= to_units(charge.amount, association.currency)
        recording.void(charge, PAID_BACK, actor)
    return [_charge(period, owner, instalment, -units, on, actor)] if units else []


def _terms(association: Association) -> LateFeeTerms | None:
    rule = LateFeeRule.objects.filter(association=association).first()
    if rule is None:
        return None
    currency = association.currency
    return LateFeeTerms(
        grace_days=rule.grace_days,
        fixed_fee=to_units(rule.fixed_fee, currency),
        yearly_percent=rule.yearly_percent,
        legal_yearly_percent=rule.legal_yearly_percent,
        cap=None if rule.cap is None else to_units(rule.cap, currency),
    )


def _amount(field: str, value: Amount, association: Association) -> Decimal:
    """Read an amount that may be zero."""
    if value in (0, "0") or (isinstance(value, str) and value and not value.strip("0.")):
        return Decimal(0)
    return parse_amount(value, association.currency, field=field)


def _percent(field: str, value: Amount) -> Decimal:
    try:
        percent = Decimal(str(value))
    except ArithmeticError:
        raise InvalidInput.on(field, "This is a number such as 8.5.") from None
    if not percent.is_finite() or not 0 <= percent < LARGEST_PERCENT:
        raise InvalidInput.on(field, f"From 0 to less than {LARGEST_PERCENT}.")
    if percent % Decimal("0.001"):
        raise InvalidInput.on(field, "At most three decimals.")
    return percent
