"""Anybody can check who told an event, and that nothing was changed on the way."""

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks

from ledger.signatures import make_secret, sign, signed_headers


def test_our_signature_is_the_one_of_the_standard() -> None:
    secret, body = make_secret(), '{"amount":"5.00","name":"Wanjikũ"}'.encode()
    at = datetime.now(tz=UTC)
    theirs = standardwebhooks.Webhook(secret).sign("msg_1", at, body.decode())
    assert (
        sign(secret=secret, message_id="msg_1", timestamp=int(at.timestamp()), body=body) == theirs
    )


def test_a_secret_has_256_bits_and_none_is_made_twice() -> None:
    secrets = {make_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "signature", "secret", "late"])
def test_whatever_is_changed_on_the_way_no_longer_fits(change: str) -> None:
    secret, body = make_secret(), b'{"amount":"5.00"}'
    now = int(datetime.now(tz=UTC).timestamp())
    sent_at = now - 400 if change == "late" else now
    headers = signed_headers(signing=[secret], message_id="m1", timestamp=sent_at, body=body)
    headers |= {
        "id": {"webhook-id": "m2"},
        "timestamp": {"webhook-timestamp": str(now - 1)},
        "signature": {"webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()},
    }.get(change, {})
    checker = standardwebhooks.Webhook(make_secret() if change == "secret" else secret)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        checker.verify(body + b" " if change == "body" else body, headers)
