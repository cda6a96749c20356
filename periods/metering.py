"""Metering: from what a counter shows to what was consumed and what it costs. Pure: no ORM.

Readings are decimals with up to three places; consumption is exact, in the meter's unit after its multiplier.
A price times a consumption is rounded half up once per line. Where nothing was read, consumption is estimated
from history or from like units and never silently zero; the first actual reading then corrects the estimates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from ledger.refusals import InvalidInput, RuleBroken
from periods.units import EXACT, half_up, priced

READING_DECIMALS = 3
IMPLAUSIBLE_TIMES = 3
COMMON_TOLERANCE_PERCENT = 2


class ReadingInvalid(InvalidInput):
    """A reading that this counter cannot show."""

    code = "reading_invalid"


class ReadingDecreased(InvalidInput):
    """The end reading is lower than the start, and nobody said that the counter rolled over."""

    code = "reading_decreased"


class NoHistory(RuleBroken):
    """There is nothing to estimate a consumption from."""

    code = "no_history"


@dataclass(frozen=True, slots=True)
class Segment:
    """What one counter showed first and last; a replaced meter has two segments in a period.

    ``digits`` is how many the counter has before the point (None: not known); with ``rolled_over`` it
    passed its largest number and began again at zero.
    """

    start: Decimal
    end: Decimal
    multiplier: Decimal = Decimal(1)
    digits: int | None = None
    rolled_over: bool = False

    def consumption(self) -> Decimal:
        """Return what was consumed, exactly. Raises ``ReadingDecreased`` and ``ReadingInvalid`` (400)."""
        self._require_readable("meter_start_reading", self.start)
        self._require_readable("meter_end_reading", self.end)
        turned = Decimal(0)
        if self.rolled_over:
            turned = self._full_turn()
        elif self.end < self.start:
            message = f"{self.end} is lower than {self.start}, and the counter did not roll over."
            raise ReadingDecreased.on("meter_end_reading", message)
        counted = EXACT.add(EXACT.subtract(self.end, self.start), turned)
        return EXACT.multiply(counted, self.multiplier)

    def _full_turn(self) -> Decimal:
        if self.digits is None or self.end >= self.start:
            message = (
                "A counter that rolled over shows less than before, in a known number of digits."
            )
            raise ReadingInvalid.on("rolled_over", message)
        return Decimal(10**self.digits)

    def _require_readable(self, field: str, reading: Decimal) -> None:
        if reading < 0:
            raise ReadingInvalid.on(field, "A counter shows zero or more.")
        if self.digits is not None and reading >= 10**self.digits:
            raise ReadingInvalid.on(field, f"This counter has {self.digits} digits.")


def cost_of(consumption: Decimal, unit_price: Decimal, currency: str) -> int:
    """Return what one line costs in minor units, rounded half up once."""
    return priced(Fraction(consumption), unit_price, currency)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was consumed in so many days."""

    consumption: Decimal
    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"A consumption takes a day or more, not {self.days}.")


def estimated(days: int, history: Usage | None, like_units: Iterable[Usage] = ()) -> Decimal:
    """Estimate the consumption of so many days, to three decimals.

    By the daily average of the last actual year, or without history by that of like units. Raises
    ``NoHistory`` (422) when there is neither, because zero would be a guess too.
    """
    known = list(like_units) if history is None else [history]
    if not known:
        raise NoHistory("Nothing was read here or in a like unit that one could estimate from.")
    consumed = sum((Fraction(usage.consumption) for usage in known), Fraction(0))
    return _to_reading(consumed * Fraction(days, sum(usage.days for usage in known)))


def interpolated(earlier: tuple[date, Decimal], later: tuple[date, Decimal], on: date) -> Decimal:
    """Return what the counter will have shown on a day between two readings: linear by days."""
    (first, low), (last, high) = earlier, later
    if not first <= on <= last or first == last:
        raise ValueError(f"{on} does not lie between the readings of {first} and {last}.")
    gone = Fraction((on - first).days, (last - first).days)
    return _to_reading(Fraction(low) + gone * (Fraction(high) - Fraction(low)))


def correction(actual: Decimal, billed_estimates: Iterable[Decimal]) -> Decimal:
    """Return the one line that brings billed estimates to what was really consumed; may be negative."""
    rest = actual
    for estimate in billed_estimates:
        rest = EXACT.subtract(rest, estimate)
    return rest


def needs_confirmation(used: Usage, history: Usage | None) -> bool:
    """Whether a person should confirm the reading: it is more than three times the daily average."""
    if history is None:
        return False
    average = Fraction(history.consumption) * Fraction(used.days, history.days)
    return Fraction(used.consumption) > IMPLAUSIBLE_TIMES * average


def _to_reading(value: Fraction) -> Decimal:
    return Decimal(half_up(value * 10**READING_DECIMALS)).scaleb(-READING_DECIMALS, EXACT)
