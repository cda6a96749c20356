"""Results that Daraja POSTs to our addresses. Nothing in them is signed. Pure.

A result of a payment is a hint: whoever receives it asks for the transaction's status and acts on
that answer. An answer counts only at the one-use address of an enquiry that we sent, and only if its
conversation, reference and amount are the ones asked about; comparing them is the receiver's part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from payments.gateways.daraja import codes
from payments.gateways.daraja.responses import read_json, text_of
from payments.gateways.outcome import Outcome, OutcomeClass

EAST_AFRICA = timezone(timedelta(hours=3))
AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)
# NLJ0000000: what stands in for a receipt where there is none.
DUMMY_ID = re.compile(r"[0-9A-Za-z]{0,4}0{6,}", re.ASCII)
DATE_FORMATS = ("%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S")


class UnreadableResult(ValueError):
    """This is not a result: no JSON, or no ``Result`` object in it."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result, with codes as text and parameter names without their varying spaces.

    ``transaction_id`` is empty where the gateway sent a dummy; ``parameters`` leaves out those
    without a value.
    """

    result_type: str
    code: str
    description: str
    reference: str
    conversation_id: str
    transaction_id: str
    parameters: Mapping[str, Any]
    reference_data: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False)


def parse_result(body: bytes) -> Result:
    """Read a result as leniently as the gateway writes it; raise ``UnreadableResult``.

    Takes codes as numbers or text, parameters without a value, one item or a list of them, names
    with spaces ("Conversation ID"). Numbers are exact.
    """
    raw = read_json(body)
    result = raw.get("Result") if isinstance(raw, dict) else None
    if not isinstance(result, dict):
        raise UnreadableResult("The body has no Result object.")
    members = {without_spaces(str(name)): value for name, value in result.items()}
    return Result(
        result_type=text_of(members.get("ResultType")),
        code=text_of(members.get("ResultCode")),
        description=text_of(members.get("ResultDesc")),
        reference=text_of(members.get("OriginatorConversationID")),
        conversation_id=text_of(members.get("ConversationID")),
        transaction_id=receipt_of(members.get("TransactionID")),
        parameters=_items(members.get("ResultParameters"), "ResultParameter"),
        reference_data=_items(members.get("ReferenceData"), "ReferenceItem"),
        raw=raw,
    )


def without_spaces(name: str) -> str:
    return "".join(name.split())


def _items(container: Any, name: str) -> dict[str, Any]:
    """Return the keys and values of a list of items, of a single one, or of nothing."""
    found: dict[str, Any] = {}
    for item in _listed(container, name):
        key = item.get("Key")
        if isinstance(key, str) and item.get("Value") is not None:
            # The portal's own sample repeats a key; the first one is the one described.
            found.setdefault(without_spaces(key), item["Value"])
    return found


def _listed(container: Any, name: str) -> Iterator[dict[str, Any]]:
    inner = container.get(name) if isinstance(container, dict) else container
    for item in inner if isinstance(inner, list) else [inner]:
        if isinstance(item, dict):
            yield item


def receipt_of(value: Any) -> str:
    """Return a receipt, empty where it is missing or a dummy that ends in zeros."""
    text = text_of(value)
    return "" if DUMMY_ID.fullmatch(text) else text


def amount_of(value: Any) -> Decimal | None:
    """Return an amount sent as 10, 10.0, "10" or "10.00"; None for anything else."""
    text = text_of(value)
    return Decimal(text) if AMOUNT.fullmatch(text) else None


def instant_of(value: Any) -> datetime | None:
    """Return "06.07.2024 22:48:52" or 20240706224852 (both East Africa Time) as an instant."""
    text = text_of(value)
    for known in DATE_FORMATS:
        try:
            return datetime.strptime(text, known).replace(tzinfo=EAST_AFRICA)
        except ValueError:
            continue
    return None


def classify_b2c_result(result: Result) -> Outcome:
    """What the result of a payment says; the receiver treats it as a hint and asks.

    A success without a receipt is ``UNKNOWN``, as is every code that is not in the table.
    """
    found, meaning = codes.B2C_RESULTS.get(
        result.code, (OutcomeClass.UNKNOWN, "a code that is not known")
    )
    receipt = receipt_of(result.parameters.get("TransactionReceipt")) or result.transaction_id
    if found is OutcomeClass.SUCCEEDED and not receipt:
        found, meaning = OutcomeClass.UNKNOWN, "a success without a receipt"
    return Outcome(
        found,
        result.code,
        result.description or meaning,
        provider_reference=receipt if found is OutcomeClass.SUCCEEDED else "",
        conversation_id=result.conversation_id,
        reference=result.reference,
        amount=amount_of(result.parameters.get("TransactionAmount")),
        completed_at=instant_of(result.parameters.get("TransactionCompletedDateTime")),
        passes_after_s=passes_after_s(result.code) if found is OutcomeClass.FAILED_FINAL else None,
        raw=result.raw,
    )


def passes_after_s(code: str) -> int | None:
    """Return after how many seconds the cause of a definite refusal may be over; None: not by itself."""
    return codes.PASSES_AFTER_S.get(code)


def classify_status_result(result: Result) -> Outcome:
    """What the answer to a status query says became of the payment it asked about.

    ResultCode 0 only says that the query worked: TransactionStatus tells the rest. ``conversation_id``
    is the enquiry's own, ``reference`` the payment's. ``CONFIG`` is about our asking: it stops the
    provider and leaves the payment as unknown as it was. Not found is ``UNKNOWN`` (code ``not_found``).
    """
    if result.code != "0":
        return _failed_enquiry(result)
    word = text_of(result.parameters.get("TransactionStatus"))
    found = codes.STATUS_WORDS.get(" ".join(word.lower().split()), OutcomeClass.UNKNOWN)
    receipt = receipt_of(result.parameters.get("ReceiptNo"))
    message = f"TransactionStatus {word}" if word else "The answer names no TransactionStatus."
    if found is OutcomeClass.SUCCEEDED and not receipt:
        found, message = OutcomeClass.UNKNOWN, "Completed, but without a receipt."
    return Outcome(
        found,
        word or "no_status",
        message,
        provider_reference=receipt if found is OutcomeClass.SUCCEEDED else "",
        conversation_id=result.conversation_id,
        reference=text_of(result.parameters.get("OriginatorConversationID")),
        amount=amount_of(result.parameters.get("Amount")),
        completed_at=instant_of(result.parameters.get("FinalisedTime")),
        raw=result.raw,
    )


def _failed_enquiry(result: Result) -> Outcome:
    found = codes.STATUS_RESULTS.get(result.code, OutcomeClass.UNKNOWN)
    code, said = result.code, result.description.lower()
    if found is OutcomeClass.UNKNOWN and (
        code in codes.NOT_FOUND_RESULTS or any(p in said for p in codes.NOT_FOUND_PHRASES)
    ):
        code = "not_found"
    return Outcome(
        found,
        code or "no_code",
        result.description,
        conversation_id=result.conversation_id,
        raw=result.raw,
    )


def classify_timeout(result: Result | None) -> Outcome:
    """A call of QueueTimeOutURL: the gateway gave up waiting, which says nothing about the money."""
    return Outcome(
        OutcomeClass.UNKNOWN,
        "queue_timeout",
        "The request timed out in the gateway's queue.",
        conversation_id=result.conversation_id if result else "",
        reference=result.reference if result else "",
        raw=result.raw if result else {},
    )


def parse_balances(result: Result) -> dict[str, Decimal]:
    """Return the first figure of each account in a balance result, by the account's name.

    "Working Account|KES|700000.00|…&Utility Account|KES|…": what cannot be read is left out.
    """
    balances = {}
    for row in text_of(result.parameters.get("AccountBalance")).split("&"):
        parts = row.split("|")
        if len(parts) >= 3 and parts[1] == "KES":
            amount = amount_of(parts[2].removeprefix("-"))
            if amount is not None:
                balances[parts[0]] = -amount if parts[2].startswith("-") else amount
    return balances
