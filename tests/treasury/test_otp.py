"""Codes, as pure arithmetic."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury import otp

KEY = b"k" * 32
ONE, OTHER = UUID(int=1), UUID(int=2)
BOUND = otp.Bound(ONE, 1, Decimal(2000), "KES", "+254712345678", "mpesa", OTHER)


def digest(bound: otp.Bound, *, code: str = "123456", code_id: UUID = ONE) -> str:
    return otp.digest(key=KEY, code_id=code_id, bound=bound, otp=code)


@pytest.mark.parametrize(
    "change",
    [
        {"payment_id": OTHER},
        {"version": 2},
        {"amount": Decimal(2001)},
        {"currency": "USD"},
        {"destination": "+254712345679"},
        {"method": "cash"},
        {"executor_id": ONE},
    ],
)
def test_every_bound_field_changes_the_digest(change: dict[str, object]) -> None:
    changed = replace(BOUND, **change)  # type: ignore[arg-type]
    assert digest(changed) != digest(BOUND)
    assert otp.bound_digest(key=KEY, bound=changed) != otp.bound_digest(key=KEY, bound=BOUND)


def test_the_code_and_its_id_change_the_digest() -> None:
    assert len({digest(BOUND), digest(BOUND, code="123457"), digest(BOUND, code_id=OTHER)}) == 3


def test_another_key_gives_another_digest() -> None:
    other = otp.digest(key=b"x" * 32, code_id=ONE, bound=BOUND, otp="123456")
    assert other != digest(BOUND)


@given(st.text(max_size=8), st.text(max_size=8))
def test_text_cannot_move_from_one_field_into_the_next(first: str, second: str) -> None:
    split = replace(BOUND, destination=first, method=second)
    shifted = replace(BOUND, destination=first + second, method="")
    assert (digest(split) == digest(shifted)) == (second == "")


def test_generated_codes_are_six_digits() -> None:
    assert all(otp.is_well_formed(otp.generate_otp()) for _ in range(200))


@pytest.mark.parametrize(
    "text", ["12345", "1234567", "12345a", "123456\n", "１２３４５６", " 12345", ""]
)
def test_anything_but_six_ascii_digits_is_no_code(text: str) -> None:
    assert not otp.is_well_formed(text)


@pytest.mark.parametrize(("seconds", "over"), [(299, False), (300, True), (301, True)])
def test_a_code_is_over_after_five_minutes(*, seconds: int, over: bool) -> None:
    sent_at = datetime(2026, 3, 2, tzinfo=UTC)
    assert otp.is_expired(sent_at=sent_at, now=sent_at + timedelta(seconds=seconds)) is over
