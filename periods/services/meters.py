"""Meters: setting one up, and taking it out of use."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import InvalidInput
from periods import duties, locks
from periods.facts import facts_of
from periods.models import Association, BudgetItem, Meter, Property
from periods.services.noting import note
from periods.states import Strategy
from treasury.texts import optional_text

LONGEST_LABEL = 80
MOST_DIGITS = 11
LARGEST_MULTIPLIER = Decimal(10) ** 8


@command("meter.add")
def add_meter(
    *,
    actor: Actor,
    association_id: UUID,
    budget_item_id: UUID,
    property_id: UUID | None = None,
    digits: int = 6,
    multiplier: str | int | Decimal = 1,
    label: str = "",
) -> Meter:
    """Set up a meter of a property, or the main one of the house (None), and return it.

    It counts for the budget item's payment type in every period from now on. ``digits`` are those before the
    point. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    item = _item(association, budget_item_id)
    if not 1 <= digits <= MOST_DIGITS:
        raise InvalidInput.on("digits", f"A counter has 1 to {MOST_DIGITS} digits.")
    meter = Meter(
        association=association,
        property=_unit(association, property_id),
        budget_item=item,
        payment_type=item.payment_type,
        label=optional_text(label, field="label", longest=LONGEST_LABEL),
        digits=digits,
        multiplier=_multiplier(multiplier),
    )
    meter.save(force_insert=True)
    note(actor, "meter.add", meter, association=association)
    return meter


@command("meter.retire")
def retire_meter(*, actor: Actor, meter_id: UUID, retired_on: date | None) -> Meter:
    """Take a meter out of use from a day on, or back into use (None); periods before it want its readings.

    Raises ``NotFound``, ``RoleRequired``.
    """
    meter = locks.lock_meter(meter_id)
    association = meter.association
    duties.may_keep(actor, association)
    before = facts_of(meter, currency=association.currency)
    meter.retired_on = retired_on
    meter.save(update_fields=["retired_on"])
    note(actor, "meter.retire", meter, association=association, before=before)
    return meter


def _item(association: Association, item_id: UUID) -> BudgetItem:
    item = BudgetItem.objects.filter(pk=item_id, association=association).first()
    if item is None:
        raise InvalidInput.on("budget_item", "There is no such budget item.")
    if item.allocation_strategy != Strategy.USAGE_BASED:
        raise InvalidInput.on("budget_item", "Meters are for items that are shared by consumption.")
    return item


def _unit(association: Association, property_id: UUID | None) -> Property | None:
    if property_id is None:
        return None
    unit = Property.objects.filter(pk=property_id, association=association).first()
    if unit is None:
        raise InvalidInput.on("property", "There is no such property.")
    return unit


def _multiplier(value: str | int | Decimal) -> Decimal:
    try:
        multiplier = Decimal(str(value))
    except ArithmeticError:
        raise InvalidInput.on("multiplier", "This is a number such as 40.") from None
    if not multiplier.is_finite() or not 0 < multiplier < LARGEST_MULTIPLIER:
        raise InvalidInput.on("multiplier", "This is greater than zero.")
    if multiplier % Decimal("0.0001"):
        raise InvalidInput.on("multiplier", "At most four decimals.")
    return multiplier
