"""What Daraja insists on in a request; pure, a body in and the name of the bad field out."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]
Rule = Callable[[Any], bool]

COMMANDS = frozenset({"SalaryPayment", "BusinessPayment", "PromotionPayment"})
FORBIDDEN_IN_URL = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
MINIMUM, MAXIMUM = 10, 250_000
MSISDN = re.compile(r"254[71][0-9]{8}", re.ASCII)
SHORT_CODE = re.compile(r"[0-9]{5,7}", re.ASCII)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_remarks(value: Any) -> bool:
    return isinstance(value, str) and 2 <= len(value) <= 100


def is_occasion(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 100


def is_msisdn(value: Any) -> bool:
    return not isinstance(value, bool) and bool(MSISDN.fullmatch(str(value)))


def is_short_code(value: Any) -> bool:
    return not isinstance(value, bool) and bool(SHORT_CODE.fullmatch(str(value)))


def is_amount(value: Any) -> bool:
    """Whole shillings from 10 to 250,000, as a number or as its digits in a string."""
    if isinstance(value, bool | Decimal):
        return False
    text = str(value)
    whole = text.isascii() and text.isdigit() and len(text) <= 9
    return whole and MINIMUM <= int(text) <= MAXIMUM


def is_callback_url(value: Any) -> bool:
    """http or https, and free of the words the portal refuses."""
    if not isinstance(value, str):
        return False
    try:
        url = urlsplit(value)
        port_is_fine = url.port is None or url.port > 0
    except ValueError:
        return False
    if url.scheme not in {"http", "https"} or not url.hostname or not port_is_fine:
        return False
    return not any(word in value.lower() for word in FORBIDDEN_IN_URL)


COMMON: dict[str, Rule] = {
    "SecurityCredential": is_text,
    "PartyA": is_short_code,
    "Remarks": is_remarks,
    "QueueTimeOutURL": is_callback_url,
    "ResultURL": is_callback_url,
}
B2C: dict[str, Rule] = {
    "OriginatorConversationID": is_text,
    "InitiatorName": is_text,
    "CommandID": COMMANDS.__contains__,
    "Amount": is_amount,
    "PartyB": is_msisdn,
    **COMMON,
}
STATUS: dict[str, Rule] = {
    "Initiator": is_text,
    "CommandID": lambda value: value == "TransactionStatusQuery",
    "IdentifierType": lambda value: str(value) == "4",
    **COMMON,
}
BALANCE: dict[str, Rule] = STATUS | {"CommandID": lambda value: value == "AccountBalance"}
OPTIONAL: dict[str, Rule] = {"Occassion": is_occasion, "Occasion": is_occasion}


def invalid_field(body: Body, rules: dict[str, Rule]) -> str:
    """The first field that is missing or wrong, empty when all is well."""
    for name, is_good in rules.items():
        if name not in body or not _holds(is_good, body[name]):
            return name
    for name, is_good in OPTIONAL.items():
        if name in body and not is_good(body[name]):
            return name
    return ""


def _holds(is_good: Rule, value: Any) -> bool:
    # A list or an object where a text belongs is not hashable and simply wrong.
    return not isinstance(value, dict | list) and is_good(value)


def invalid_b2c(body: Body) -> str:
    return invalid_field(body, B2C)


def invalid_status(body: Body) -> str:
    named = invalid_field(body, STATUS)
    if named:
        return named
    asked = body.get("TransactionID") or body.get("OriginalConversationID")
    return "" if is_text(asked) else "TransactionID"


def invalid_balance(body: Body) -> str:
    return invalid_field(body, BALANCE)
