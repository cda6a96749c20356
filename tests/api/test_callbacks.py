"""Where gateways reach us."""

import json
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.api.caller import Caller, read
from tests.conftest import SentTasks
from tests.treasury import factories
from tests.treasury.desk import Desk
from tests.treasury.gateway import Gateway, payment_result
from treasury.addresses import attempt_token
from treasury.models import Callback, PaymentAttempt
from treasury.services.callbacks import LARGEST_BODY


@pytest.fixture
def attempt(desk: Desk, gateway: Gateway, sent_tasks: SentTasks) -> PaymentAttempt:
    factories.make_provider(desk.company)
    payment = desk.pending(method="mpesa", destination="0712345678")
    Caller(desk.treasurer).post(f"/api/payments/{payment.pk}/execute/", None, 202)
    return PaymentAttempt.objects.select_related("payment").get(payment=payment)


def address(attempt: PaymentAttempt, token: str = "", short: str = "sf") -> str:
    return f"/api/callbacks/{short}/{attempt.pk}/{token or attempt_token(attempt.pk)}/"


def post(path: str, body: bytes, expect: int = 200, content_type: str = "application/json") -> Any:
    return read(APIClient().post(path, body, content_type=content_type), expect)


def test_a_callback_is_kept_byte_for_byte_and_moves_no_money(
    desk: Desk, attempt: PaymentAttempt
) -> None:
    body = payment_result(attempt, "0", "Done")
    assert post(address(attempt), body) == {"ResultCode": 0, "ResultDesc": "Accepted"}
    kept = Callback.objects.get()
    assert (bytes(kept.body), kept.trusted, kept.ip_address) == (body, True, "127.0.0.1")
    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "executing"
    assert desk.account().balance == 100_000


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "x/y"])
def test_whatever_comes_is_kept(attempt: PaymentAttempt, content_type: str) -> None:
    post(address(attempt), b"\xff\x00 not JSON", content_type=content_type)
    assert bytes(Callback.objects.get().body) == b"\xff\x00 not JSON"


def test_the_same_callback_twice_is_kept_once(attempt: PaymentAttempt) -> None:
    for _ in range(2):
        post(address(attempt), b"{}")
    assert Callback.objects.count() == 1


def test_a_wrong_token_is_not_found_and_not_trusted(attempt: PaymentAttempt) -> None:
    post(address(attempt, token="0" * 64), payment_result(attempt, "0", "Done"), 404)
    assert [callback.trusted for callback in Callback.objects.all()] == [False]


def test_an_unknown_attempt_or_gateway_is_not_found(attempt: PaymentAttempt) -> None:
    post(f"/api/callbacks/sf/{uuid4()}/{attempt_token(attempt.pk)}/", b"{}", 404)
    post(address(attempt, short="xx"), b"{}", 404)
    assert not Callback.objects.exists()


def test_more_than_a_callback_can_be_is_refused(attempt: PaymentAttempt) -> None:
    refused = post(address(attempt), b"x" * (LARGEST_BODY + 1), 400)
    assert list(refused["errors"]) == ["body"]
    post(address(attempt), json.dumps({"long": "x" * 60_000}).encode())
    assert Callback.objects.count() == 1


def test_a_callback_is_posted_and_nothing_else(attempt: PaymentAttempt) -> None:
    for verb in ("get", "put", "patch", "delete"):
        assert getattr(APIClient(), verb)(address(attempt)).status_code == 405


def test_a_payment_shows_what_was_posted_about_it(desk: Desk, attempt: PaymentAttempt) -> None:
    post(address(attempt), payment_result(attempt, "0", "Done"))
    path = f"/api/payments/{attempt.payment_id}/attempts/"
    (shown,) = Caller(desk.auditor).results(path)
    (callback,) = shown["callbacks"]
    assert callback["trusted"] is True
    assert callback["says"].startswith("succeeded")
    assert set(callback) == {"trusted", "says", "received_at"}
