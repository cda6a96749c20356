"""Readings: what meters counted in a period, estimated where nobody read them, corrected when they do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import command
from ledger.money import LARGEST_AMOUNT, InvalidAmount, parse_amount
from ledger.refusals import Conflict, InvalidInput
from periods import duties, locks, metering
from periods.facts import facts_of
from periods.metering import Segment, Usage
from periods.models import Meter, Reading, ServicePeriod
from periods.refusals import AlreadyVoid, ReadingTwice, require_open
from periods.services import recording
from periods.services.consumption_charges import follow_readings
from periods.services.noting import note
from periods.services.opening import require_year
from periods.states import ReadingKind
from periods.units import from_units

Number = str | int | Decimal
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SMALLEST = Decimal("0.001")
LARGEST = Decimal(10) ** 11
LARGEST_PRICE = Decimal(10) ** 10
# What a column of twenty digits, seven of them decimals, holds.
LARGEST_CONSUMPTION = Decimal(10) ** 13
COUNTED = (ReadingKind.ACTUAL, ReadingKind.INTERPOLATED, ReadingKind.CORRECTION)


class ReadingImplausible(Conflict):
    """More than three times what the meter counted before; a person confirms it."""

    code = "reading_implausible"
    title = "Implausible reading"


@dataclass(frozen=True, slots=True)
class Counted:
    """What was asked to be recorded, read field by field."""

    from_on: date
    to_on: date
    start: Decimal | None
    end: Decimal | None
    rolled_over: bool
    unit_price: Decimal | None
    total_cost: Number | None


@command("reading.record")
def record_reading(
    *,
    actor: Actor,
    period_id: UUID,
    meter_id: UUID,
    meter_end_reading: Number | None = None,
    meter_start_reading: Number | None = None,
    kind: str = ReadingKind.ACTUAL,
    from_on: date | None = None,
    to_on: date | None = None,
    rolled_over: bool = False,
    unit_price: Number | None = None,
    total_cost: Number | None = None,
    confirmed: bool = False,
) -> Reading:
    """Record what a meter counted between two days, by default those of the open period; return the reading.

    Without a start it goes on from the meter's last reading. An ESTIMATED one takes no readings: its
    consumption is the daily average of the last year, or of like units (reference 4i). What was read on other
    days than the period's is interpolated by days, and the first actual reading after estimates becomes the
    one line that corrects them. ``total_cost`` is consumption times ``unit_price``, rounded half up; given, it
    must be equal. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field, ``PeriodClosed``,
    ``ReadingTwice``, ``ReadingImplausible`` unless ``confirmed``, ``NoHistory``.
    """
    period = recording.begin(actor, period_id)
    meter = _meter(period, meter_id)
    days = _days(period, from_on, to_on)
    price = None if unit_price is None else _price(unit_price)
    start = _counter("meter_start_reading", meter_start_reading)
    end = _counter("meter_end_reading", meter_end_reading)
    asked = Counted(*days, start, end, rolled_over, price, total_cost)
    reading = Reading(
        association=period.association,
        period=period,
        meter=meter,
        recorded_by=duties.person(actor),
    )
    require_open(period)
    _require_new(meter, asked.to_on)
    _write(reading, asked, kind)
    if not confirmed:
        _require_plausible(reading)
    reading.save(force_insert=True)
    note(actor, "reading.record", reading, association=period.association)
    follow_readings(period, meter.payment_type, actor)
    return reading


@command("reading.edit")
def edit_reading(
    *,
    actor: Actor,
    reading_id: UUID,
    meter_end_reading: Number | None = None,
    meter_start_reading: Number | None = None,
    rolled_over: bool | None = None,
    unit_price: Number | None = None,
    total_cost: Number | None = None,
    confirmed: bool = False,
) -> Reading:
    """Change a reading of an open period; what is None stays. What is charged for it follows.

    Raises as ``record_reading`` does, and ``AlreadyVoid``.
    """
    reading = locks.lock_reading(reading_id)
    duties.may_record(actor, reading.association)
    before = facts_of(reading, currency=reading.association.currency)
    start = _counter("meter_start_reading", meter_start_reading)
    end = _counter("meter_end_reading", meter_end_reading)
    asked = Counted(
        reading.from_on,
        reading.to_on,
        reading.meter_start_reading if start is None else start,
        reading.meter_end_reading if end is None else end,
        reading.rolled_over if rolled_over is None else rolled_over,
        reading.unit_price if unit_price is None else _price(unit_price),
        total_cost,
    )
    estimated = reading.kind == ReadingKind.ESTIMATED and end is None
    _write(reading, asked, ReadingKind.ESTIMATED if estimated else ReadingKind.ACTUAL)
    require_open(reading.period)
    _require_live(reading)
    if not confirmed:
        _require_plausible(reading)
    reading.version += 1
    reading.save()
    note(actor, "reading.edit", reading, association=reading.association, before=before)
    follow_readings(reading.period, reading.meter.payment_type, actor)
    return reading


@command("reading.void")
def void_reading(*, actor: Actor, reading_id: UUID) -> Reading:
    """Take a reading of an open period out, with what was charged for it.

    Raises ``NotFound``, ``RoleRequired``, ``PeriodClosed``, ``AlreadyVoid``.
    """
    reading = locks.lock_reading(reading_id)
    duties.may_record(actor, reading.association)
    require_open(reading.period)
    _require_live(reading)
    before = facts_of(reading, currency=reading.association.currency)
    reading.voided_at = database_now()
    reading.save(update_fields=["voided_at"])
    note(actor, "reading.void", reading, association=reading.association, before=before)
    follow_readings(reading.period, reading.meter.payment_type, actor)
    return reading


def _meter(period: ServicePeriod, meter_id: UUID) -> Meter:
    rows = Meter.objects.select_related("property").filter(association=period.association_id)
    meter = rows.filter(pk=meter_id).first()
    if meter is None:
        raise InvalidInput.on("meter", "There is no such meter.")
    return meter


def _days(period: ServicePeriod, from_on: date | None, to_on: date | None) -> tuple[date, date]:
    first, last = from_on or period.start_date, to_on or period.end_date
    for field, day in (("from_on", first), ("to_on", last)):
        require_year(field, day)
    if first > last:
        raise InvalidInput.on("to_on", "A reading ends on the day it starts, or later.")
    if last < period.start_date or first > period.end_date:
        message = "This lies outside the period."
        raise InvalidInput.on("to_on", message, code="date_outside_period")
    return first, last


def _write(reading: Reading, asked: Counted, kind: str) -> None:
    """Work out consumption, kind and cost of what was asked for."""
    reading.from_on, reading.to_on = asked.from_on, asked.to_on
    reading.rolled_over = asked.rolled_over
    reading.unit_price = asked.unit_price
    if kind == ReadingKind.ESTIMATED:
        _estimate(reading, asked)
    elif kind == ReadingKind.ACTUAL:
        _count(reading, asked)
    else:
        raise InvalidInput.on(
            "kind", "This is ACTUAL or ESTIMATED; the other kinds follow from it."
        )
    if abs(reading.consumption) >= LARGEST_CONSUMPTION:
        message = f"What was consumed is less than {LARGEST_CONSUMPTION:f}."
        raise metering.ReadingInvalid.on("meter_end_reading", message)
    reading.total_cost = _cost(reading, asked.total_cost)


def _count(reading: Reading, asked: Counted) -> None:
    if asked.end is None:
        raise InvalidInput.on("meter_end_reading", "What does the meter show?", code="required")
    last, estimates = _before(reading)
    start = asked.start
    if start is None and last is not None:
        start = last.meter_end_reading
    if start is None:
        message = "This is the meter's first reading: say where it starts."
        raise InvalidInput.on("meter_start_reading", message, code="required")
    meter = reading.meter
    segment = Segment(start, asked.end, meter.multiplier, meter.digits, asked.rolled_over)
    consumption = segment.consumption()
    reading.meter_start_reading, reading.meter_end_reading = start, asked.end
    corrects = bool(estimates) and last is not None and start == last.meter_end_reading
    if corrects:
        reading.kind = ReadingKind.CORRECTION
        consumption = metering.correction(consumption, [row.consumption for row in estimates])
    else:
        reading.kind, consumption = _within(reading, consumption)
    reading.consumption = consumption


def _within(reading: Reading, consumption: Decimal) -> tuple[ReadingKind, Decimal]:
    """Return the part of a consumption that lies in the period, by days, and what that makes of it."""
    period = reading.period
    first = max(reading.from_on, period.start_date)
    last = min(reading.to_on, period.end_date)
    if (first, last) == (reading.from_on, reading.to_on):
        return ReadingKind.ACTUAL, consumption
    whole = (reading.from_on - DAY, Decimal(0)), (reading.to_on, consumption)
    part = metering.interpolated(*whole, last) - metering.interpolated(*whole, first - DAY)
    return ReadingKind.INTERPOLATED, part


def _before(reading: Reading) -> tuple[Reading | None, list[Reading]]:
    """Return the meter's last actual reading before this one, and the estimates since."""
    earlier = list(
        Reading.objects.filter(
            meter=reading.meter, voided_at=None, to_on__lt=reading.to_on
        ).exclude(pk=reading.pk)
    )
    actual = [row for row in earlier if row.kind in COUNTED]
    last = actual[-1] if actual else None
    since = last.to_on if last else date.min
    estimates = [row for row in earlier if row.kind == ReadingKind.ESTIMATED and row.to_on > since]
    return last, estimates


