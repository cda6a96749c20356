"""Budget items: what is planned, and how it is shared."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import parse_amount
from ledger.refusals import Conflict, InvalidInput
from periods import duties, locks
from periods.facts import facts_of
from periods.models import BudgetItem, Property, ScopedProperty, ServicePeriod
from periods.refusals import require_open
from periods.services.consumption_charges import follow_readings
from periods.services.noting import note
from periods.states import Billing, Fallback, Strategy
from treasury.texts import require_text

Amount = str | int | Decimal
LONGEST_TYPE = 80
CONTENT = (
    "payment_type",
    "budgeted_cost",
    "allocation_strategy",
    "base_percent",
    "fallback",
    "billing",
)
ZERO = Decimal(0)


class ItemExists(Conflict):
    """A period has one budget item for a payment type."""

    code = "budget_item_exists"
    title = "Budget item exists"


@command("budget_item.create")
def create_budget_item(
    *,
    actor: Actor,
    period_id: UUID,
    payment_type: str,
    budgeted_cost: Amount,
    allocation_strategy: str,
    scope: Collection[UUID] = (),
    base_percent: str | int | Decimal | None = None,
    fallback: str = Fallback.NONE,
    billing: str = Billing.SHARE,
) -> BudgetItem:
    """Plan what an open period spends on one payment type and how it is shared; return the item.

    ``scope`` are the properties that share, all active ones when empty. ``base_percent`` (0 to 100),
    ``fallback`` and ``billing`` are for USAGE_BASED. ``budgeted_cost`` may be zero. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``, ``ItemExists``.
    """
    period = locks.lock_period(period_id)
    association = period.association
    duties.may_record(actor, association)
    item = BudgetItem(association=association, period=period, recorded_by=duties.person(actor))
    asked = {
        "payment_type": payment_type,
        "budgeted_cost": budgeted_cost,
        "allocation_strategy": allocation_strategy,
        "base_percent": base_percent,
        "fallback": fallback,
        "billing": billing,
    }
    _write(item, asked)
    units = _units(item, scope)
    require_open(period)
    _require_new(item)
    _insert(item, units, actor)
    return item


@command("budget_item.take_over")
def take_over_budget_items(*, actor: Actor, period_id: UUID) -> list[BudgetItem]:
    """Plan an open period like the one before it; return the new items.

    What it has already stays, so that there is nothing to do the second time, or in a first period. Raises
    ``NotFound``, ``RoleRequired``, ``PeriodClosed``, and as ``create_budget_item`` where readings wait for it.
    """
    period = locks.lock_period(period_id)
    duties.may_record(actor, period.association)
    require_open(period)
    earlier = BudgetItem.objects.filter(period=period.previous_id).prefetch_related("scope")
    made = []
    for item in earlier.order_by("recorded_at", "id"):
        if _same(period, item.payment_type).exists():
            continue
        content = {name: getattr(item, name) for name in CONTENT}
        person = duties.person(actor)
        copy = BudgetItem(
            association=period.association, period=period, recorded_by=person, **content
        )
        _insert(copy, item.scope.all(), actor)
        made.append(copy)
    return made


@command("budget_item.edit")
def edit_budget_item(
    *,
    actor: Actor,
    item_id: UUID,
    scope: Collection[UUID] | None = None,
    **content: Any,
) -> BudgetItem:
    """Change a budget item of an open period: any of the fields of ``create_budget_item``.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``, ``ItemExists``.
    """
    item = locks.lock_budget_item(item_id)
    association = item.association
    duties.may_record(actor, association)
    before, type_before = facts_of(item, currency=association.currency), item.payment_type
    _write(item, content)
    units = None if scope is None else _units(item, scope)
    require_open(item.period)
    _require_new(item)
    item.save()
    if units is not None:
        ScopedProperty.objects.filter(item=item).delete()
        _set_scope(item, units)
    note(actor, "budget_item.edit", item, association=association, before=before)
    # As they are written: the database knows by itself which are the same, and Python knows others (ß is not ss).
    for payment_type in sorted({type_before, item.payment_type}):
        follow_readings(item.period, payment_type, actor)
    return item


def _insert(item: BudgetItem, units: Collection[Property], actor: Actor) -> None:
    item.save(force_insert=True)
    _set_scope(item, units)
    note(actor, "budget_item.create", item, association=item.association)
    follow_readings(item.period, item.payment_type, actor)


def _write(item: BudgetItem, asked: dict[str, Any]) -> None:
    """Read what was asked for into the item; refuses what does not go together."""
    for name, value in asked.items():
        setattr(item, name, _read(name, value, item.association.currency))
    if item.allocation_strategy != Strategy.USAGE_BASED:
        for name, nothing in (("base_percent", None), ("fallback", ""), ("billing", "share")):
            if getattr(item, name) != nothing:
                raise InvalidInput.on(name, "This is for USAGE_BASED alone.")


def _read(name: str, value: Any, currency: str) -> Any:
    if name == "payment_type":
        return require_text(value, field=name, longest=LONGEST_TYPE)
    if name == "budgeted_cost":
        return _cost(value, currency)
    if name == "base_percent":
        return _percent(value)
    return _choice(name, value)


CHOICES: dict[str, Any] = {
    "allocation_strategy": Strategy,
    "fallback": Fallback,
    "billing": Billing,
}


def _choice(name: str, value: str) -> str:
    if value not in CHOICES[name].values:
        raise InvalidInput.on(
            name, f"This is one of {', '.join(filter(None, CHOICES[name].values))}."
        )
    return value


def _cost(value: Amount, currency: str) -> Decimal:
    """Read a planned cost, which may be zero."""
    if value in (0, "0") or (isinstance(value, str) and value and not value.strip("0.")):
        return ZERO
    return parse_amount(value, currency, field="budgeted_cost")


def _percent(value: str | int | Decimal | None) -> Decimal | None:
    if value is None:
        return None
    try:
        percent = Decimal(str(value))
    except ArithmeticError:
        raise InvalidInput.on("base_percent", "This is a number such as 30.") from None
    if not percent.is_finite() or not ZERO <= percent <= 100 or percent % Decimal("0.01"):
        raise InvalidInput.on("base_percent", "From 0 to 100, with at most two decimals.")
    return percent


def _units(item: BudgetItem, scope: Collection[UUID]) -> list[Property]:
    wanted = set(scope)
    units = list(Property.objects.filter(pk__in=wanted, association=item.association_id))
    if len(units) != len(wanted):
        raise InvalidInput.on("scope", "There is no such property.")
    return units


def _require_new(item: BudgetItem) -> None:
    if _same(item.period, item.payment_type).exclude(pk=item.pk).exists():
        raise ItemExists(f"The period has a budget item for {item.payment_type}.")


def _same(period: ServicePeriod, payment_type: str) -> QuerySet[BudgetItem]:
    return BudgetItem.objects.filter(period=period, payment_type__iexact=payment_type)


def _set_scope(item: BudgetItem, units: Collection[Property]) -> None:
    ScopedProperty.objects.bulk_create(
        ScopedProperty(item=item, property=unit, association_id=item.association_id)
        for unit in units
    )
