"""What the simulator does to a payment: its book, its results, its clock and its faults."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from payments.simulator.book import FEES
from payments.simulator.scenarios import SCENARIOS
from tests.payments.caller import B2C, Caller
from tests.payments.receiver import Receiver
from tests.simulator import Simulator


@pytest.fixture
def caller(simulator: Simulator, receiver: Receiver) -> Caller:
    return Caller(simulator, receiver.url)


def values(result: dict[str, Any]) -> dict[str, Any]:
    items = result["ResultParameters"]["ResultParameter"]
    return {item["Key"]: item.get("Value") for item in items}


def test_a_success_moves_the_money_once_and_its_fee_apart(caller: Caller) -> None:
    before = caller.simulator.balance()
    caller.pay("k-1", Amount=1200)
    book = caller.simulator.book()
    assert caller.simulator.balance() == before - 1200
    assert book["balances"]["Wallet 254712345678"] == "1200.00"
    assert book["balances"]["Charges Paid Account"] == "-5.00"
    assert book["balances"][FEES] == "5.00"
    assert book["total"] == "0.00"


def test_a_success_is_told_in_the_gateways_own_shape(caller: Caller, receiver: Receiver) -> None:
    accepted = caller.pay("k-1", Amount=1200).json()
    result = receiver.result()
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["OriginatorConversationID"] == "k-1"
    assert result["ConversationID"] == accepted["ConversationID"]
    found = values(result)
    assert found["TransactionAmount"] == 1200
    assert found["TransactionReceipt"] == result["TransactionID"]
    assert found["ReceiverPartyPublicName"].startswith("254712345678 - ")
    assert found["B2CChargesPaidAccountAvailableFunds"] == Decimal("-5.00")
    time.strptime(found["TransactionCompletedDateTime"], "%d.%m.%Y %H:%M:%S")
    assert b'"B2CUtilityAccountAvailableFunds","Value":49998800.00}' in receiver.bodies[0]


def test_a_failure_has_no_parameters_and_a_dummy_receipt(
    caller: Caller, receiver: Receiver
) -> None:
    caller.pay("k-1", PartyB="254712345002")
    result = receiver.result()
    assert result["ResultCode"] == 1
    assert "ResultParameters" not in result
    assert result["TransactionID"].endswith("0000000")


# Suffix -> did the money move, and the status an enquiry tells, once everything has fallen due.
ENDS = {
    "678": (True, "Completed"),
    "001": (False, "Declined"),
    "002": (False, "Failed"),
    "003": (False, "Failed"),
    "004": (False, "Cancelled"),
    "005": (False, "Failed"),
    "006": (False, "Pending"),
    "007": (True, "Completed"),
    "008": (False, "Failed"),
    "010": (True, "Completed"),
    "012": (True, "Completed"),
    "014": (True, "Completed"),
    "015": (False, "Failed"),
    "020": (True, "Completed"),
    "021": (True, "Completed"),
    "022": (True, "Completed"),
    "023": (False, "Failed"),
    "024": (True, "Completed"),
    "025": (True, "Completed"),
    "026": (True, "Completed"),
    "030": (True, "Completed"),
    "031": (False, "Failed"),
    "032": (False, "Pending"),
    "040": (True, "Completed"),
    "050": (False, "Failed"),
}
NEVER_ACCEPTED = {"011", "013"}
SILENT = {"010", "011", "014"}


def test_every_magic_number_is_tried_below() -> None:
    assert set(SCENARIOS) == set(ENDS) - {"678"} | NEVER_ACCEPTED


@pytest.mark.parametrize("suffix", sorted(ENDS))
def test_a_magic_number_ends_as_the_table_says(caller: Caller, suffix: str) -> None:
    moved, status = ENDS[suffix]
    caller.expect_silence(suffix in SILENT)
    try:
        caller.pay("k-1", PartyB=f"254712345{suffix}")
    except httpx.TransportError:
        assert suffix in {"010", "014", "015"}
    caller.simulator.clock(advance_s=1000)
    payment = caller.simulator.payment("k-1")
    assert payment
    assert payment["status"] == status
    paid = caller.simulator.balance(f"Wallet 254712345{suffix}")
    assert paid == (100 if moved else 0)


@pytest.mark.parametrize("suffix", sorted(NEVER_ACCEPTED))
def test_a_fault_before_acceptance_leaves_nothing(caller: Caller, suffix: str) -> None:
    caller.expect_silence(suffix in SILENT)
    try:
        assert caller.pay("k-1", PartyB=f"254712345{suffix}").status_code == 500
    except httpx.ReadTimeout:
        assert suffix == "011"
    assert caller.simulator.payment("k-1") is None
    assert caller.simulator.log()["received"] == {"k-1": 1}


def test_a_pending_payment_ends_when_the_clock_says_so(caller: Caller, receiver: Receiver) -> None:
    caller.pay("k-1", PartyB="254712345007")
    caller.simulator.clock(advance_s=29)
    assert caller.simulator.balance("Wallet 254712345007") == 0
    assert receiver.posts == []
    caller.simulator.clock(advance_s=1)
    assert caller.simulator.balance("Wallet 254712345007") == 100
    assert len(receiver.posts) == 1


def test_the_next_day_takes_a_reversed_payment_back(caller: Caller) -> None:
    caller.pay("k-1", PartyB="254712345040")
    caller.simulator.clock(advance_s=86_400)
    payment = caller.simulator.payment("k-1")
    assert payment
    assert payment["reversed"] is True
    assert caller.simulator.balance("Wallet 254712345040") == 0


CALLBACKS: list[tuple[str, dict[str, Any], int]] = [
    ("none", {}, 0),
    ("once", {}, 1),
    ("twice", {}, 2),
    ("repeat", {"times": 10}, 10),
    ("out_of_order", {}, 2),
    ("contradictory_result", {}, 2),
    ("queue_timeout", {}, 1),
]


@pytest.mark.parametrize(("mode", "options", "count"), CALLBACKS)
def test_a_callback_comes_as_often_as_armed(
    caller: Caller, receiver: Receiver, mode: str, options: dict[str, Any], count: int
) -> None:
    caller.simulator.fault("b2c", "callback", mode, **options)
    caller.pay("k-1")
    caller.simulator.clock(advance_s=1)
    assert len(receiver.posts) == count
    if mode == "queue_timeout":
        assert receiver.posts[0][0] == "/sf/timeout/token1/"


@pytest.mark.parametrize(
    ("mode", "lie"),
    [
        ("contradictory_amount", lambda r, path: values(r)["TransactionAmount"] == 101),
        ("unknown_id", lambda r, path: r["OriginatorConversationID"] != "k-1"),
        ("forged", lambda r, path: path == "/sf/result/1nekot/" and r["ResultCode"] == 0),
        ("missing_fields", lambda r, path: "TransactionID" not in r),
        ("extra_fields", lambda r, path: "ResultNote" in r),
        ("wrong_types", lambda r, path: r["ResultCode"] == "0"),
    ],
)
def test_a_callback_lies_as_armed(caller: Caller, receiver: Receiver, mode: str, lie: Any) -> None:
    caller.simulator.fault("b2c", "callback", mode)
    caller.pay("k-1")
    path, body = receiver.wait_for(1)[0]
    assert lie(body["Result"], path)


def test_a_callback_can_come_before_the_reply(caller: Caller, receiver: Receiver) -> None:
    caller.simulator.callback_delay(60)
    caller.simulator.fault("b2c", "callback", "before_reply")
    caller.pay("k-1")
    assert len(receiver.posts) == 1


def test_a_late_callback_waits_for_the_clock(caller: Caller, receiver: Receiver) -> None:
    caller.simulator.fault("b2c", "callback", "late", after_s=600)
    caller.pay("k-1")
    caller.simulator.clock(advance_s=599)
    assert receiver.posts == []
    caller.simulator.clock(advance_s=1)
    assert len(receiver.posts) == 1


def test_a_result_can_be_sent_again_and_a_pending_payment_ended(
    caller: Caller, receiver: Receiver
) -> None:
    caller.pay("k-1", PartyB="254712345006")
    caller.simulator.settle("k-1", result_code=0)
    assert receiver.result()["ResultCode"] == 0
    caller.simulator.resend("k-1")
    assert len(receiver.wait_for(2)) == 2
    assert caller.simulator.balance("Wallet 254712345006") == 100


ENQUIRIES: list[tuple[str, dict[str, Any], Any, str]] = [
    ("right", {}, 0, "Completed"),
    ("pending", {}, 0, "Pending"),
    ("unknown_word", {}, 0, "Held"),
    ("not_found", {"seconds": 60}, "R000002", ""),
    ("queue_timeout", {}, -1, ""),
]


@pytest.mark.parametrize(("mode", "options", "code", "word"), ENQUIRIES)
def test_an_enquiry_answers_as_armed(
    caller: Caller, receiver: Receiver, mode: str, options: dict[str, Any], code: Any, word: str
) -> None:
    caller.simulator.fault("b2c", "callback", "none")
    caller.simulator.fault("status", "enquiry", mode, **options)
    caller.pay("k-1")
    asked = caller.ask("k-1").json()
    result = receiver.result()
    assert result["ResultCode"] == code
    assert result["ConversationID"] == asked["ConversationID"]
    if word:
        assert values(result)["TransactionStatus"] == word
        assert values(result)["OriginatorConversationID"] == "k-1"
        assert values(result)["Amount"] == 100


def test_an_enquiry_about_a_payment_that_never_came_finds_nothing(
    caller: Caller, receiver: Receiver
) -> None:
    caller.ask("nobody")
    assert receiver.result()["ResultCode"] == "R000002"


def test_the_balance_lists_every_account(caller: Caller, receiver: Receiver) -> None:
    caller.post("/mpesa/accountbalance/v1/query", caller.balance_body())
    accounts = values(receiver.result())["AccountBalance"].split("&")
    assert accounts[0] == "Working Account|KES|700000.00|700000.00|0.00|0.00"
    assert [a.partition("|")[0] for a in accounts][2] == "Utility Account"


REPLIES = {
    "close": httpx.RemoteProtocolError,
    "rst": httpx.ReadError,
    "truncated": httpx.RemoteProtocolError,
    "garbage": httpx.RemoteProtocolError,
    "hang": httpx.ReadTimeout,
}


@pytest.mark.parametrize("point", ["before_accept", "after_accept"])
@pytest.mark.parametrize("kind", sorted(REPLIES))
def test_a_connection_breaks_as_armed_and_the_book_knows_which_side(
    caller: Caller, point: str, kind: str
) -> None:
    caller.login()
    caller.expect_silence(kind == "hang")
    caller.simulator.fault("b2c", point, kind)
    with pytest.raises(REPLIES[kind]):
        caller.pay("k-1")
    assert (caller.simulator.payment("k-1") is not None) == (point == "after_accept")


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("502", 502), ("503", 503)])
def test_a_server_error_comes_as_armed(caller: Caller, kind: str, status: int) -> None:
    caller.simulator.fault("b2c", "after_accept", kind)
    assert caller.pay("k-1").status_code == status
    assert caller.simulator.payment("k-1")


def test_a_busy_gateway_says_when_to_come_back(caller: Caller) -> None:
    caller.simulator.fault("b2c", "before_accept", "429", retry_after=7)
    answer = caller.pay("k-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_a_token_can_die_in_mid_flight(caller: Caller) -> None:
    caller.login()
    caller.simulator.fault("b2c", "before_accept", "token_revoked")
    assert caller.pay("k-1").json()["errorCode"] == "404.001.03"


def test_a_fault_can_be_meant_for_one_payment(caller: Caller) -> None:
    caller.simulator.fault("b2c", "before_accept", "500", key="k-2")
    assert caller.pay("k-1").status_code == 200
    assert caller.pay("k-2").status_code == 500


def test_the_same_seed_gives_the_same_ids(caller: Caller) -> None:
    first = caller.pay("k-1").json()
    caller.simulator.reset()
    again = caller.post("/mpesa/b2c/v3/paymentrequest", {})
    assert again.json()["errorCode"] == "404.001.03"
    caller.login()
    assert caller.pay("k-1").json() == first
    caller.simulator.reset(seed=2)
    caller.login()
    assert caller.pay("k-1").json()["ConversationID"] != first["ConversationID"]


def test_two_hundred_payments_at_once_are_all_taken_once(caller: Caller) -> None:
    caller.login()
    body = caller.b2c_body()
    headers = {"Authorization": f"Bearer {caller.token}"}

    def pay(number: int) -> int:
        sent = {**body, "OriginatorConversationID": f"k-{number % 100}"}
        return caller.http.post(B2C, json=sent, headers=headers, timeout=20.0).status_code

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(pay, range(200)))
    assert (answers.count(200), answers.count(500)) == (100, 100)
    assert caller.simulator.balance("Wallet 254712345678") == 100 * 100
    assert caller.simulator.book()["total"] == "0.00"
