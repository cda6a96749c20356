"""Minor units: amounts as whole numbers, which is what the rules of periods reckon in. Pure: no ORM.

An amount is a ``Decimal`` at the edge and an integer of minor units inside, so that nothing is ever lost
between two shares. A rate times a quantity is a ``Fraction`` until it is rounded, once, half up.
"""

from decimal import Context, Decimal
from fractions import Fraction

from ledger.money import minor_unit, quantized

EXACT = Context(prec=60)  # more digits than any sum of amounts has
HUNDRED_PERCENT = 100


def to_units(amount: Decimal, currency: str) -> int:
    """Return the amount as whole minor units: 10.01 KES is 1001.

    Raises ``InvalidAmount`` (400): ``amount_precision`` when it is finer than the minor unit, and what
    ``ledger.money.quantized`` refuses.
    """
    return int(quantized(amount, currency).scaleb(minor_unit(currency), EXACT))


def from_units(units: int, currency: str) -> Decimal:
    """Return the amount of so many minor units, with exactly the currency's decimals."""
    return Decimal(units).scaleb(-minor_unit(currency), EXACT)


def half_up(value: Fraction) -> int:
    """Round to the nearest whole number, halves away from zero, so that a refund mirrors its expense."""
    rounded = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return rounded if value >= 0 else -rounded


def priced(quantity: Fraction, unit_price: Decimal, currency: str) -> int:
    """Return what a quantity costs at a price, in minor units, rounded half up once."""
    return half_up(quantity * Fraction(unit_price) * 10 ** minor_unit(currency))


def percentage(units: int, percent: Decimal) -> int:
    """Return so many percent of an amount in minor units, rounded half up once."""
    return half_up(Fraction(percent) * units * Fraction(1, HUNDRED_PERCENT))
