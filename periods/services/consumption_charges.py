"""Consumption that is charged at its own price: the charges follow the readings. Plain, inside a command.

Each property's owners are charged what its meters counted, by the days they owned it; what only the main
meter counted is charged to all by share weight (reference 4i).
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from periods.allocation import Basis, OwnedBasis
from periods.models import BudgetItem, Owner, Property, Reading, ServiceCharge, ServicePeriod
from periods.ownership import Ownership, days_owned
from periods.services import recording
from periods.services.booking import book_charge
from periods.services.charges import within
from periods.states import Billing, ChargeKind, RemainderRule
from periods.units import from_units, to_units

Due = dict[tuple[UUID, UUID], int]
# An owner's place among those who share: his number in the association, then his id.
Place = tuple[int, UUID]


def follow_readings(period: ServicePeriod, payment_type: str, actor: Actor) -> None:
    """Bring the period's charges for one payment type to what its live readings cost.

    Nothing happens where the item is not billed by unit price, or nothing changed.
    """
    item = BudgetItem.objects.filter(
        period=period, payment_type__iexact=payment_type, billing=Billing.UNIT_PRICE
    ).first()
    if item is None:
        return
    rows = Reading.objects.select_related("meter__property").filter(
        period=period, meter__payment_type__iexact=payment_type
    )
    readings = {reading.pk: reading for reading in rows}
    due = _due(period, item, [row for row in readings.values() if row.voided_at is None])
    charged = ServiceCharge.objects.filter(reading__in=readings, voided_at=None)
    for charge in charged.select_related("owner").order_by("pk"):
        charge.period, charge.association = period, period.association
        assert charge.reading_id is not None
        units = due.pop((charge.reading_id, charge.owner_id), 0)
        _bring(charge, readings[charge.reading_id], units, actor)
    owners = Owner.objects.in_bulk({owner for _, owner in due})
    for (reading_id, owner_id), units in sorted(due.items()):
        if units:
            _charge(period, readings[reading_id], owners[owner_id], units, actor)


def _due(period: ServicePeriod, item: BudgetItem, readings: Iterable[Reading]) -> Due:
    """Return what each owner owes for each reading, in minor units."""
    currency = period.association.currency
    cost = {
        row.pk: to_units(row.total_cost, currency) for row in readings if row.total_cost is not None
    }
    own = [row for row in readings if row.meter.property_id is not None and row.pk in cost]
    main = [row for row in readings if row.meter.property_id is None and row.pk in cost]
    owned = _owned(period)
    due: Due = defaultdict(int)
    for row in own:
        assert row.meter.property_id is not None
        first, last = within(period, row.from_on), within(period, row.to_on)
        basis = Basis.of(days_owned(owned[row.meter.property_id], first, last), rule=_rule(period))
        for (_, owner), share in zip(basis.keys, basis.split_units(cost[row.pk]), strict=True):
            due[row.pk, owner] += share
    if main:
        rest = sum(cost[row.pk] for row in main) - sum(cost[row.pk] for row in own)
        common = _common(period, item, owned)
        for (_, owner), share in zip(common.keys, common.split_units(rest), strict=True):
            due[main[-1].pk, owner] += share
    return due


def _common(
    period: ServicePeriod, item: BudgetItem, owned: dict[UUID, list[Ownership[Place]]]
) -> OwnedBasis[Place, Place]:
    """By what the common consumption is charged: weights of the properties in scope, then days."""
    units = list(item.scope.filter(active=True)) or list(
        Property.objects.filter(association=period.association_id, active=True)
    )
    weights = Basis.of(
        (((unit.number, unit.pk), unit.share_weight) for unit in units), rule=_rule(period)
    )
    days = {
        (unit.number, unit.pk): days_owned(owned[unit.pk], period.start_date, period.end_date)
        for unit in units
    }
    return OwnedBasis.of(weights, days)


def _owned(period: ServicePeriod) -> dict[UUID, list[Ownership[Place]]]:
    """Return who owned each property of the association, and when."""
    owned: defaultdict[UUID, list[Ownership[Place]]] = defaultdict(list)
    units = Property.objects.filter(association=period.association_id)
    for unit in units.prefetch_related("ownerships__owner"):
        for row in unit.ownerships.all():
            place = (row.owner.number, row.owner_id)
            owned[unit.pk].append(Ownership(place, row.from_on, row.until_on))
    return owned


def _rule(period: ServicePeriod) -> RemainderRule:
    return RemainderRule(period.association.remainder_rule)


def _bring(charge: ServiceCharge, reading: Reading, units: int, actor: Actor) -> None:
    """Bring a charge that exists to what is due; one for nothing is void."""
    if not units:
        recording.void(charge, "Nothing is due for the reading any more.", actor)
        return
    amount = from_units(units, charge.association.currency)
    content = {"amount": amount, "description": _description(reading)}
    recording.change(charge, content, book_charge, actor)


def _charge(
    period: ServicePeriod, reading: Reading, owner: Owner, units: int, actor: Actor
) -> None:
    charge = ServiceCharge(
        association=period.association,
        period=period,
        owner=owner,
        kind=ChargeKind.CONSUMPTION,
        amount=from_units(units, period.association.currency),
        date=within(period, reading.to_on),
        description=_description(reading),
        reading=reading,
    )
    recording.insert(charge, book_charge, actor)


def _description(reading: Reading) -> str:
    common = " (common)" if reading.meter.property_id is None else ""
    what = f"{reading.meter.payment_type}{common}: {reading.consumption.normalize():f}"
    return f"{what} at {(reading.unit_price or Decimal(0)).normalize():f}"
