"""The simulator refuses what Daraja refuses, in Daraja's words."""

from decimal import Decimal
from typing import Any

import pytest

from tests.payments.caller import B2C, BALANCE, LEAVE_OUT, STATUS, Caller
from tests.payments.receiver import receiving
from tests.simulator import Simulator


@pytest.fixture
def caller(simulator: Simulator) -> Caller:
    return Caller(simulator)


BAD_B2C = [
    *[(name, LEAVE_OUT) for name in ("OriginatorConversationID", "InitiatorName", "PartyB")],
    *[(name, LEAVE_OUT) for name in ("SecurityCredential", "Amount", "PartyA", "Remarks")],
    *[(name, LEAVE_OUT) for name in ("CommandID", "ResultURL", "QueueTimeOutURL")],
    *[("Amount", value) for value in ("100.50", 100.5, "100.00", 9, 250_001, 0, -10, True)],
    *[("Amount", value) for value in ("", "1e3", "१००", None, [100], {"Value": 100})],
    *[("PartyB", value) for value in ("0712345678", "+254712345678", "25471234567")],
    *[("PartyB", value) for value in ("254212345678", "256772123456", "2547123456789", None)],
    *[("PartyA", value) for value in ("1234", "12345678", "bursar")],
    *[("Remarks", value) for value in ("", "x", "x" * 101)],
    ("Occassion", "x" * 101),
    ("CommandID", "BusinessPayBill"),
    *[("ResultURL", f"https://bursar.example/{word}/") for word in ("mpesa", "m-pesa", "cmd")],
    *[("ResultURL", f"https://bursar.example/{word}/") for word in ("exec", "sql", "Query")],
    *[("ResultURL", f"https://{word}.example/") for word in ("safaricom", "exe")],
    *[("QueueTimeOutURL", url) for url in ("ftp://bursar.example/", "bursar.example", "", None)],
]


@pytest.mark.parametrize(("field", "value"), BAD_B2C)
def test_a_payment_with_a_bad_field_is_refused_by_its_name(
    caller: Caller, field: str, value: Any
) -> None:
    answer = caller.post(B2C, caller.b2c_body(**{field: value}))
    assert answer.status_code == 400
    body = answer.json()
    assert (body["errorCode"], body["errorMessage"]) == (
        "400.002.02",
        f"Bad Request - Invalid {field}",
    )
    assert body["requestId"]
    assert caller.simulator.book()["payments"] == []


@pytest.mark.parametrize("amount", [10, "10", 250_000, "250000"])
def test_whole_shillings_within_the_limits_are_taken(caller: Caller, amount: Any) -> None:
    answer = caller.pay("k-1", Amount=amount, PartyB="254110345678")
    assert answer.status_code == 200
    assert answer.json()["ResponseCode"] == "0"
    assert answer.json()["OriginatorConversationID"] == "k-1"
    assert answer.json()["ConversationID"].startswith("AG_")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (STATUS, "Initiator"),
        (STATUS, "IdentifierType"),
        (STATUS, "ResultURL"),
        (BALANCE, "CommandID"),
        (BALANCE, "PartyA"),
        (BALANCE, "Remarks"),
    ],
)
def test_an_enquiry_without_a_field_is_refused(caller: Caller, path: str, field: str) -> None:
    good = caller.status_body("k-1") if path == STATUS else caller.balance_body()
    answer = caller.post(path, {**good, field: LEAVE_OUT})
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"


def test_a_status_query_must_name_a_transaction(caller: Caller) -> None:
    answer = caller.post(STATUS, caller.status_body("", OriginalConversationID=LEAVE_OUT))
    assert answer.json()["errorCode"] == "400.002.02"


def test_a_body_that_is_not_json_is_refused(caller: Caller) -> None:
    caller.login()
    headers = {"Authorization": f"Bearer {caller.token}"}
    answer = caller.http.post(B2C, content=b"{not json", headers=headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "400.002.05")


