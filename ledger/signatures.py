"""Signing what is sent to clients, as Standard Webhooks 1.0.0 describes it. Pure: no ORM.

A signature is HMAC-SHA256 over ``id.timestamp.body`` under the bytes behind ``whsec_``, in base64 after
``v1,``. While a secret is being replaced, both sign; the receiver takes either.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32


def make_secret() -> str:
    """Return a new secret, ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature (``v1,…``) of a body sent at ``timestamp``, seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(
    *, signing: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the three headers of a message, signed under each of the ``signing`` secrets."""
    signatures = (
        sign(secret=secret, message_id=message_id, timestamp=timestamp, body=body)
        for secret in signing
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
