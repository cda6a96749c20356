"""Payment methods: which exist, what each can carry, and how its destination is written.

Pure: no ORM. The limits of M-Pesa B2C are Safaricom's (whole shillings, 10 to 250,000 a transaction).
"""

from decimal import Decimal

from django.db import models

from ledger.phones import normalise_phone
from ledger.refusals import InvalidInput

LONGEST_DESTINATION = 160


class Method(models.TextChoices):
    MPESA = "mpesa", "M-Pesa"
    BANK = "bank", "Bank"
    CASH = "cash", "Cash"


# Methods that have a rail today.
AVAILABLE = frozenset({Method.MPESA, Method.CASH})
# Methods whose money moves through a gateway; the others are settled as they are executed.
BY_GATEWAY = frozenset({Method.MPESA})

MPESA_CURRENCY = "KES"
MPESA_REGION = "KE"
MPESA_PREFIX = "+254"
MPESA_LEAST = Decimal(10)
MPESA_MOST = Decimal(250_000)


def require_available(method: str) -> Method:
    """Return the method, or raise ``InvalidInput`` on ``method`` (``method_unavailable`` without a rail)."""
    if method not in Method.values:
        raise InvalidInput.on("method", "This is none of mpesa, bank and cash.")
    if method not in AVAILABLE:
        message = f"Payments by {Method(method).label} are not available."
        raise InvalidInput.on("method", message, code="method_unavailable")
    return Method(method)


def require_payable(*, method: str, amount: Decimal, currency: str) -> None:
    """Raise ``InvalidInput`` unless the method has a rail and can carry this amount and currency."""
    if require_available(method) != Method.MPESA:
        return
    if currency != MPESA_CURRENCY:
        message = "M-Pesa pays from a fund in KES only."
        raise InvalidInput.on("method", message, code="method_unavailable")
    if amount != amount.to_integral_value():
        message = "M-Pesa carries whole shillings only."
        raise InvalidInput.on("amount", message, code="amount_precision")
    if not MPESA_LEAST <= amount <= MPESA_MOST:
        message = f"M-Pesa carries KES {MPESA_LEAST} to {MPESA_MOST:,} a payment."
        raise InvalidInput.on("amount", message, code="amount_out_of_range")


def normalise_destination(*, method: str, destination: str) -> str:
    """Return the destination as it is stored: a phone as +2547…, anything else trimmed.

    Raises ``InvalidInput`` on ``destination`` for a phone that is none, and for an empty or too long text.
    """
    text = destination.strip()
    if not text:
        raise InvalidInput.on("destination", "Say where the money goes.")
    if len(text) > LONGEST_DESTINATION:
        raise InvalidInput.on("destination", "This destination is too long.")
    if method != Method.MPESA:
        return text
    phone = normalise_phone(text, region=MPESA_REGION, field="destination")
    if not phone.startswith(MPESA_PREFIX):
        message = "M-Pesa pays to Kenyan numbers only."
        raise InvalidInput.on("destination", message, code="phone_invalid")
    return phone
