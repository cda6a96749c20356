"""Amounts: read strictly, kept exactly, written with the currency's decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import (
    MINOR_UNITS,
    InvalidAmount,
    Money,
    UnknownCurrency,
    format_amount,
    minor_unit,
    parse_amount,
    quantized,
)
from ledger.refusals import InvalidInput

READ = [
    ("1000.00", "KES", "1000.00"),
    ("1000", "KES", "1000.00"),
    ("1000.5", "KES", "1000.50"),
    (1000, "KES", "1000.00"),
    (Decimal("1000.5"), "KES", "1000.50"),
    ("0.01", "KES", "0.01"),
    ("007.50", "KES", "7.50"),
    ("15000.00", "RWF", "15000"),
    ("15000", "RWF", "15000"),
    (Decimal("15000.0"), "RWF", "15000"),
    ("1.234", "KWD", "1.234"),
    ("1.5000000", "KES", "1.50"),
    ("99999999999999999999.99", "KES", "99999999999999999999.99"),
    ("00000000000000000000000001", "KES", "1.00"),
]


@pytest.mark.parametrize(("value", "currency", "written"), READ, ids=str)
def test_an_amount_is_read(value: object, currency: str, written: str) -> None:
    assert str(parse_amount(value, currency)) == written


INVALID = [
    "", " ", "abc", "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "1e5", "1E5", "1e-2", "1_000",
    "1,000", "1 000", " 1", "1 ", "1\n", "\t1", "+5", "--5", "-", ".", ".5", "5.", "1.2.3", "0x10", "1/2",
    "\uff11\uff10\uff10", "\u0661\u0662", "\u00b2", "\u2460", "\u22125", "1\u00a0000", "1\u200b", "\ufeff1",
    "1\x00", "$5", "5KES", None, True, False, 1.5, 1000.0, float("nan"), [], {}, ["1"], b"1", object(),
    Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN"), Decimal("1E+5"),
]  # fmt: skip


@pytest.mark.parametrize("value", INVALID)
def test_what_is_not_plainly_a_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidAmount) as caught:
        parse_amount(value, "KES")
    assert (caught.value.status, caught.value.code) == (400, "amount_invalid")


REFUSED = [
    ("1.001", "KES", "amount_precision"),
    ("1.5", "RWF", "amount_precision"),
    ("0.0001", "KWD", "amount_precision"),
    (Decimal("0.001"), "KES", "amount_precision"),
    ("0", "KES", "amount_not_positive"),
    ("0.00", "KES", "amount_not_positive"),
    ("-0", "KES", "amount_not_positive"),
    ("-5", "KES", "amount_not_positive"),
    (0, "KES", "amount_not_positive"),
    (-1, "KES", "amount_not_positive"),
    (Decimal("-1.00"), "KES", "amount_not_positive"),
    ("100000000000000000000", "KES", "amount_too_large"),
    (10**20, "KES", "amount_too_large"),
    (10**5000, "KES", "amount_too_large"),
    ("9" * 10_000, "KES", "amount_too_large"),
    ("1." + "0" * 10_000, "KES", "amount_too_large"),
]


@pytest.mark.parametrize(
    ("value", "currency", "code"), REFUSED, ids=[f"{number}" for number in range(len(REFUSED))]
)
def test_an_amount_that_will_not_do_is_refused(value: object, currency: str, code: str) -> None:
    with pytest.raises(InvalidAmount) as caught:
        parse_amount(value, currency)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_the_refusal_names_the_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_amount("x", "KES", field="target_level")
    assert list(caught.value.errors) == ["target_level"]


@pytest.mark.parametrize(
    "currency", ["", "kes", "KE", "XXX", "KES ", "\uff2b\uff25\uff33", "K" * 99]
)
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as caught:
        parse_amount("1", currency)
    assert caught.value.code == "unknown_currency"
    assert len(caught.value.detail) < 60


@pytest.mark.parametrize(("currency", "unit"), [("RWF", 0), ("UGX", 0), ("KES", 2), ("KWD", 3)])
def test_each_currency_has_its_minor_unit(currency: str, unit: int) -> None:
    assert minor_unit(currency) == unit


currencies = st.sampled_from(sorted(MINOR_UNITS))


@given(currency=currencies, units=st.integers(1, 10**20))
def test_what_is_written_is_read_back(currency: str, units: int) -> None:
    amount = Decimal(units).scaleb(-MINOR_UNITS[currency])
    if amount < 10**20:
        assert parse_amount(format_amount(amount, currency), currency) == amount


@given(text=st.text(max_size=30), currency=currencies)
def test_any_text_is_an_amount_or_a_refusal(text: str, currency: str) -> None:
    try:
        amount = parse_amount(text, currency)
    except InvalidAmount:
        return
    assert text.isascii()
    assert set(text) <= set("0123456789.")
    assert amount == Decimal(text) > 0


@given(
    text=st.from_regex(r"[+-]?[0-9_ ]{0,5}[.,]?[0-9]{0,6}([eE][+-]?[0-9]{1,3})?", fullmatch=True)
)
def test_what_nearly_is_an_amount_is_read_exactly_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text, "KES")
    except InvalidAmount:
        return
    assert amount == Decimal(text)
    assert amount.as_tuple().exponent == -2


@given(currency=currencies, amount=st.decimals(allow_nan=True, allow_infinity=True))
def test_a_decimal_is_kept_exactly_or_refused(currency: str, amount: Decimal) -> None:
    try:
        kept = quantized(amount, currency)
    except InvalidAmount:
        return
    assert kept == amount
    assert kept.as_tuple().exponent == -MINOR_UNITS[currency]


def test_money_of_one_currency_adds_up() -> None:
    assert Money(Decimal(1), "KES") + Money(Decimal("0.50"), "KES") == Money(Decimal("1.50"), "KES")
    assert Money(Decimal(1), "KES") - Money(Decimal(2), "KES") == Money(Decimal(-1), "KES")


def test_money_of_one_currency_compares() -> None:
    little, much = Money(Decimal(1), "KES"), Money(Decimal(2), "KES")
    assert little < much
    assert little <= much
    assert not much < little


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__"])
def test_money_of_two_currencies_never_mixes(operation: str) -> None:
    with pytest.raises(ValueError, match="never mixed"):
        getattr(Money(Decimal(1), "KES"), operation)(Money(Decimal(1), "UGX"))


@pytest.mark.parametrize("amount", ["1.005", "NaN", "Infinity", "1e20", "1e99"])
def test_money_is_never_rounded_and_always_a_number(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        Money(Decimal(amount), "KES")


def test_money_is_written_with_its_currency() -> None:
    assert str(Money(Decimal("1234567.5"), "KES")) == "KES 1,234,567.50"
    assert str(Money(Decimal(1000), "RWF")) == "RWF 1,000"


def test_money_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Money(Decimal(1), "KES").amount = Decimal(2)  # type: ignore[misc]
