"""Every status and reason of a payment status report, and what it means for the money. Pure.

Statuses are ISO 20022's ExternalPaymentTransactionStatus, reasons its ExternalStatusReason. A status that
is in no table is ``UNKNOWN``; a rejection is definite whatever its reason, except the reasons named here.
"""

from collections.abc import Collection

from payments.gateways.outcome import OutcomeClass

PARTLY = frozenset({"PART", "PATC"})
STATUSES: dict[str, tuple[OutcomeClass, str]] = {
    "RCVD": (OutcomeClass.ACCEPTED, "received"),
    "PDNG": (OutcomeClass.ACCEPTED, "pending"),
    "ACTC": (OutcomeClass.ACCEPTED, "technically valid"),
    "ACCP": (OutcomeClass.ACCEPTED, "customer profile accepted"),
    "ACSP": (OutcomeClass.ACCEPTED, "settlement in process"),
    "ACWC": (OutcomeClass.ACCEPTED, "accepted with a change"),
    "ACSC": (OutcomeClass.SUCCEEDED, "settled"),
    "ACCC": (OutcomeClass.SUCCEEDED, "credited to the payee"),
    "RJCT": (OutcomeClass.FAILED_FINAL, "rejected"),
    "CANC": (OutcomeClass.FAILED_FINAL, "cancelled"),
}
REASONS: dict[str, tuple[OutcomeClass, str]] = {
    "AC01": (OutcomeClass.FAILED_FINAL, "account number wrong"),
    "AC04": (OutcomeClass.FAILED_FINAL, "account closed"),
    "AC06": (OutcomeClass.FAILED_FINAL, "account blocked"),
    "AG01": (OutcomeClass.FAILED_FINAL, "transaction forbidden"),
    "AM02": (OutcomeClass.FAILED_FINAL, "amount not allowed"),
    "AM03": (OutcomeClass.FAILED_FINAL, "currency not allowed"),
    "AM04": (OutcomeClass.FAILED_FINAL, "our account has too little"),
    "AM05": (OutcomeClass.UNKNOWN, "duplicate: the first may have been paid"),
    "BE04": (OutcomeClass.FAILED_FINAL, "payee's address missing"),
    "BE05": (OutcomeClass.FAILED_FINAL, "party not recognised"),
    "DT01": (OutcomeClass.FAILED_FINAL, "date wrong"),
    "DU01": (OutcomeClass.UNKNOWN, "message id used before: the first may have been paid"),
    "DU02": (OutcomeClass.UNKNOWN, "block used before: the first may have been paid"),
    "DU03": (OutcomeClass.UNKNOWN, "transactions used before: the first may have been paid"),
    "DU04": (OutcomeClass.UNKNOWN, "end-to-end id used before: the first may have been paid"),
    "DU05": (OutcomeClass.UNKNOWN, "instruction id used before: the first may have been paid"),
    "FF01": (OutcomeClass.CONFIG, "our file is not as the bank wants it"),
    "MD07": (OutcomeClass.FAILED_FINAL, "payee has died"),
    "MS03": (OutcomeClass.FAILED_FINAL, "no reason given"),
    "NARR": (OutcomeClass.FAILED_FINAL, "see the text"),
    "RC01": (OutcomeClass.FAILED_FINAL, "bank not recognised"),
    "RR01": (OutcomeClass.FAILED_FINAL, "regulatory reason"),
    "RR02": (OutcomeClass.FAILED_FINAL, "regulatory reason"),
    "RR03": (OutcomeClass.FAILED_FINAL, "regulatory reason"),
    "RR04": (OutcomeClass.FAILED_FINAL, "regulatory reason"),
    "TM01": (OutcomeClass.RETRYABLE, "after the cut-off; send it in a new file"),
}
OUR_FUNDS_SHORT = "AM04"
# Definite rejections whose cause may be over after so many seconds, in a new file.
PASSES_AFTER_S: dict[str, int] = {OUR_FUNDS_SHORT: 6 * 60 * 60, "TM01": 12 * 60 * 60}


def classify(status: str, reasons: Collection[str] = ()) -> OutcomeClass | None:
    """Return the class of a status with its reasons; None where it says nothing (none, or partly)."""
    if not status or status in PARTLY:
        return None
    found = STATUSES.get(status, (OutcomeClass.UNKNOWN, ""))[0]
    return _why(reasons) if found is OutcomeClass.FAILED_FINAL else found


def _why(reasons: Collection[str]) -> OutcomeClass:
    """Of several reasons the one that asks for most care decides."""
    final = OutcomeClass.FAILED_FINAL
    found = {REASONS.get(reason, (final, ""))[0] for reason in reasons}
    for grave in (OutcomeClass.UNKNOWN, OutcomeClass.CONFIG):
        if grave in found:
            return grave
    return OutcomeClass.RETRYABLE if found == {OutcomeClass.RETRYABLE} else final


def in_words(status: str, reasons: Collection[str] = ()) -> str:
    """Return what status and reasons mean, for people."""
    meanings = [STATUSES.get(status, (None, "unknown status"))[1]] if status else ["no status"]
    meanings += [REASONS[reason][1] for reason in reasons if reason in REASONS]
    return ", ".join(meanings)


def passes_after_s(reasons: Collection[str]) -> int | None:
    """Return after how many seconds the cause of a rejection may be over; None where one never is."""
    waits = [PASSES_AFTER_S.get(reason) for reason in reasons]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(waits) else None
