"""Every code of Daraja falls into the class that the reference gives it, and an unknown one is unknown."""

import json
from typing import Any

import pytest

from payments.gateways.daraja import codes
from payments.gateways.daraja.responses import (
    classify_b2c_reply,
    classify_enquiry_reply,
    classify_token_reply,
    token_was_refused,
)
from payments.gateways.daraja.results import (
    classify_b2c_result,
    classify_status_result,
    classify_timeout,
    parse_result,
)
from payments.gateways.http import Answer
from payments.gateways.outcome import OutcomeClass
from payments.gateways.tokens import Fetched

A, S, F, R, U, C = (
    OutcomeClass.ACCEPTED,
    OutcomeClass.SUCCEEDED,
    OutcomeClass.FAILED_FINAL,
    OutcomeClass.RETRYABLE,
    OutcomeClass.UNKNOWN,
    OutcomeClass.CONFIG,
)
REFERENCE = "7d9f5a1e-0000-4000-8000-000000000001"


def b2c_result(code: Any, **parameters: Any) -> bytes:
    items = [{"Key": key, "Value": value} for key, value in parameters.items()]
    result = {"ResultCode": code, "TransactionID": "NLJ0000000", "ResultDesc": "x"}
    if items:
        result["ResultParameters"] = {"ResultParameter": items}
    return json.dumps({"Result": result}).encode()


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, content, headers)


def error(status: int, code: str, message: str = "") -> Answer:
    return answer(status, {"requestId": "1", "errorCode": code, "errorMessage": message})


# --- Results by callback ------------------------------------------------------------------------------

B2C_RESULTS = {
    **dict.fromkeys(("1", "2", "3", "4", "8", "2040", "SFC_IC0003", "24", "25", "29"), F),
    **dict.fromkeys(("11", "2006", "18", "20", "21", "22", "2001", "2028", "8006"), C),
    **dict.fromkeys(("15", "17", "19", "26", "100000001", "9999", "-1", "", "R000002"), U),
    "100000000": A,
}


def test_the_table_of_b2c_results_is_tested_whole() -> None:
    assert set(codes.B2C_RESULTS) - {"0"} <= set(B2C_RESULTS)


@pytest.mark.parametrize(("code", "expected"), B2C_RESULTS.items())
def test_a_b2c_result_has_its_class(code: str, expected: OutcomeClass) -> None:
    outcome = classify_b2c_result(parse_result(b2c_result(code)))
    assert (outcome.outcome_class, outcome.code) == (expected, code)
    assert outcome.provider_reference == ""


@pytest.mark.parametrize("code", [1, 2001, 2040])
def test_a_result_code_may_be_a_number(code: int) -> None:
    as_text = classify_b2c_result(parse_result(b2c_result(str(code))))
    as_number = classify_b2c_result(parse_result(b2c_result(code)))
    assert as_number.outcome_class is as_text.outcome_class


def test_a_success_carries_its_receipt_and_amount() -> None:
    body = b2c_result(0, TransactionReceipt="SG632NMUAB", TransactionAmount="10.00")
    outcome = classify_b2c_result(parse_result(body))
    assert outcome.outcome_class is S
    assert (outcome.provider_reference, str(outcome.amount)) == ("SG632NMUAB", "10.00")


@pytest.mark.parametrize("receipt", ["", "NLJ0000000", "TK61000000", "0000000000"])
def test_a_success_without_a_true_receipt_is_unknown(receipt: str) -> None:
    outcome = classify_b2c_result(parse_result(b2c_result(0, TransactionReceipt=receipt)))
    assert (outcome.outcome_class, outcome.provider_reference) == (U, "")


@pytest.mark.parametrize("code", [True, None, [0], {"code": 0}, 0.5, "0 ", " 0"])
def test_an_odd_result_code_never_fails_a_payment(code: Any) -> None:
    outcome = classify_b2c_result(parse_result(b2c_result(code, TransactionReceipt="SG632NMUAB")))
    assert outcome.outcome_class in {U, S}
    assert (outcome.outcome_class is S) == (isinstance(code, str))


def test_a_queue_time_out_is_unknown() -> None:
    assert classify_timeout(parse_result(b2c_result(1))).outcome_class is U
    assert classify_timeout(None).code == "queue_timeout"


# --- Answers to a status query ------------------------------------------------------------------------

WORDS = {
    **dict.fromkeys(("Failed", "Declined", "Cancelled", "CANCELLED", "failed "), F),
    **dict.fromkeys(("Pending", "Submitted", "Processing", "In  Progress", "Initiated"), A),
    **dict.fromkeys(("Held", "Expired", "Reversed", "Complete", "", "0"), U),
}


