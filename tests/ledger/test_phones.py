"""Phone numbers: taken as people write them, kept as E.164."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.phones import InvalidPhone, normalise_phone


@pytest.mark.parametrize(
    ("written", "region", "kept"),
    [
        ("0712345678", "KE", "+254712345678"),
        ("254712345678", "KE", "+254712345678"),
        ("+254712345678", "KE", "+254712345678"),
        ("0712 345 678", "KE", "+254712345678"),
        ("0712-345-678", "KE", "+254712345678"),
        ("0112345678", "KE", "+254112345678"),
        ("0772123456", "UG", "+256772123456"),
        ("256772123456", "UG", "+256772123456"),
        ("+256772123456", "KE", "+256772123456"),
        ("0788123456", "RW", "+250788123456"),
    ],
)
def test_a_number_is_kept_in_one_form(written: str, region: str, kept: str) -> None:
    assert normalise_phone(written, region=region) == kept


@pytest.mark.parametrize(
    "written",
    [
        "", "07", "071234567", "07123456789", "abc", "0712345678x", "0712345678;ext=1", " 0712345678",
        "0712345678\n", "++254712345678", "+254 0712345678 0712345678", "00254712345678", "+25471234567",
        "tel:0712345678", "\uff10\uff17\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "0712345678" * 9,
        "+254000000000", "+1", "999", "0712.345.678", "(0712)345678", "0712345678\x00",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(InvalidPhone) as caught:
        normalise_phone(written, field="destination")
    assert (caught.value.status, caught.value.code) == (400, "phone_invalid")
    assert list(caught.value.errors) == ["destination"]


@given(text=st.text(max_size=20))
def test_any_text_is_a_number_or_a_refusal(text: str) -> None:
    try:
        kept = normalise_phone(text)
    except InvalidPhone:
        return
    assert kept.startswith("+")
    assert kept[1:].isdigit()


@given(last=st.integers(0, 10**6 - 1))
def test_a_number_in_its_kept_form_stays_as_it_is(last: int) -> None:
    kept = normalise_phone(f"0712{last:06}")
    assert normalise_phone(kept) == normalise_phone(kept[1:]) == kept
