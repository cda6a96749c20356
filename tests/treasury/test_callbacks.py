"""The inbox takes whatever comes and believes none of it."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.refusals import InvalidInput, NotFound
from tests.treasury.conftest import World
from tests.treasury.factories import PHONE, acting, make_provider, today
from tests.treasury.gateway import SYSTEM, Gateway
from treasury.addresses import address, attempt_token, is_attempt_token, new_token, token_hash
from treasury.models import Callback, PaymentAttempt
from treasury.services.callbacks import MOST_UNTRUSTED, _reads_as, record_callback
from treasury.services.execution import execute_payment


@pytest.fixture
def attempt(world: World, gateway: Gateway) -> PaymentAttempt:
    make_provider(world.company)
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    return PaymentAttempt.objects.get(payment=payment)


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"<html>",
    b"[]",
    b'{"Result": null}',
    b'{"Result": {"ResultCode": {"a": 1}}}',
    json.dumps({"Result": {"ResultCode": 0, "ResultDesc": "a\x00b\ud800c"}}).encode(),
    json.dumps({"Result": {"ResultDesc": "x" * 5000, "ResultCode": "9" * 500}}).encode(),
    b"[" * 20_000,
]


@pytest.mark.parametrize("body", HOSTILE)
def test_any_body_is_kept_as_it_came(attempt: PaymentAttempt, body: bytes) -> None:
    token = attempt_token(attempt.pk)
    record_callback(actor=SYSTEM, attempt_id=attempt.pk, token=token, body=body)
    kept = Callback.objects.get(attempt=attempt)
    assert (bytes(kept.body), kept.trusted) == (body, True)


@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps({"Result": text}).encode()))
def test_reading_a_body_never_fails(body: bytes) -> None:
    for is_answer in (False, True):
        assert len(_reads_as(body, is_answer=is_answer)) <= 160


def test_an_unknown_attempt_has_no_address(db: None) -> None:
    with pytest.raises(NotFound):
        record_callback(actor=SYSTEM, attempt_id=uuid4(), token="0" * 64, body=b"{}")


def test_a_flood_of_forgeries_is_not_kept_for_ever(attempt: PaymentAttempt) -> None:
    for number in range(MOST_UNTRUSTED + 5):
        body = str(number).encode()
        record_callback(actor=SYSTEM, attempt_id=attempt.pk, token="0" * 64, body=body)
    assert Callback.objects.filter(attempt=attempt).count() == MOST_UNTRUSTED


def test_a_body_larger_than_any_callback_is_refused(attempt: PaymentAttempt) -> None:
    with pytest.raises(InvalidInput):
        record_callback(actor=SYSTEM, attempt_id=attempt.pk, token="0" * 64, body=b"x" * 65_537)


def test_a_forgery_first_does_not_keep_the_true_one_out(attempt: PaymentAttempt) -> None:
    for token in ("0" * 64, attempt_token(attempt.pk)):
        record_callback(actor=SYSTEM, attempt_id=attempt.pk, token=token, body=b"{}")
    kept = Callback.objects.filter(attempt=attempt).order_by("trusted")
    assert list(kept.values_list("trusted", flat=True)) == [False, True]


def test_addresses_avoid_what_gateways_refuse() -> None:
    attempt_id = uuid4()
    token, _ = new_token()
    for some in (token, attempt_token(attempt_id)):
        path = address(kind="mpesa", attempt_id=attempt_id, token=some).partition("/api/")[2]
        assert not any(word in path for word in ("mpesa", "exe", "cmd", "sql", "query"))


def test_tokens_are_told_apart() -> None:
    one, other = uuid4(), uuid4()
    assert is_attempt_token(one, attempt_token(one))
    assert not is_attempt_token(one, attempt_token(other))
    assert not is_attempt_token(one, "é")
    token, kept = new_token()
    assert token_hash(token) == kept != token