def _estimate(reading: Reading, asked: Counted) -> None:
    if asked.start is not None or asked.end is not None:
        raise InvalidInput.on("kind", "An estimate takes no readings.")
    days = (reading.to_on - reading.from_on).days + 1
    history = _usage([reading.meter], before=reading.from_on)
    like: Iterable[Usage] = ()
    if history is None:
        others = Meter.objects.filter(
            association=reading.association_id,
            payment_type__iexact=reading.meter.payment_type,
            property__isnull=reading.meter.property_id is None,
        ).exclude(pk=reading.meter_id)
        found = _usage(others, before=reading.to_on + DAY)
        like = [found] if found else []
    reading.kind = ReadingKind.ESTIMATED
    reading.meter_start_reading = reading.meter_end_reading = None
    reading.consumption = metering.estimated(days, history, like)


def _usage(meters: Iterable[Meter], *, before: date) -> Usage | None:
    """Return what meters counted in their last year before a day; None where nobody read them."""
    rows = Reading.objects.filter(
        meter__in=[meter.pk for meter in meters],
        voided_at=None,
        kind__in=COUNTED,
        to_on__lt=before,
        to_on__gte=before - YEAR,
    )
    found = list(rows.values_list("from_on", "to_on", "consumption"))
    if not found:
        return None
    days = sum((to_on - from_on).days + 1 for from_on, to_on, _ in found)
    return Usage(sum((consumption for _, _, consumption in found), Decimal(0)), days)


