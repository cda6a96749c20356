"""Consumption that is charged at its own price: the charges follow the readings. Plain, inside a command.

Each property's owners are charged what its meters counted, by the days they owned it; what only the main
meter counted is charged to all by share weight (reference 4i). Whatever of this changes while the period is
open, the charges are brought to it by the same command.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from periods import locks
from periods.allocation import Basis, OwnedBasis
from periods.models import Association, BudgetItem, Owner, Reading, ServiceCharge, ServicePeriod
from periods.ownership import days_owned
from periods.services import recording
from periods.services.booking import book_charge
from periods.services.charges import within
from periods.sharing import Estate
from periods.states import Billing, ChargeKind, RemainderRule
from periods.units import from_units, to_units

# Minor units by reading and the owner's number.
Due = dict[tuple[UUID, int], int]


def follow_owners(association: Association, actor: Actor, *, since: date = date.min) -> None:
    """Bring the charges of open periods to who owns what, and with which weight, from a day on.

    The association is locked. Raises ``NoWeight`` where common consumption is left with nobody to pay it.
    """
    for period in locks.lock_open_periods(association, since):
        follow_all(period, actor)


def follow_all(period: ServicePeriod, actor: Actor) -> None:
    """Bring all charges of an open period to who owns what today, and with which weight.

    Raises ``NoWeight`` as above, ``OwnershipGap``.
    """
    items = BudgetItem.objects.filter(period=period, billing=Billing.UNIT_PRICE)
    for payment_type in items.order_by("payment_type").values_list("payment_type", flat=True):
        follow_readings(period, payment_type, actor)


def follow_readings(period: ServicePeriod, payment_type: str, actor: Actor) -> None:
    """Bring the period's charges for one payment type to what its live readings cost.

    Nothing is due where no item is billed by unit price; nothing happens where nothing changed.
    """
    item = BudgetItem.objects.filter(
        period=period, payment_type__iexact=payment_type, billing=Billing.UNIT_PRICE
    ).first()
    rows = Reading.objects.select_related("meter__property").filter(
        period=period, meter__payment_type__iexact=payment_type
    )
    readings = {reading.pk: reading for reading in rows}
    live = [row for row in readings.values() if row.voided_at is None]
    due = _due(period, item, live) if item and live else {}
    charged = ServiceCharge.objects.filter(reading__in=readings, voided_at=None)
    for charge in charged.select_related("owner").order_by("pk"):
        charge.period, charge.association = period, period.association
        assert charge.reading_id is not None
        units = due.pop((charge.reading_id, charge.owner.number), 0)
        _bring(charge, readings[charge.reading_id], units, actor)
    members = Owner.objects.filter(association=period.association) if due else ()
    owners = {owner.number: owner for owner in members}
    for (reading_id, number), units in sorted(due.items()):
        if units:
            _charge(period, readings[reading_id], owners[number], units, actor)


def _due(period: ServicePeriod, item: BudgetItem, readings: Iterable[Reading]) -> Due:
    """Return what each owner owes for each reading, in minor units."""
    currency = period.association.currency
    cost = {
        row.pk: to_units(row.total_cost, currency) for row in readings if row.total_cost is not None
    }
    own = [row for row in readings if row.meter.property_id is not None and row.pk in cost]
    main = [row for row in readings if row.meter.property_id is None and row.pk in cost]
    estate = Estate.of(period)
    due: Due = defaultdict(int)
    for row in own:
        assert row.meter.property_id is not None
        first, last = within(period, row.from_on), within(period, row.to_on)
        held = estate.ownerships[row.meter.property_id]
        basis = Basis.of(days_owned(held, first, last), rule=_rule(estate))
        for owner, share in zip(basis.keys, basis.split_units(cost[row.pk]), strict=True):
            due[row.pk, owner] += share
    if main:
        rest = sum(cost[row.pk] for row in main) - sum(cost[row.pk] for row in own)
        common = _common(estate, item)
        for owner, share in zip(common.keys, common.split_units(rest), strict=True):
            due[main[-1].pk, owner] += share
    return due


def _common(estate: Estate, item: BudgetItem) -> OwnedBasis[int, int]:
    """By what the common consumption is charged: weights of the properties in scope, then days."""
    scope = {unit.pk for unit in item.scope.all()}
    units = [unit for unit in estate.sharing if not scope or unit.pk in scope]
    return estate.owned({unit: unit.share_weight for unit in units}, _rule(estate))


def _rule(estate: Estate) -> RemainderRule:
    return RemainderRule(estate.association.remainder_rule)


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
