"""Bad input: 400 as a problem document that names the field, and nothing is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models

from ledger.models import LedgerEntry
from tests.api.caller import Caller, read
from tests.treasury.desk import Desk
from treasury.models import (
    Payment,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    VarianceAdjustment,
)

KEPT: tuple[type[models.Model], ...] = (
    LedgerEntry,
    Payment,
    ReplenishmentRequest,
    Requisition,
    RequisitionApproval,
    VarianceAdjustment,
)
# What is written as JSON, so that a number stays the number that was written.
BAD_AMOUNTS = {
    '"NaN"': "amount_invalid",
    '"Infinity"': "amount_invalid",
    '"1e5"': "amount_invalid",
    "1e5": "amount_invalid",
    '"１０００"': "amount_invalid",  # full-width digits
    '"1,000"': "amount_invalid",
    '"1_000"': "amount_invalid",
    '" 10"': "amount_invalid",
    '"+10"': "amount_invalid",
    '"10."': "amount_invalid",
    '".5"': "amount_invalid",
    '""': "amount_invalid",
    '"ten"': "amount_invalid",
    "true": "amount_invalid",
    "false": "amount_invalid",
    "[10]": "amount_invalid",
    "{}": "amount_invalid",
    "null": "invalid_input",
    "0": "amount_not_positive",
    '"0.00"': "amount_not_positive",
    '"-10"': "amount_not_positive",
    "-10": "amount_not_positive",
    '"10.001"': "amount_precision",
    "10.001": "amount_precision",
    "0.1234567890123456789": "amount_precision",
    '"999999999999999999999"': "amount_too_large",
    "1" + "0" * 400: "amount_too_large",
    f'"{"9" * 4000}"': "amount_too_large",
}


@pytest.fixture
def unchanged(desk: Desk) -> Callable[[], bool]:
    """Whether nothing was written since."""
    before = {model: model._default_manager.count() for model in KEPT}
    return lambda: before == {model: model._default_manager.count() for model in KEPT}


def send(user: Any, path: str, text: str | bytes, expect: int = 400) -> Any:
    body = text.encode() if isinstance(text, str) else text
    return read(Caller(user).client.post(path, body, content_type="application/json"), expect)


def requisition_text(desk: Desk, **written: str) -> str:
    """A requisition's body as JSON text; ``written`` replaces members by JSON text."""
    body = {
        "fund": json.dumps(str(desk.fund.pk)),
        "amount": '"100"',
        "purpose": '"Paper"',
        "payee_name": '"Amina"',
        "method": '"mpesa"',
        "destination": '"0712345678"',
    } | written
    return "{" + ", ".join(f'"{name}": {value}' for name, value in body.items()) + "}"


@pytest.mark.parametrize(("written", "code"), BAD_AMOUNTS.items())
def test_an_amount_that_is_none_is_refused(
    desk: Desk, unchanged: Callable[[], bool], written: str, code: str
) -> None:
    text = requisition_text(desk, amount=written, method='"cash"')
    refused = send(desk.requester, "/api/requisitions/", text)
    assert (refused["code"], list(refused["errors"])) == (code, ["amount"])
    assert unchanged()


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1.e5", "01", "0x10"])
def test_a_number_that_json_does_not_know_is_no_json(
    desk: Desk, unchanged: Callable[[], bool], written: str
) -> None:
    refused = send(desk.requester, "/api/requisitions/", requisition_text(desk, amount=written))
    assert list(refused["errors"]) == ["body"]
    assert unchanged()


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("currency", '"RWF"'),
        ("currency", '"kes"'),
        ("currency", '"XXX"'),
        ("currency", "7"),
        ("method", '"cheque"'),
        ("method", '"MPESA"'),
        ("method", "null"),
        ("destination", '"12345"'),
        ("destination", '"0812345"'),
        ("destination", '"+15551234567"'),
        ("destination", '"０７１２３４５６７８"'),
        ("destination", '"07123456789012"'),
        ("destination", "254712345678"),
        ("destination", '""'),
        ("amount", '"9"'),
        ("amount", '"250001"'),
        ("amount", '"100.50"'),
        ("purpose", '""'),
        ("purpose", '"   "'),
        ("purpose", '"a\\u0000b"'),
        ("purpose", '"a\\ud800b"'),
        ("purpose", f'"{"x" * 501}"'),
        ("payee_name", "[]"),
        ("fund", '"petty"'),
        ("fund", "1"),
        ("fund", "null"),
        ("status", '"approved"'),
        ("requested_by", '"me"'),
    ],
)
def test_a_bad_requisition_names_the_field(
    desk: Desk, unchanged: Callable[[], bool], field: str, written: str
) -> None:
    text = requisition_text(desk, **{field: written})
    refused = send(desk.requester, "/api/requisitions/", text)
    assert list(refused["errors"]) == [field]
    assert unchanged()


def test_everything_that_is_wrong_with_the_form_is_named_at_once(desk: Desk) -> None:
    refused = send(desk.requester, "/api/requisitions/", '{"amount": "x", "colour": "red"}')
    missing = {"fund", "purpose", "payee_name", "method", "destination"}
    assert set(refused["errors"]) == missing | {"amount", "colour"}


BAD_BODIES = {
    "broken": b'{"amount": "10"',
    "not JSON": b"amount=10",
    "a list": b"[]",
    "a text": b'"amount"',
    "a number": b"10",
    "nothing": b"null",
    "not UTF-8": b'{"reason": "\xff"}',
    "a name twice": b'{"amount": "10", "amount": "10000", "reason": "x"}',
    "too deep": b'{"reason": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "10 MB": b'{"reason": "' + b"x" * 10 * 1024 * 1024 + b'"}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_cannot_be_read_is_refused_on_body(
    desk: Desk, unchanged: Callable[[], bool], body: bytes
) -> None:
    refused = send(desk.treasurer, f"/api/funds/{desk.fund.pk}/replenish/", body)
    assert list(refused["errors"]) == ["body"]
    assert unchanged()


def test_a_body_of_another_kind_is_refused_on_body(desk: Desk) -> None:
    client = Caller(desk.treasurer).client
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    for kind in ("application/x-www-form-urlencoded", "text/xml", "nonsense"):
        answer = client.post(path, b"amount=10", content_type=kind)
        assert list(read(answer, 400)["errors"]) == ["body"]


@pytest.mark.parametrize("body", ["", "{}", "null"])
def test_an_action_takes_no_body_or_an_empty_one(desk: Desk, body: str) -> None:
    expect = 400 if body == "null" else 200
    path = f"/api/requisitions/{desk.request().pk}/approve/"
    send(desk.approver, path, body, expect)


def test_an_unreadable_body_comes_after_who_may_and_before_the_state(desk: Desk) -> None:
    path = f"/api/payments/{desk.paid().pk}/reconcile/"
    send(desk.auditor, path, b"{", 403)
    send(desk.reconciler, path, b"{", 400)
    read(Caller(None).client.post(path, b"{", content_type="application/json"), 401)


@pytest.mark.parametrize("place", ["payments", "requisitions", "funds"])
def test_an_id_that_is_none_is_nowhere(desk: Desk, place: str) -> None:
    for text in ("1", "x" * 300, "%00", "00000000-0000-0000-0000-00000000000g", "..%2f"):
        Caller(desk.auditor).get(f"/api/{place}/{text}/", 404)
