"""Every code of Daraja that we know, and its class. A code that stands nowhere here is ``UNKNOWN``."""

from payments.gateways.outcome import OutcomeClass

ACCEPTED = OutcomeClass.ACCEPTED
SUCCEEDED = OutcomeClass.SUCCEEDED
FAILED_FINAL = OutcomeClass.FAILED_FINAL
RETRYABLE = OutcomeClass.RETRYABLE
UNKNOWN = OutcomeClass.UNKNOWN
CONFIG = OutcomeClass.CONFIG

# ResultCode of a B2C result: class and what it says.
B2C_RESULTS: dict[str, tuple[OutcomeClass, str]] = {
    "0": (SUCCEEDED, "paid"),
    "1": (FAILED_FINAL, "the Utility account is short of funds"),
    "2": (FAILED_FINAL, "less than the smallest amount"),
    "3": (FAILED_FINAL, "more than the largest amount"),
    "4": (FAILED_FINAL, "beyond the daily limit"),
    "8": (FAILED_FINAL, "beyond the largest balance of the recipient"),
    "11": (CONFIG, "our account may not pay"),
    "15": (UNKNOWN, "the gateway has seen this reference before"),
    "17": (UNKNOWN, "internal failure"),
    "18": (CONFIG, "the initiator's credentials are wrong"),
    "19": (UNKNOWN, "messages out of sequence"),
    "20": (CONFIG, "the initiator is not known"),
    "21": (CONFIG, "the initiator has no permission for the receiving side"),
    "22": (CONFIG, "the initiator has no permission for the paying side"),
    "24": (FAILED_FINAL, "a field is missing"),
    "25": (FAILED_FINAL, "the request is not valid"),
    "26": (UNKNOWN, "traffic is blocked"),
    "29": (FAILED_FINAL, "the command is not valid"),
    "2001": (CONFIG, "the initiator's password or certificate is wrong"),
    "2006": (CONFIG, "our account is not active"),
    "2028": (CONFIG, "our product does not allow this"),
    "2040": (FAILED_FINAL, "the recipient is not registered"),
    "8006": (CONFIG, "the initiator is locked"),
    "100000000": (ACCEPTED, "kept by the gateway, to be sent again"),
    "SFC_IC0003": (FAILED_FINAL, "the recipient's number is wrong"),
}

# Definite refusals whose cause passes by itself or by a hand elsewhere: seconds until it may have. Another
# number, amount or credential is never needed for these.
PASSES_AFTER_S: dict[str, int] = {
    "1": 60 * 60,  # somebody fills the Utility account
    "4": 24 * 60 * 60,  # another day begins
    "8": 6 * 60 * 60,  # the recipient spends some of it
}

# The immediate reply (ResponseCode) says "busy" before anything was taken: the same id may go again.
BUSY_REPLIES: dict[str, tuple[OutcomeClass, str]] = {
    "26": (RETRYABLE, "traffic is blocked"),
    **{
        str(code): (RETRYABLE, "the gateway is overloaded")
        for code in range(100_000_001, 100_000_100)
    },
}
B2C_REPLIES: dict[str, tuple[OutcomeClass, str]] = {
    **B2C_RESULTS,
    **BUSY_REPLIES,
    "0": (ACCEPTED, "accepted"),
}

# errorCode of an immediate error.
ERRORS: dict[str, OutcomeClass] = {
    "400.002.02": FAILED_FINAL,
    "400.002.05": FAILED_FINAL,
    "400.003.02": FAILED_FINAL,
    "400.008.01": CONFIG,
    "400.008.02": CONFIG,
    "404.001.01": CONFIG,
    "404.001.04": CONFIG,
    "404.002.01": CONFIG,
    "404.003.01": CONFIG,
    "405.001": CONFIG,
    "500.002.1001": UNKNOWN,  # the reference was received before: ask what became of it
    "500.003.1001": UNKNOWN,
    "500.003.02": RETRYABLE,
    "500.003.03": RETRYABLE,
    "00.002.1001": RETRYABLE,
}
# The token is missing, expired or was replaced: refresh it once and send the same id again.
TOKEN_ERRORS = frozenset({"404.001.03", "401.002.01", "400.003.01"})
DUPLICATE_ERROR = "500.002.1001"

# One code for many things; the message tells them apart: phrase, class, seconds to wait.
AMBIGUOUS_ERROR = "500.001.1001"
AMBIGUOUS_PAYMENT: tuple[tuple[str, OutcomeClass, int | None], ...] = (
    ("unable to lock subscriber", RETRYABLE, 60),
)
AMBIGUOUS_ENQUIRY: tuple[tuple[str, OutcomeClass, int | None], ...] = (
    ("unable to lock subscriber", RETRYABLE, 60),
    ("wrong credentials", CONFIG, None),
    ("merchant does not exist", CONFIG, None),
    ("being processed", ACCEPTED, None),
)

# ResultCode of a transaction status result: "0" only means that the query worked.
STATUS_RESULTS: dict[str, OutcomeClass] = {
    "11": CONFIG,
    "18": CONFIG,
    "20": CONFIG,
    "21": CONFIG,
    "22": CONFIG,
    "2001": CONFIG,
    "2006": CONFIG,
    "2028": CONFIG,
    "8006": CONFIG,
}
NOT_FOUND_RESULTS = frozenset({"R000002"})
NOT_FOUND_PHRASES = ("not found", "does not exist", "no record", "not exist")

# TransactionStatus, in lower case: this is what became of the payment.
STATUS_WORDS: dict[str, OutcomeClass] = {
    "completed": SUCCEEDED,
    "failed": FAILED_FINAL,
    "declined": FAILED_FINAL,
    "cancelled": FAILED_FINAL,
    "canceled": FAILED_FINAL,
    "pending": ACCEPTED,
    "initiated": ACCEPTED,
    "submitted": ACCEPTED,
    "processing": ACCEPTED,
    "in progress": ACCEPTED,
}
