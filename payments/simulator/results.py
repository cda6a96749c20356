"""The bodies Daraja POSTs to ResultURL and QueueTimeOutURL, true ones and spoilt ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from payments.simulator.book import CHARGES, UTILITY, WORKING, Book, fee_for
from payments.simulator.clock import compact, dotted
from payments.simulator.world import PENDING, Transaction, World

Body = dict[str, Any]
SUCCESS = "The service request is processed successfully."
DESCRIPTIONS: dict[int | str, str] = {
    0: SUCCESS,
    -1: "The request timed out in the queue and was cancelled.",
    1: "The balance is insufficient for the transaction.",
    4: "Declined due to limit rule: would exceed the daily transfer limit.",
    2001: "The initiator information is invalid.",
    2028: "The request is not permitted according to product assignment.",
    2040: "Credit Party customer type can't be supported by the service.",
    8006: "The security credential is locked.",
    "SFC_IC0003": "The operator does not exist.",
    "R000002": "The original transaction does not exist.",
}
NAMES = ("Achieng Otieno", "Brian Kamau", "Chebet Rono", "Daudi Mwangi", "Esther Wanjiru")


def describe(code: int | str) -> str:
    return DESCRIPTIONS.get(code, "The request could not be processed.")


def parameters(pairs: dict[str, Any]) -> Body:
    """A value of None leaves the Value out, as the gateway does."""
    items = [{"Key": k} if v is None else {"Key": k, "Value": v} for k, v in pairs.items()]
    return {"ResultParameter": items}


def envelope(
    code: int | str,
    originator: str,
    conversation: str,
    transaction_id: str,
    *,
    values: dict[str, Any] | None = None,
    reference: Any = None,
) -> Body:
    result: Body = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": describe(code),
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "TransactionID": transaction_id,
    }
    if values is not None:
        result["ResultParameters"] = parameters(values)
    result["ReferenceData"] = {"ReferenceItem": reference or {"Key": "Occasion"}}
    return {"Result": result}


def dummy_id(receipt: str) -> str:
    """What stands in for a receipt where there is none: SG60000000."""
    return receipt[:3] + "0" * 7


def customer(world: World, msisdn: str) -> str:
    index = int(world.digest("name", msisdn), 16) % len(NAMES)
    return f"{msisdn} - {NAMES[index]}"


def cents(amount: Decimal | int) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


def b2c_result(world: World, tx: Transaction) -> Body:
    """The result of a settled payment."""
    code = tx.result_code if tx.result_code is not None else -1
    if tx.succeeded:
        return paid_result(world, tx)
    occasion = {"Key": "Occasion", "Value": tx.occasion} if tx.occasion else None
    return envelope(code, tx.originator, tx.conversation, dummy_id(tx.receipt), reference=occasion)


def paid_result(
    world: World, tx: Transaction, *, amount: int | None = None, receipt: str = ""
) -> Body:
    """A success; `amount` and `receipt` differ from the truth only where a test asks for a lie."""
    balances = world.book.balances
    receipt = receipt or tx.receipt
    values = {
        "TransactionAmount": tx.amount if amount is None else amount,
        "TransactionReceipt": receipt,
        "B2CRecipientIsRegisteredCustomer": "Y",
        "B2CChargesPaidAccountAvailableFunds": cents(balances[CHARGES]),
        "ReceiverPartyPublicName": customer(world, tx.msisdn),
        "TransactionCompletedDateTime": dotted(tx.settled_at or world.clock.now()),
        "B2CUtilityAccountAvailableFunds": cents(balances[UTILITY]),
        "B2CWorkingAccountAvailableFunds": cents(balances[WORKING]),
    }
    reference = {"Key": "QueueTimeoutURL", "Value": tx.timeout_url}
    return envelope(0, tx.originator, tx.conversation, receipt, values=values, reference=reference)


def refused_result(tx: Transaction, code: int | str) -> Body:
    return envelope(code, tx.originator, tx.conversation, dummy_id(tx.receipt))


def timeout_notice(originator: str, conversation: str) -> Body:
    """What arrives at QueueTimeOutURL: it says nothing about the money."""
    body = envelope(-1, originator, conversation, "SG60000000")
    body["Result"] |= {"ResultType": 1, "ResultDesc": "The request timed out in the queue."}
    return body


def status_values(world: World, tx: Transaction, word: str) -> dict[str, Any]:
    settled = word != PENDING and tx.settled_at is not None
    organisation = f"{world.vault.identity.short_code} - Bursar Demo"
    return {
        "DebitPartyName": organisation,
        "CreditPartyName": customer(world, tx.msisdn),
        "OriginatorConversationID": tx.originator,
        "InitiatedTime": compact(tx.accepted_at),
        "DebitAccountType": UTILITY,
        "DebitPartyCharges": charges_text(tx) if tx.succeeded else None,
        "TransactionReason": None,
        "ReasonType": "Business Payment to Customer via API",
        "TransactionStatus": word,
        "FinalisedTime": compact(tx.settled_at or 0) if settled else None,
        "Amount": tx.amount,
        "Conversation ID": tx.conversation,
        "ReceiptNo": tx.receipt if tx.succeeded and word != PENDING else None,
    }


def charges_text(tx: Transaction) -> str:
    return f"Fee For B2C Payment|KES|{fee_for(tx.amount)}"


def balance_value(book: Book) -> str:
    names = (WORKING, "Float Account", UTILITY, CHARGES, "Organization Settlement Account")
    rows = []
    for name in names:
        amount = cents(book.balances.get(name, Decimal(0)))
        rows.append(f"{name}|KES|{amount}|{amount}|0.00|0.00")
    return "&".join(rows)
