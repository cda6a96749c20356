"""What we send to Daraja. Pure; what the rail cannot carry is refused here, before anything is written."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from ledger.refusals import InvalidInput

TOKEN_PATH = "/oauth/v1/generate?grant_type=client_credentials"  # noqa: S105 -- an address
B2C_PATH = "/mpesa/b2c/v3/paymentrequest"
STATUS_PATH = "/mpesa/transactionstatus/v1/query"
BALANCE_PATH = "/mpesa/accountbalance/v1/query"

COMMAND = "BusinessPayment"
# Of an organisation's short code.
IDENTIFIER_TYPE = "4"
# Whole shillings per payment (contract, Methods).
MINIMUM, MAXIMUM = Decimal(10), Decimal(250_000)
KENYAN_MOBILE = re.compile(r"\+?(254[71][0-9]{8})", re.ASCII)
LONGEST_REMARKS = 100
REMARKS = "Payment"
# The portal refuses addresses that contain any of these.
FORBIDDEN_IN_URL = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")


class UnusableAddress(ValueError):
    """Our own callback address would be refused by the gateway: a matter of configuration."""


def wire_amount(amount: Decimal) -> int:
    """Return the amount as M-Pesa takes it: whole shillings, 10 to 250,000.

    Raises ``InvalidInput`` on ``amount``; nothing is ever rounded.
    """
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise InvalidInput.on("amount", "M-Pesa takes whole shillings.", code="amount_precision")
    if not MINIMUM <= amount <= MAXIMUM:
        message = f"M-Pesa takes {MINIMUM} to {MAXIMUM:,} shillings per payment."
        raise InvalidInput.on("amount", message, code="amount_out_of_range")
    return int(amount)


def wire_msisdn(msisdn: str) -> str:
    """Return +254712345678 as 254712345678; raise ``InvalidInput`` on ``destination``."""
    found = KENYAN_MOBILE.fullmatch(msisdn)
    if not found:
        message = "M-Pesa pays Kenyan mobile numbers, such as +254712345678."
        raise InvalidInput.on("destination", message, code="phone_invalid")
    return found[1]


def wire_remarks(remarks: str) -> str:
    """Return 2 to 100 printable characters on one line."""
    line = " ".join(remarks.split())[:LONGEST_REMARKS].strip()
    return line if len(line) >= 2 else REMARKS


def wire_url(url: str) -> str:
    """Return the callback address, or raise ``UnusableAddress`` when the gateway would refuse it."""
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise UnusableAddress("A callback address must be http or https.")
    word = next((word for word in FORBIDDEN_IN_URL if word in url.lower()), None)
    if word:
        raise UnusableAddress(f"The gateway refuses callback addresses that contain {word!r}.")
    return url


def build_b2c(
    *,
    initiator_name: str,
    security_credential: str,
    short_code: str,
    reference: str,
    amount: int,
    msisdn: str,
    remarks: str,
    result_url: str,
    timeout_url: str,
) -> dict[str, Any]:
    """The body of a payment to a customer; ``reference`` is what the gateway tells repetitions by."""
    return {
        "OriginatorConversationID": reference,
        "InitiatorName": initiator_name,
        "SecurityCredential": security_credential,
        "CommandID": COMMAND,
        "Amount": amount,
        "PartyA": short_code,
        "PartyB": msisdn,
        "Remarks": remarks,
        "QueueTimeOutURL": timeout_url,
        "ResultURL": result_url,
        # Spelt so by the gateway, here and only here.
        "Occassion": "",
    }


def build_enquiry(
    *,
    command: str,
    initiator_name: str,
    security_credential: str,
    short_code: str,
    remarks: str,
    result_url: str,
    timeout_url: str,
) -> dict[str, Any]:
    """What a status query and a balance query have in common."""
    return {
        "Initiator": initiator_name,
        "SecurityCredential": security_credential,
        "CommandID": command,
        "PartyA": short_code,
        "IdentifierType": IDENTIFIER_TYPE,
        "Remarks": remarks,
        "QueueTimeOutURL": timeout_url,
        "ResultURL": result_url,
    }


def build_status_query(*, original_reference: str, **common: str) -> dict[str, Any]:
    """Ask by our own reference, which is known even when every reply was lost."""
    enquiry = build_enquiry(command="TransactionStatusQuery", **common)
    return {**enquiry, "OriginalConversationID": original_reference, "Occasion": ""}


def build_balance_query(**common: str) -> dict[str, Any]:
    return build_enquiry(command="AccountBalance", **common)


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
