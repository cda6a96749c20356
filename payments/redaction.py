"""Taking secrets and people out of what is logged.

Three nets, because one is never enough: fields known by name, literal secrets of the call, and
anything that looks like a Kenyan phone number. Pure.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ledger.encryption import mask

HIDDEN = "[redacted]"
LONGEST_LOGGED = 65_536

SECRET_FIELDS = frozenset(
    {
        "accesstoken",
        "apikey",
        "authorization",
        "consumerkey",
        "consumersecret",
        "initiatorpassword",
        "password",
        "passkey",
        "secret",
        "securitycredential",
        "token",
    }
)
# The last part of our own callback addresses is a secret of the attempt.
ADDRESS_FIELDS = frozenset({"resulturl", "queuetimeouturl", "callbackurl"})
# "254712345678 - ACHIENG OTIENO"
PARTY_FIELDS = frozenset({"receiverpartypublicname", "creditpartyname", "debitpartyname"})
PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?254|0)[17][0-9]{8}(?![0-9A-Za-z])", re.ASCII)


def redact(body: bytes | str, secrets: Iterable[str] = ()) -> str:
    """Return the body as text that may be logged; JSON stays JSON, anything else stays text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    hidden = sorted(filter(None, secrets), key=len, reverse=True)
    try:
        value = redact_value(json.loads(text, parse_float=Decimal), hidden)
        clean = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        clean = redact_text(text, hidden)
    # PostgreSQL stores neither a NUL character nor half of a surrogate pair.
    storable = clean.encode("utf-8", "replace").decode()
    return storable.replace("\x00", "").replace("\\u0000", "")[:LONGEST_LOGGED]


def redact_value(value: Any, secrets: list[str]) -> Any:
    """Return the JSON value without secrets, names and whole phone numbers."""
    if isinstance(value, dict):
        return _redact_object(value, secrets)
    if isinstance(value, list):
        return [redact_value(item, secrets) for item in value]
    if isinstance(value, str):
        return redact_text(value, secrets)
    if isinstance(value, int) and PHONE.fullmatch(str(value)):
        return mask(str(value))
    return value


def _redact_object(value: dict[str, Any], secrets: list[str]) -> dict[str, Any]:
    clean = {
        redact_text(key, secrets): _redact_field(key, item, secrets) for key, item in value.items()
    }
    # Daraja names a field in one member and gives its value in another.
    if isinstance(value.get("Key"), str) and "Value" in value:
        clean["Value"] = _redact_field(value["Key"], value["Value"], secrets)
    return clean


def _redact_field(name: str, value: Any, secrets: list[str]) -> Any:
    known = re.sub(r"[^a-z]", "", name.lower())
    if known in SECRET_FIELDS:
        return HIDDEN
    if known in ADDRESS_FIELDS and isinstance(value, str):
        return redact_text(hide_last_part(value), secrets)
    if known in PARTY_FIELDS and isinstance(value, str):
        number, _, _ = value.partition(" - ")
        return redact_text(number, secrets)
    return redact_value(value, secrets)


def hide_last_part(url: str) -> str:
    """Hide the token that ends a callback's address."""
    return re.sub(r"[^/]+(/?)$", lambda found: HIDDEN + found[1], url)


def redact_text(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return PHONE.sub(lambda found: mask(found[0]), text)
