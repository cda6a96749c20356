"""Results are read as leniently as the gateway writes them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateways.daraja.results import (
    UnreadableResult,
    amount_of,
    classify_b2c_result,
    classify_status_result,
    instant_of,
    parse_balances,
    parse_result,
)

PUBLISHED = {
    "Result": {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": "10571-7910404-1",
        "ConversationID": "AG_20191219_00004e48cf7e3533f581",
        "TransactionID": "NLJ41HAY6Q",
        "ResultParameters": {
            "ResultParameter": [
                {"Key": "TransactionAmount", "Value": 10},
                {"Key": "TransactionReceipt", "Value": "NLJ41HAY6Q"},
                {"Key": "B2CChargesPaidAccountAvailableFunds", "Value": -4510.00},
                {"Key": "ReceiverPartyPublicName", "Value": "254708374149 - John Doe"},
                {"Key": "TransactionCompletedDateTime", "Value": "19.12.2019 11:45:50"},
                {"Key": "B2CWorkingAccountAvailableFunds"},
            ]
        },
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://x/"}},
    }
}


def parsed(body: Any) -> Any:
    return parse_result(json.dumps(body).encode())


def test_the_published_result_is_read() -> None:
    result = parsed(PUBLISHED)
    assert (result.code, result.transaction_id) == ("0", "NLJ41HAY6Q")
    assert result.reference == "10571-7910404-1"
    assert result.reference_data == {"QueueTimeoutURL": "https://x/"}
    assert "B2CWorkingAccountAvailableFunds" not in result.parameters
    outcome = classify_b2c_result(result)
    assert outcome.completed_at == datetime(2019, 12, 19, 8, 45, 50, tzinfo=UTC)
    assert outcome.amount == Decimal(10)


def test_numbers_are_exact() -> None:
    body = b'{"Result":{"ResultParameters":{"ResultParameter":[{"Key":"Amount","Value":0.10}]}}}'
    assert str(parse_result(body).parameters["Amount"]) == "0.10"


def test_names_with_spaces_are_the_same_names() -> None:
    body = {"Result": {"Conversation ID": "AG_1", "ResultParameters": {"ResultParameter": {}}}}
    assert parsed(body).conversation_id == "AG_1"
    items = [{"Key": "Transaction Status", "Value": "Completed"}]
    body = {"Result": {"ResultCode": "0", "ResultParameters": {"ResultParameter": items}}}
    assert classify_status_result(parsed(body)).code == "Completed"


@pytest.mark.parametrize(
    "data",
    [
        {"ReferenceItem": {"Key": "Occasion", "Value": "x"}},
        {"ReferenceItem": [{"Key": "Occasion", "Value": "x"}]},
        [{"Key": "Occasion", "Value": "x"}],
    ],
)
def test_reference_items_come_alone_or_in_a_list(data: Any) -> None:
    assert parsed({"Result": {"ReferenceData": data}}).reference_data == {"Occasion": "x"}


@pytest.mark.parametrize(
    "data", [None, {}, [], "x", 7, {"ReferenceItem": None}, {"ReferenceItem": {"Key": "Occasion"}}]
)
def test_missing_items_are_no_items(data: Any) -> None:
    assert parsed({"Result": {"ReferenceData": data}}).reference_data == {}


def test_of_a_repeated_key_the_first_value_counts() -> None:
    items = [{"Key": "DebitPartyName", "Value": value} for value in ("us", "them")]
    body = {"Result": {"ResultParameters": {"ResultParameter": items}}}
    assert parsed(body).parameters == {"DebitPartyName": "us"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"Result": []}', b"<html>", b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_result_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(UnreadableResult):
        parse_result(body)


@pytest.mark.parametrize(
    ("value", "amount"),
    [(10, "10"), ("300", "300"), ("10.00", "10.00"), (Decimal("1.0"), "1.0")],
)
def test_an_amount_is_read_in_every_shape(value: Any, amount: str) -> None:
    assert str(amount_of(value)) == amount


@pytest.mark.parametrize("value", [None, True, "", "-1", "1e3", "NaN", "1,000", "१०", [10], " "])
def test_what_is_no_amount_is_none(value: Any) -> None:
    assert amount_of(value) is None


@pytest.mark.parametrize("value", ["06.07.2024 22:48:52", 20240706224852, "20240706224852"])
def test_a_date_is_day_first_and_east_african(value: Any) -> None:
    assert instant_of(value) == datetime(2024, 7, 6, 19, 48, 52, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", None, "2024-07-06", "07/06/2024", "31.02.2024 00:00:00"])
def test_what_is_no_date_is_none(value: Any) -> None:
    assert instant_of(value) is None


def test_balances_are_read_by_account_the_negative_ones_too() -> None:
    text = (
        "Working Account|KES|700000.00|700000.00|0.00|0.00&Utility Account|KES|228037.00|x"
        "&Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00&Odd Account|USD|1.00&Broken"
    )
    items = [{"Key": "AccountBalance", "Value": text}]
    body = {"Result": {"ResultParameters": {"ResultParameter": items}}}
    assert parse_balances(parsed(body)) == {
        "Working Account": Decimal("700000.00"),
        "Utility Account": Decimal("228037.00"),
        "Charges Paid Account": Decimal("-1540.00"),
    }


ODD = st.sampled_from(
    [None, True, 0, -1, 10**30, 0.5, "", "0", "SG632NMUAB", "Completed", "\ud800"]
)
KEYS = st.sampled_from(["Key", "Value", "ResultParameter", "ReferenceItem", "TransactionStatus"])
ITEMS = st.dictionaries(KEYS, ODD | st.lists(ODD, max_size=2))
JSON = (
    ODD | ITEMS | st.lists(ITEMS, max_size=3) | st.dictionaries(KEYS, st.lists(ITEMS, max_size=3))
)
MEMBERS = st.sampled_from([*sorted(PUBLISHED["Result"]), "Key", "Value", "ResultParameter"])


@given(st.dictionaries(MEMBERS, JSON))
def test_no_result_however_odd_breaks_the_reader(members: dict[str, Any]) -> None:
    result = parsed({"Result": members})
    assert classify_b2c_result(result).outcome_class
    assert classify_status_result(result).outcome_class
    assert parse_balances(result) == {} or result.parameters
