"""Money: exact amounts in a currency, and the strict reading of them.

Amounts are ``Decimal``, never a float. The currency's minor unit (ISO 4217) bounds the decimals: what
is finer is refused, never rounded. Text is matched against a pattern first, because ``Decimal`` also
takes ``NaN``, ``1e9``, ``1_000`` and full-width digits.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Self

from ledger.refusals import InvalidInput

# Digits after the point per ISO 4217, for the currencies Bursar's organisations deal in.
MINOR_UNITS = {
    "AED": 2, "AUD": 2, "BHD": 3, "BIF": 0, "CAD": 2, "CDF": 2, "CHF": 2, "CNY": 2, "DJF": 0,
    "EGP": 2, "ETB": 2, "EUR": 2, "GBP": 2, "GHS": 2, "GNF": 0, "INR": 2, "JPY": 0, "KES": 2,
    "KMF": 0, "KRW": 0, "KWD": 3, "MAD": 2, "MGA": 2, "MUR": 2, "MWK": 2, "MZN": 2, "NGN": 2,
    "OMR": 3, "RWF": 0, "SAR": 2, "SDG": 2, "SEK": 2, "SOS": 2, "SSP": 2, "TND": 3, "TZS": 2,
    "UGX": 0, "USD": 2, "XAF": 0, "XOF": 0, "ZAR": 2, "ZMW": 2,
}  # fmt: skip
LARGEST_INTEGER_DIGITS = 20  # what NUMERIC(24,4) holds before the point
LARGEST_AMOUNT = Decimal(10) ** LARGEST_INTEGER_DIGITS
AMOUNT_PATTERN = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class UnknownCurrency(InvalidInput):
    """Not a currency code that Bursar knows."""

    code = "unknown_currency"


class InvalidAmount(InvalidInput):
    """Not an amount of this currency; ``code`` says what is wrong with it."""

    code = "amount_invalid"


def minor_unit(currency: str) -> int:
    """Return how many decimals the currency has; raise ``UnknownCurrency`` for any other text."""
    try:
        return MINOR_UNITS[currency]
    except KeyError:
        raise UnknownCurrency.on(
            "currency", f"{currency[:10]!r} is not a known currency."
        ) from None


def parse_amount(value: object, currency: str, *, field: str = "amount") -> Decimal:
    """Read an amount greater than zero, as the wire carries it.

    Takes a string such as ``"1000.00"``, an integer, or a ``Decimal`` (a JSON fraction read without
    float), and a currency code. Returns it with exactly the currency's decimals. Raises
    ``InvalidAmount`` on ``field``: ``amount_invalid``, ``amount_too_large``, ``amount_precision`` when
    it is finer than the minor unit, ``amount_not_positive``.
    """
    decimals = minor_unit(currency)
    text = _as_text(value, field)
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > LARGEST_INTEGER_DIGITS:
        raise InvalidAmount.on(field, "This amount is too large.", code="amount_too_large")
    if fraction[decimals:].strip("0"):
        message = f"{currency} has {decimals} decimals; this amount is finer."
        raise InvalidAmount.on(field, message, code="amount_precision")
    amount = Decimal(f"{whole}.{fraction[:decimals]}" if decimals and fraction else whole)
    if text.startswith("-") or amount == 0:
        raise InvalidAmount.on(
            field, "An amount must be greater than zero.", code="amount_not_positive"
        )
    return quantized(amount, currency)


def _as_text(value: object, field: str) -> str:
    """Return the digits of ``value``, refusing every form that is not plainly a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidAmount.on(field, 'An amount is a string such as "1000.00".')
    if isinstance(value, int) and value.bit_length() > 256:
        raise InvalidAmount.on(field, "This amount is too large.", code="amount_too_large")
    text = value if isinstance(value, str) else str(value)
    if len(text) > 256:
        raise InvalidAmount.on(field, "This amount is too large.", code="amount_too_large")
    if not AMOUNT_PATTERN.fullmatch(text):
        raise InvalidAmount.on(field, 'An amount is written with digits, such as "1000.00".')
    return text


@cache
def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_unit(currency))


def quantized(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with exactly the currency's decimals; raise ``InvalidAmount`` if it is finer.

    What is not a number is ``amount_invalid``, what NUMERIC(24,4) cannot hold ``amount_too_large``.
    """
    unit = _unit(currency)
    if not amount.is_finite():
        raise InvalidAmount.on("amount", "An amount is a number.")
    if abs(amount) >= LARGEST_AMOUNT:
        raise InvalidAmount.on("amount", "This amount is too large.", code="amount_too_large")
    result = amount.quantize(unit)
    if result != amount:
        message = f"{amount} {currency} is finer than the currency's minor unit."
        raise InvalidAmount.on("amount", message, code="amount_precision")
    return result


def format_amount(amount: Decimal, currency: str) -> str:
    """Write an amount as the wire carries it, with exactly the currency's decimals."""
    return f"{quantized(amount, currency):f}"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency; arithmetic across currencies raises ``ValueError``."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", quantized(self.amount, self.currency))

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,f}"

    def _checked(self, other: Self) -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} are never mixed.")
        return other.amount

    def __add__(self, other: Self) -> Self:
        return type(self)(self.amount + self._checked(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.amount - self._checked(other), self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.amount < self._checked(other)

    def __le__(self, other: Self) -> bool:
        return self.amount <= self._checked(other)