def test_a_second_payment_under_the_same_id_is_refused_and_pays_nothing(caller: Caller) -> None:
    caller.pay("k-1")
    answer = caller.pay("k-1", Amount=500)
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "500.002.1001")
    payment = caller.simulator.payment("k-1")
    assert payment
    assert (payment["received"], payment["accepted"], payment["amount"]) == (2, 1, "100.00")
    assert caller.simulator.balance("Wallet 254712345678") == Decimal(100)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"consumer_secret": "wrong"}, "400.008.01"),
        ({"consumer_key": "wrong"}, "400.008.01"),
        ({"grant_type": "password"}, "400.008.02"),
    ],
)
def test_wrong_consumer_credentials_get_no_token(
    caller: Caller, changed: dict[str, str], code: str
) -> None:
    answer = caller.login(**changed)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_the_token_reply_has_the_gateways_types(caller: Caller) -> None:
    body = caller.login().json()
    assert set(body) == {"access_token", "expires_in"}
    assert body["expires_in"] == "3599"


def test_a_new_token_kills_the_one_before_it(caller: Caller) -> None:
    caller.login()
    first = caller.token
    caller.login()
    stale = caller.post(B2C, caller.b2c_body(), token=first)
    assert (stale.status_code, stale.json()["errorCode"]) == (404, "404.001.03")
    assert caller.post(B2C, caller.b2c_body()).status_code == 200


def test_a_token_ends_after_an_hour_of_simulated_time(caller: Caller) -> None:
    caller.login()
    caller.simulator.clock(advance_s=3600)
    stale = caller.post(B2C, caller.b2c_body())
    assert (stale.status_code, stale.json()["errorCode"]) == (400, "400.003.01")


def test_a_call_without_a_token_is_401(caller: Caller) -> None:
    answer = caller.http.post(B2C, json=caller.b2c_body())
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "401.002.01")


def test_an_unknown_path_and_a_wrong_method_have_their_codes(caller: Caller) -> None:
    assert caller.http.post("/mpesa/b2c/v9/paymentrequest").json()["errorCode"] == "404.001.01"
    wrong = caller.http.get(B2C)
    assert (wrong.status_code, wrong.json()["errorCode"]) == (405, "405.001")


@pytest.mark.parametrize(
    "changed",
    [{"SecurityCredential": "bm90IHJzYQ=="}, {"SecurityCredential": "%%%"}, {"InitiatorName": "x"}],
)
def test_wrong_initiator_credentials_are_found_out_in_the_result(
    simulator: Simulator, changed: dict[str, str]
) -> None:
    with receiving() as receiver:
        caller = Caller(simulator, receiver.url)
        assert caller.pay("k-1", **changed).status_code == 200
        assert receiver.result()["ResultCode"] == 2001
    assert simulator.balance("Wallet 254712345678") == 0


def test_a_password_encrypted_for_another_gateway_is_refused(simulator: Simulator) -> None:
    with receiving() as receiver:
        caller = Caller(simulator, receiver.url)
        caller.pay("k-1", SecurityCredential=caller.seal("another password"))
        assert receiver.result()["ResultCode"] == 2001


def test_three_wrong_passwords_lock_the_initiator(simulator: Simulator) -> None:
    with receiving() as receiver:
        caller = Caller(simulator, receiver.url)
        for number in range(3):
            caller.pay(f"wrong-{number}", SecurityCredential="wrong")
        receiver.wait_for(3)
        caller.pay("right")
        assert receiver.wait_for(4)[3][1]["Result"]["ResultCode"] == 8006


def test_a_payment_larger_than_the_float_fails_for_want_of_funds(simulator: Simulator) -> None:
    simulator.reset(utility="99.00")
    with receiving() as receiver:
        Caller(simulator, receiver.url).pay("k-1", Amount=100)
        assert receiver.result()["ResultCode"] == 1
    assert simulator.balance() == Decimal("99.00")


def test_the_control_plane_and_the_log_show_no_secret(caller: Caller) -> None:
    caller.pay("k-1")
    sealed = caller.b2c_body()["SecurityCredential"]
    shown = str(caller.simulator.log()) + str(caller.simulator.call("GET", "provider"))
    secrets = ("initiator_password", "consumer_key", "consumer_secret")
    for secret in [caller.token, sealed, *(caller.identity[name] for name in secrets)]:
        assert secret not in shown
    assert "SecurityCredential" not in shown


def test_a_misspelt_fault_fails_the_test_that_arms_it(simulator: Simulator) -> None:
    with pytest.raises(AssertionError, match="no fault"):
        simulator.fault("b2c", "after_accept", "explode")
