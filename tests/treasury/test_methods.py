"""What a method can carry, and how its destination is written."""

from decimal import Decimal
from uuid import UUID

import pytest

from ledger.refusals import InvalidInput, SegregationOfDuties
from treasury.methods import normalise_destination, require_payable, require_payee
from treasury.segregation import require_separate_executor


@pytest.mark.parametrize("amount", ["10", "250000"])
def test_mpesa_carries_ten_to_a_quarter_million_shillings(amount: str) -> None:
    require_payable(method="mpesa", amount=Decimal(amount), currency="KES")


@pytest.mark.parametrize(
    ("method", "amount", "currency", "field", "code"),
    [
        ("mpesa", "9", "KES", "amount", "amount_out_of_range"),
        ("mpesa", "250001", "KES", "amount", "amount_out_of_range"),
        ("mpesa", "10.50", "KES", "amount", "amount_precision"),
        ("mpesa", "100", "UGX", "method", "method_unavailable"),
        ("bank", "100000000000", "KES", "amount", "amount_out_of_range"),
        ("gold", "100", "KES", "method", "invalid_input"),
    ],
)
def test_what_a_method_cannot_carry_is_refused_on_its_field(
    method: str, amount: str, currency: str, field: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        require_payable(method=method, amount=Decimal(amount), currency=currency)
    assert (list(refusal.value.errors), refusal.value.code) == ([field], code)


@pytest.mark.parametrize("written", ["0712345678", "254712345678", "+254712345678", "0712 345 678"])
def test_a_phone_is_stored_in_one_way(written: str) -> None:
    assert normalise_destination(method="mpesa", destination=written) == "+254712345678"


@pytest.mark.parametrize(
    "written", ["12", "+256772123456", "front desk", "0712３45678", " ", "x" * 161]
)
def test_a_phone_that_is_none_or_not_kenyan_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalise_destination(method="mpesa", destination=written)
    assert list(refusal.value.errors) == ["destination"]


@pytest.mark.parametrize("currency", ["KES", "RWF", "EUR", "KWD"])
def test_a_bank_carries_any_currency(currency: str) -> None:
    require_payable(method="bank", amount=Decimal(99999999999), currency=currency)


def test_a_bank_account_is_stored_in_one_way() -> None:
    written = " ke/68000/ 0123 456789"
    assert normalise_destination(method="bank", destination=written) == "KE/68000/0123456789"
    with pytest.raises(InvalidInput) as refusal:
        normalise_destination(method="bank", destination="0123456789")
    assert (list(refusal.value.errors), refusal.value.code) == (["destination"], "account_invalid")


@pytest.mark.parametrize("name", ["王小明", "...", "ß" * 71])
def test_a_name_that_a_bank_does_not_carry_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        require_payee(method="bank", payee_name=name)
    assert list(refusal.value.errors) == ["payee_name"]
    require_payee(method="cash", payee_name=name)


def test_cash_goes_where_the_text_says() -> None:
    assert normalise_destination(method="cash", destination=" Front desk ") == "Front desk"


@pytest.mark.parametrize(("separate", "refused"), [(True, True), (False, False)])
def test_an_approver_executes_only_without_the_policy(*, separate: bool, refused: bool) -> None:

    one, two = UUID(int=1), UUID(int=2)
    try:
        require_separate_executor(
            user_id=one, requester_id=two, approver_ids={one}, separate_executor=separate
        )
    except SegregationOfDuties:
        assert refused
    else:
        assert not refused
