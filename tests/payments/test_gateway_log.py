"""The gateway log tells everything but secrets, and nobody changes it."""

import base64
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

from ledger.tracing import request_id
from payments.gateways.daraja import query_status, send_b2c
from payments.models import GatewayRequest, GatewayResponse, Provider
from payments.redaction import HIDDEN, redact
from payments.selectors import exchanges_of
from tests.crash import deadlines
from tests.simulator import Simulator

PHONE = "254712345678"


def send(provider: Provider, subject: str = "treasury.attempt:1") -> None:
    send_b2c(
        provider=provider,
        reference=str(uuid.uuid4()),
        amount=Decimal(100),
        msisdn=f"+{PHONE}",
        remarks="Petty cash",
        result_url="http://127.0.0.1:9/api/callbacks/sf/attempt-1/canary-result/",
        timeout_url="http://127.0.0.1:9/api/callbacks/sf/attempt-1/canary-timeout/",
        subject=subject,
    )


@pytest.mark.django_db
def test_a_call_is_shown_as_one_exchange(provider: Provider) -> None:
    send(provider)
    token, payment = exchanges_of("treasury.attempt:1")
    assert (token.operation, token.method, token.http_status) == ("oauth", "GET", 200)
    assert (payment.operation, payment.method, payment.http_status) == ("b2c", "POST", 200)
    assert payment.url.endswith("/mpesa/b2c/v3/paymentrequest")
    assert '"Amount": 100' in payment.request_body
    assert "Accept the service request" in payment.response_body
    assert payment.duration_ms is not None
    assert payment.answered_at
    assert payment.requested_at <= payment.answered_at
    assert exchanges_of("treasury.attempt:2") == []


@pytest.mark.django_db
def test_a_call_names_the_request_that_caused_it(provider: Provider) -> None:
    named = request_id.set("the-request-behind-it")
    send(provider)
    request_id.reset(named)
    rows = GatewayRequest.objects.values_list("request_id", flat=True)
    assert set(rows) == {"the-request-behind-it"}


def stored_text() -> str:
    """Everything of both tables, as a dump would show it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM payments_gatewayrequest t")
        rows = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT t::text FROM payments_gatewayresponse t")
        return "\n".join([*rows, *(row[0] for row in cursor.fetchall())])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [None, ("oauth", "truncated"), ("b2c", "502"), ("b2c", "token_revoked"), ("oauth", "drip")],
)
def test_no_secret_of_a_call_is_ever_logged(
    provider: Provider,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: tuple[str, str] | None,
) -> None:
    drips = fault is not None and fault[1] == "drip"
    deadlines.limit(["oauth"] if drips else [], monkeypatch.setattr, seconds=0.5)
    if fault:
        simulator.fault(fault[0], "after_accept", fault[1])
    send(provider)
    provider.refresh_from_db()
    known = simulator.identity
    pair = f"{known['consumer_key']}:{known['consumer_secret']}"
    canaries = {
        known["consumer_key"],
        known["consumer_secret"],
        known["initiator_password"],
        base64.b64encode(pair.encode()).decode(),
        provider.token or "no token",
        "canary-result",
        "canary-timeout",
        PHONE,
    }
    logged = stored_text()
    assert [canary for canary in canaries if canary in logged] == []
    if fault is None:
        sent = exchanges_of("treasury.attempt:1")[-1].request_body
        assert f'"SecurityCredential": "{HIDDEN}"' in sent
        assert f"/api/callbacks/sf/attempt-1/{HIDDEN}/" in sent


@pytest.mark.django_db
def test_a_gateway_that_repeats_our_secrets_does_not_get_them_logged(
    provider: Provider, simulator: Simulator
) -> None:
    send(provider)
    provider.refresh_from_db()
    password = simulator.identity["initiator_password"]
    echo = f"<p>Bearer {provider.token} for {password} to +{PHONE}</p>\x00"
    simulator.fault("b2c", "before_accept", "reply", status=400, body=echo)
    send(provider)
    said = exchanges_of("treasury.attempt:1")[-1].response_body
    assert said == f"<p>Bearer {HIDDEN} for {HIDDEN} to +254••••••678</p>"


@pytest.mark.django_db
def test_an_enquiry_is_logged_under_its_own_operation(provider: Provider) -> None:
    query_status(
        provider=provider,
        original_reference="ref-1",
        result_url="http://127.0.0.1:9/r/x/",
        timeout_url="http://127.0.0.1:9/t/x/",
        subject="treasury.attempt:9",
    )
    assert [e.operation for e in exchanges_of("treasury.attempt:9")] == ["oauth", "status"]


@pytest.mark.parametrize(
    ("body", "logged"),
    [
        ('{"access_token":"abc","expires_in":"3599"}', f'"access_token": "{HIDDEN}"'),
        ('{"Security_Credential":"abc"}', HIDDEN),
        ('{"PartyB":254712345678}', '"•••••••••678"'),
        ('{"ReceiverPartyPublicName":"254712345678 - JANE DOE"}', '"•••••••••678"'),
        ('{"Key":"ReceiverPartyPublicName","Value":"254712345678 - JANE DOE"}', '"•••••••••678"'),
        ('{"Key":"QueueTimeoutURL","Value":"https://x/a/token"}', f"https://x/a/{HIDDEN}"),
        ('[{"deep":["0712345678"]}]', "678"),
        ("not json 0712345678", "not json •••••••678"),
    ],
)
def test_redaction_finds_secrets_by_name_and_by_shape(body: str, logged: str) -> None:
    clean = redact(body)
    assert logged in clean
    for secret in ("abc", "254712345678", "0712345678", "JANE", "/token"):
        assert secret not in clean


@pytest.mark.parametrize(
    "body", ["{" * 5000, "[" * 100_000, "\x00", "", '["\\ud800\\u0000"]', b"\xff\xfe\x00"]
)
def test_redaction_takes_whatever_comes(body: Any) -> None:
    assert "\x00" not in redact(body)
    assert len(redact(body).encode()) <= 262_144


ATTACKS = [
    "UPDATE payments_gatewayrequest SET body = ''",
    "DELETE FROM payments_gatewayrequest",
    "TRUNCATE payments_gatewayrequest CASCADE",
    "UPDATE payments_gatewayresponse SET http_status = 500",
    "DELETE FROM payments_gatewayresponse",
    "TRUNCATE payments_gatewayresponse",
    "DELETE FROM payments_provider",
    "UPDATE payments_provider SET company_id = gen_random_uuid()",
]


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ATTACKS)
def test_the_database_refuses_to_change_what_was_logged(provider: Provider, statement: str) -> None:
    send(provider)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("model", [GatewayRequest, GatewayResponse])
def test_the_orm_cannot_change_what_was_logged_either(
    provider: Provider, model: type[models.Model]
) -> None:
    send(provider)
    rows = model._default_manager.all()
    for attack in (lambda: rows.update(body=""), rows.delete, rows[0].save):
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()


@pytest.mark.django_db
def test_an_answer_says_something(provider: Provider) -> None:
    send(provider)
    request = GatewayRequest.objects.create(
        provider=provider, subject="x", operation="b2c", method="POST", url="http://x/"
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        GatewayResponse.objects.create(request=request, duration_ms=1)