def _cost(reading: Reading, given: Number | None) -> Decimal | None:
    currency = reading.association.currency
    if reading.unit_price is None:
        if given is not None:
            raise InvalidInput.on(
                "unit_price", "A cost needs the price of a unit.", code="required"
            )
        return None
    cost = from_units(metering.cost_of(reading.consumption, reading.unit_price, currency), currency)
    if abs(cost) >= LARGEST_AMOUNT:
        message = "This amount is too large."
        raise InvalidAmount.on("total_cost", message, code="amount_too_large")
    if given is not None and not _same(given, cost, currency):
        message = f"{reading.consumption} at {reading.unit_price} is {cost}."
        raise InvalidInput.on("total_cost", message, code="total_cost_differs")
    return cost


def _same(given: Number, cost: Decimal, currency: str) -> bool:
    if cost > 0:
        return parse_amount(given, currency, field="total_cost") == cost
    return Decimal(str(given)) == cost


def _counter(field: str, value: Number | None) -> Decimal | None:
    if value is None:
        return None
    return _number(field, value, finest=SMALLEST, below=LARGEST)


def _price(value: Number) -> Decimal:
    return _number("unit_price", value, finest=Decimal("0.000001"), below=LARGEST_PRICE)


def _number(field: str, value: Number, *, finest: Decimal, below: Decimal) -> Decimal:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise InvalidInput.on(field, "This is a number.") from None
    if not number.is_finite() or not 0 <= number < below:
        raise InvalidInput.on(field, f"This is from zero to less than {below:f}.")
    if number % finest:
        raise InvalidInput.on(field, f"At most {-int(finest.as_tuple().exponent)} decimals.")
    return number


def _require_new(meter: Meter, to_on: date) -> None:
    if Reading.objects.filter(meter=meter, to_on=to_on, voided_at=None).exists():
        raise ReadingTwice(f"{meter} has a reading for {to_on}.")


def _require_live(reading: Reading) -> None:
    if reading.voided_at is not None:
        raise AlreadyVoid("This reading is void.")


def _require_plausible(reading: Reading) -> None:
    if reading.kind not in (ReadingKind.ACTUAL, ReadingKind.INTERPOLATED):
        return
    used = Usage(reading.consumption, (reading.to_on - reading.from_on).days + 1)
    history = _usage([reading.meter], before=reading.from_on)
    if metering.needs_confirmation(used, history):
        raise ReadingImplausible(
            f"{reading.meter} counted {reading.consumption}, more than three times its average;"
            " confirm that this is right."
        )
