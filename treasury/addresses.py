"""The addresses at which gateways reach us: ``/api/callbacks/<short>/<attempt>/<token>/``.

An attempt's own token is derived from its id, so that nothing needs to be stored and a repetition carries
the same address; an enquiry's is random, kept as a hash, and good for one answer. Tokens are hexadecimal:
gateways refuse words such as "exe" and "query" in an address.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "treasury.callback"
SHORT_NAMES = {"mpesa": "sf"}
TOKEN_LENGTH = 64


def attempt_token(attempt_id: UUID) -> str:
    """Return the token of the attempt's own address."""
    return salted_hmac(SALT, str(attempt_id), algorithm="sha256").hexdigest()


def is_attempt_token(attempt_id: UUID, token: str) -> bool:
    """Whether this is the attempt's own token; compared in constant time, older secrets included."""
    secrets_known = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    expected = [
        salted_hmac(SALT, str(attempt_id), secret=secret, algorithm="sha256").hexdigest()
        for secret in secrets_known
    ]
    return any(hmac.compare_digest(known.encode(), token.encode()) for known in expected)


def new_token() -> tuple[str, str]:
    """Return a new random token and the hash of it that is kept."""
    token = secrets.token_hex(TOKEN_LENGTH // 2)
    return token, token_hash(token)


def token_hash(token: str) -> str:
    """Return the SHA-256 (hex) of a token; a token of 256 random bits needs no key."""
    return hashlib.sha256(token.encode()).hexdigest()


def address(*, kind: str, attempt_id: UUID, token: str) -> str:
    """Return the address to hand to a gateway of this kind."""
    base = settings.BURSAR_PUBLIC_URL.rstrip("/")
    return f"{base}/api/callbacks/{SHORT_NAMES[kind]}/{attempt_id}/{token}/"