@pytest.mark.parametrize(("word", "expected"), WORDS.items())
def test_a_transaction_status_has_its_class(word: str, expected: OutcomeClass) -> None:
    body = b2c_result(0, TransactionStatus=word, ReceiptNo="SG632NMUAB")
    outcome = classify_status_result(parse_result(body))
    assert (outcome.outcome_class, outcome.provider_reference) == (expected, "")


def test_completed_with_a_receipt_is_a_success() -> None:
    body = b2c_result(
        "0",
        TransactionStatus="Completed",
        ReceiptNo="SG632NMUAB",
        Amount=300,
        **{"Originator Conversation ID": REFERENCE},
    )
    outcome = classify_status_result(parse_result(body))
    assert outcome.outcome_class is S
    assert (outcome.provider_reference, outcome.reference) == ("SG632NMUAB", REFERENCE)
    assert outcome.amount == 300


def test_completed_without_a_receipt_is_unknown() -> None:
    outcome = classify_status_result(parse_result(b2c_result(0, TransactionStatus="Completed")))
    assert outcome.outcome_class is U


def test_a_query_that_worked_says_nothing_by_itself() -> None:
    assert classify_status_result(parse_result(b2c_result(0))).outcome_class is U


STATUS_CODES = {
    **dict.fromkeys(("11", "18", "20", "21", "22", "2001", "2006", "2028", "8006"), C),
    **dict.fromkeys(("1", "2", "15", "17", "2040", "SFC_IC0003", "", "9999"), U),
}


@pytest.mark.parametrize(("code", "expected"), STATUS_CODES.items())
def test_a_failed_query_never_fails_the_payment(code: str, expected: OutcomeClass) -> None:
    outcome = classify_status_result(parse_result(b2c_result(code, TransactionStatus="Failed")))
    assert outcome.outcome_class is expected


@pytest.mark.parametrize(
    ("code", "description"),
    [("R000002", "x"), ("2032", "The transaction was not found."), ("9", "It does not exist")],
)
def test_not_found_is_unknown_and_says_so(code: str, description: str) -> None:
    body = json.dumps({"Result": {"ResultCode": code, "ResultDesc": description}}).encode()
    outcome = classify_status_result(parse_result(body))
    assert (outcome.outcome_class, outcome.code) == (U, "not_found")


# --- Immediate answers --------------------------------------------------------------------------------

REPLIES = {
    "0": A,
    "100000000": A,
    **dict.fromkeys(("26", "100000001", "100000099"), R),
    **dict.fromkeys(("1", "2", "2040", "SFC_IC0003"), F),
    **dict.fromkeys(("2001", "8006", "21"), C),
    **dict.fromkeys(("15", "17", "7777"), U),
}


@pytest.mark.parametrize(("code", "expected"), REPLIES.items())
def test_a_response_code_has_its_class(code: str, expected: OutcomeClass) -> None:
    body = {"ResponseCode": code, "OriginatorConversationID": REFERENCE, "ConversationID": "AG_1"}
    outcome = classify_b2c_reply(answer(200, body), reference=REFERENCE)
    assert (outcome.outcome_class, outcome.conversation_id) == (expected, "AG_1")


ERRORS = [
    *[(400, code, F) for code in ("400.002.02", "400.002.05", "400.003.02")],
    (400, "400.003.01", R),
    (401, "401.002.01", R),
    (404, "404.001.03", R),
    *[(400, code, C) for code in ("400.008.01", "400.008.02")],
    *[(404, code, C) for code in ("404.001.01", "404.002.01", "404.003.01", "404.001.04")],
    (405, "405.001", C),
    (500, "500.002.1001", U),
    (500, "500.003.1001", U),
    (500, "500.003.02", R),
    (500, "500.003.03", R),
    (429, "500.003.03", R),
    (503, "00.002.1001", R),
    (500, "500.999.9999", U),
    (400, "400.999.99", U),
]


def test_the_table_of_errors_is_tested_whole() -> None:
    assert set(codes.ERRORS) | codes.TOKEN_ERRORS <= {code for _, code, _ in ERRORS}


@pytest.mark.parametrize(("status", "code", "expected"), ERRORS)
def test_an_error_code_has_its_class(status: int, code: str, expected: OutcomeClass) -> None:
    outcome = classify_b2c_reply(error(status, code, "said so"), reference=REFERENCE)
    assert (outcome.outcome_class, outcome.code, outcome.message) == (expected, code, "said so")


@pytest.mark.parametrize(
    ("message", "payment", "enquiry"),
    [
        ("Unable to lock subscriber, a transaction is already in process", R, R),
        ("Wrong credentials", U, C),
        ("Merchant does not exist", U, C),
        ("Internal Server Error", U, R),
        ("The transaction is being processed", U, A),
        ("", U, R),
    ],
)
def test_the_ambiguous_error_is_told_apart_by_its_message(
    message: str, payment: OutcomeClass, enquiry: OutcomeClass
) -> None:
    reply = error(500, "500.001.1001", message)
    assert classify_b2c_reply(reply, reference=REFERENCE).outcome_class is payment
    assert classify_enquiry_reply(reply).outcome_class is enquiry


