"""Amounts in words, as they stand on a voucher beside the figures. Pure: no ORM."""

from decimal import Decimal

from ledger.money import minor_unit, quantized

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = (
    "",
    " thousand",
    " million",
    " billion",
    " trillion",
    " quadrillion",
    " quintillion",
)


def in_words(amount: Decimal, currency: str) -> str:
    """Return the amount in words with its currency's code: "Four thousand five hundred and 50/100 KES".

    Raises ``InvalidAmount`` for what is finer than the currency's minor unit.
    """
    exact = quantized(abs(amount), currency)
    whole = int(exact)
    words = _whole(whole).capitalize()
    if unit := minor_unit(currency):
        rest = int((exact - whole).scaleb(unit))
        words += f" and {rest:0{unit}d}/{10**unit}"
    return f"{'Minus ' if amount < 0 else ''}{words} {currency}"


def _whole(number: int) -> str:
    if number == 0:
        return SMALL[0]
    groups: list[str] = []
    for scale in SCALES:
        number, rest = divmod(number, 1000)
        if rest:
            groups.append(_below_thousand(rest) + scale)
    return " ".join(reversed(groups))


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= len(SMALL):
        tens, ones = divmod(rest, 10)
        parts.append(TENS[tens] + (f"-{SMALL[ones]}" if ones else ""))
    elif rest:
        parts.append(SMALL[rest])
    return " ".join(parts)
