"""Instalments: an amount that owners are asked for, each by his share and then in time."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.money import parse_amount
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.allocation import OwnedBasis, split_in_time
from periods.facts import facts_of
from periods.models import BudgetItem, Instalment, InstalmentPlan, Owner, ServicePeriod
from periods.refusals import require_open
from periods.services.noting import note
from periods.services.opening import require_year
from periods.sharing import Estate
from periods.states import RemainderRule, Strategy
from periods.units import from_units, to_units
from treasury.texts import require_text

Amount = str | int | Decimal
LONGEST_DESCRIPTION = 200
MOST_INSTALMENTS = 120
MOST_MONTHS = 12


@command("instalment_plan.create")
def plan_instalments(
    *,
    actor: Actor,
    period_id: UUID,
    amount: Amount,
    instalments: int,
    first_due_on: date,
    description: str,
    every_months: int = 1,
    budget_item: UUID | None = None,
) -> InstalmentPlan:
    """Ask the owners of an open period for an amount in so many instalments; return the plan.

    Owners share it as the budget item's properties do, by weight or equally; by the weight of all without an
    item. Each owner's share is then split in time (reference 4f), due on ``first_due_on`` and every so many
    months after.
    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``, ``NoWeight``.
    """
    period = locks.lock_period(period_id)
    association = period.association
    duties.may_record(actor, association)
    item = _item(period, budget_item)
    total = to_units(parse_amount(amount, association.currency), association.currency)
    _require_number("instalments", instalments, MOST_INSTALMENTS)
    _require_number("every_months", every_months, MOST_MONTHS)
    require_year("first_due_on", first_due_on)
    plan = InstalmentPlan(
        association=association,
        period=period,
        budget_item=item,
        description=require_text(description, field="description", longest=LONGEST_DESCRIPTION),
        amount=from_units(total, association.currency),
        instalments=instalments,
        recorded_by=duties.person(actor),
    )
    require_open(period)
    basis = _basis(period, item)
    days = list(_due_days(first_due_on, every_months, instalments))
    plan.save(force_insert=True)
    Instalment.objects.bulk_create(_parts(plan, basis, total, days))
    note(actor, "instalment_plan.create", plan, association=association)
    return plan


@command("instalment_plan.withdraw")
def withdraw_instalments(*, actor: Actor, plan_id: UUID) -> InstalmentPlan:
    """Ask for the rest of a plan no more; late fees that were charged stay. A plan is withdrawn once.

    Raises ``NotFound``, ``RoleRequired``.
    """
    plan = locks.lock_instalment_plan(plan_id)
    association = plan.association
    duties.may_record(actor, association)
    if plan.withdrawn_at is not None:
        return plan
    before = facts_of(plan, currency=association.currency)
    plan.withdrawn_at = database_now()
    plan.save(update_fields=["withdrawn_at"])
    note(actor, "instalment_plan.withdraw", plan, association=association, before=before)
    return plan


def _item(period: ServicePeriod, item_id: UUID | None) -> BudgetItem | None:
    if item_id is None:
        return None
    item = BudgetItem.objects.filter(pk=item_id, period=period).first()
    if item is None:
        raise InvalidInput.on("budget_item", "There is no such budget item in this period.")
    if item.allocation_strategy not in (Strategy.PROPORTIONAL, Strategy.FIXED_FEE):
        message = "What goes by consumption, or is not shared, is not known before the close."
        raise InvalidInput.on("budget_item", message)
    return item


def _require_number(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InvalidInput.on(field, f"From 1 to {most}.")


def _due_days(first: date, every_months: int, count: int) -> Iterator[date]:
    """Yield the due dates, each reckoned from the first one: the last day where a month is too short."""
    for number in range(count):
        months = first.year * 12 + first.month - 1 + number * every_months
        year, month = divmod(months, 12)
        yield date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def _basis(period: ServicePeriod, item: BudgetItem | None) -> OwnedBasis[int, int]:
    """By what owners share the amount: properties first, then the days they have them in the period."""
    estate = Estate.of(period)
    scope = {unit.pk for unit in item.scope.all()} if item else set()
    equal = item is not None and item.allocation_strategy == Strategy.FIXED_FEE
    units = [unit for unit in estate.sharing if not scope or unit.pk in scope]
    return estate.owned(
        {unit: 1 if equal else unit.share_weight for unit in units},
        RemainderRule(period.association.remainder_rule),
    )


def _parts(
    plan: InstalmentPlan, basis: OwnedBasis[int, int], total: int, days: list[date]
) -> Iterator[Instalment]:
    currency = plan.association.currency
    rows = Owner.objects.filter(association=plan.association)
    owners = {owner.number: owner for owner in rows}
    for number, share in zip(basis.keys, basis.split_units(total), strict=True):
        parts = split_in_time(share, len(days))
        for place, (day, part) in enumerate(zip(days, parts, strict=True), start=1):
            if part:
                yield Instalment(
                    association=plan.association,
                    plan=plan,
                    owner=owners[number],
                    number=place,
                    due_on=day,
                    amount=from_units(part, currency),
                )
