"""Payment methods: which exist, what each can carry, and how its destination is written.

Pure: no ORM. The limits of M-Pesa B2C are Safaricom's (whole shillings, 10 to 250,000 a transaction). A bank
carries every currency, and names in its own characters alone (``payments/gateways/iso20022``).
"""

from decimal import Decimal

from django.db import models

from ledger.encryption import mask
from ledger.phones import normalise_phone
from ledger.refusals import InvalidInput
from payments.gateways import iso20022

LONGEST_DESTINATION = 160


class Method(models.TextChoices):
    MPESA = "mpesa", "M-Pesa"
    BANK = "bank", "Bank"
    CASH = "cash", "Cash"


# Methods whose money moves elsewhere; the others are settled as they are executed.
BY_GATEWAY = frozenset({Method.MPESA, Method.BANK})
# Of these, the ones that people carry to the bank in a file.
BY_FILE = frozenset({Method.BANK})

MPESA_CURRENCY = "KES"
MPESA_REGION = "KE"
MPESA_PREFIX = "+254"
MPESA_LEAST = Decimal(10)
MPESA_MOST = Decimal(250_000)
# So that the control sum of a full file still has the 18 digits that ISO 20022 allows.
BANK_BELOW = Decimal(10) ** 11


def require_available(method: str) -> Method:
    """Return the method, or raise ``InvalidInput`` on ``method``."""
    if method not in Method.values:
        raise InvalidInput.on("method", "This is none of mpesa, bank and cash.")
    return Method(method)


def shown(*, method: str, destination: str) -> str:
    """Return where money goes, as lists show it: a counter in words, a number masked."""
    return destination if method == Method.CASH else mask(destination)


def require_payable(*, method: str, amount: Decimal, currency: str) -> None:
    """Raise ``InvalidInput`` unless the method has a rail and can carry this amount and currency."""
    chosen = require_available(method)
    if chosen == Method.BANK and amount >= BANK_BELOW:
        message = f"A bank file carries less than {BANK_BELOW:,} a payment."
        raise InvalidInput.on("amount", message, code="amount_out_of_range")
    if chosen != Method.MPESA:
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


def require_payee(*, method: str, payee_name: str) -> None:
    """Raise ``InvalidInput`` on ``payee_name`` unless the method carries the name."""
    if method != Method.BANK:
        return
    try:
        latin = iso20022.to_latin(payee_name)
    except iso20022.NotWritable as refused:
        message = f"{refused} Write the name as the payee's bank does."
        raise InvalidInput.on("payee_name", message, code="characters_not_carried") from None
    if not any(c.isalnum() for c in latin):
        message = "The bank needs the payee's name."
        raise InvalidInput.on("payee_name", message, code="characters_not_carried")
    if len(latin) > iso20022.LONGEST_NAME:
        message = f"A bank file carries a name of at most {iso20022.LONGEST_NAME} characters."
        raise InvalidInput.on("payee_name", message, code="too_long")


def normalise_destination(*, method: str, destination: str) -> str:
    """Return the destination as it is stored: a phone as +2547…, a bank account as one text, else trimmed.

    Raises ``InvalidInput`` on ``destination`` for a phone (``phone_invalid``) or account
    (``account_invalid``) that is none, and for an empty or too long text.
    """
    text = destination.strip()
    if not text:
        raise InvalidInput.on("destination", "Say where the money goes.")
    if len(text) > LONGEST_DESTINATION:
        raise InvalidInput.on("destination", "This destination is too long.")
    if method == Method.BANK:
        return _bank_account(text)
    if method != Method.MPESA:
        return text
    phone = normalise_phone(text, region=MPESA_REGION, field="destination")
    if not phone.startswith(MPESA_PREFIX):
        message = "M-Pesa pays to Kenyan numbers only."
        raise InvalidInput.on("destination", message, code="phone_invalid")
    return phone


def _bank_account(text: str) -> str:
    try:
        return str(iso20022.parse_account(text))
    except iso20022.UnreadableAccount as refused:
        raise InvalidInput.on("destination", str(refused), code="account_invalid") from None