def test_a_locked_subscriber_is_left_alone_for_a_minute() -> None:
    reply = error(500, "500.001.1001", "Unable to lock subscriber")
    assert classify_b2c_reply(reply, reference=REFERENCE).retry_after_s == 60


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("999999", 3600), ("soon", None), ("-1", None), ("", None)]
)
def test_the_gateways_wish_to_be_left_alone_is_read(header: str, seconds: int | None) -> None:
    reply = answer(429, {"errorCode": "500.003.03"}, **{"Retry-After": header})
    assert classify_b2c_reply(reply, reference=REFERENCE).retry_after_s == seconds


@pytest.mark.parametrize("body", ["<html>no</html>", "", "[]", '"x"', "null", "{", "NaN", "{}"])
@pytest.mark.parametrize("status", [200, 202, 302, 400, 403, 404, 429, 500, 502, 503, 504])
def test_what_cannot_be_read_is_unknown(status: int, body: str) -> None:
    reply = answer(status, body)
    assert classify_b2c_reply(reply, reference=REFERENCE).outcome_class is U
    assert classify_enquiry_reply(reply).outcome_class is R


def test_an_acceptance_for_another_reference_is_unknown() -> None:
    reply = answer(200, {"ResponseCode": "0", "OriginatorConversationID": "another"})
    outcome = classify_b2c_reply(reply, reference=REFERENCE)
    assert (outcome.outcome_class, outcome.code) == (U, "reference_mismatch")


def test_an_acceptance_with_an_error_status_is_unknown() -> None:
    reply = answer(500, {"ResponseCode": "0", "OriginatorConversationID": REFERENCE})
    assert classify_b2c_reply(reply, reference=REFERENCE).outcome_class is U


# Kind of failure, was anything sent, class for a payment, class for an enquiry.
BROKEN = [
    ("ConnectError", False, R, R),
    ("ConnectTimeout", False, R, R),
    ("PoolTimeout", False, R, R),
    ("ReadTimeout", True, U, R),
    ("RemoteProtocolError", True, U, R),
    ("ReadError", True, U, R),
    ("WriteError", True, U, R),
    ("WriteTimeout", True, U, R),
    ("deadline", True, U, R),
    ("too_large", True, U, R),
]


@pytest.mark.parametrize(("kind", "sent", "payment", "enquiry"), BROKEN)
def test_a_broken_call_is_retried_only_if_nothing_was_sent(
    kind: str, sent: bool, payment: OutcomeClass, enquiry: OutcomeClass
) -> None:
    broken = Answer(None, error=kind, sent=sent)
    assert classify_b2c_reply(broken, reference=REFERENCE).outcome_class is payment
    assert classify_enquiry_reply(broken).outcome_class is enquiry
    token = classify_token_reply(broken)
    assert not isinstance(token, Fetched)
    assert token.outcome_class is R


@pytest.mark.parametrize(("status", "code", "_"), ERRORS)
def test_a_refused_question_is_never_a_final_answer(status: int, code: str, _: Any) -> None:
    outcome = classify_enquiry_reply(error(status, code))
    assert outcome.outcome_class in {A, R, C, U}


@pytest.mark.parametrize("code", sorted(codes.TOKEN_ERRORS))
def test_a_refused_token_is_noticed_whatever_its_status(code: str) -> None:
    assert token_was_refused(error(404, code))
    assert not token_was_refused(error(404, "404.001.01"))


# --- The token ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifetime", "seconds"), [("3599", 3599), (3599, 3599), (60, 60), ("x", 3599), (10**9, 3599)]
)
def test_a_token_is_read_with_its_lifetime(lifetime: Any, seconds: int) -> None:
    fetched = classify_token_reply(answer(200, {"access_token": "t", "expires_in": lifetime}))
    assert isinstance(fetched, Fetched)
    assert (fetched.value, fetched.lifetime_s) == ("t", seconds)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(400, "400.008.01"), C),
        (error(400, "400.008.02"), C),
        (answer(401, "no"), C),
        (answer(200, {"access_token": ""}), R),
        (answer(200, "<html>"), R),
        (answer(503, "busy"), R),
        (error(500, "500.003.02"), R),
        (answer(403, "<html>blocked</html>"), R),
    ],
)
def test_a_token_call_is_either_refused_or_tried_again(
    reply: Answer, expected: OutcomeClass
) -> None:
    outcome = classify_token_reply(reply)
    assert not isinstance(outcome, Fetched)
    assert outcome.outcome_class is expected
