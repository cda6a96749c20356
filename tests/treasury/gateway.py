"""A gateway that answers what a test says, in place of the calls themselves."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ledger.actor import Actor
from payments.gateways.outcome import Outcome, OutcomeClass
from tests.treasury.factories import today
from treasury.models import Enquiry, PaymentAttempt
from treasury.services.callbacks import record_callback
from treasury.services.enquiries import apply_answer

SYSTEM = Actor.system("tests")


def outcome(found: str, code: str = "0", message: str = "as the test says", **more: Any) -> Outcome:
    return Outcome(OutcomeClass(found), code, message, **more)


@dataclass
class Gateway:
    """What the next calls answer, and what was asked of it."""

    replies: list[Outcome] = field(default_factory=list)
    acknowledgements: list[Outcome] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    while_asked: Callable[[], None] | None = None

    def send_b2c(self, **call: Any) -> Outcome:
        self.sent.append(call)
        return self.replies.pop(0) if self.replies else outcome("accepted", conversation_id="AG_1")

    def query_status(self, **call: Any) -> Outcome:
        self.asked.append(call)
        if self.while_asked:
            self.while_asked()
        if self.acknowledgements:
            return self.acknowledgements.pop(0)
        return outcome("accepted", conversation_id=f"AG_Q{len(self.asked)}")

    def answer(self, attempt: PaymentAttempt, status: str = "Completed", **changes: Any) -> None:
        """Post the answer to the last question to its one-use address, and have it acted on."""
        self.post_answer(attempt, status, **changes)
        enquiry = Enquiry.objects.filter(attempt=attempt).latest("sent_at")
        apply_answer(actor=SYSTEM, enquiry_id=enquiry.pk, today=today)

    def post_answer(
        self, attempt: PaymentAttempt, status: str = "Completed", **changes: Any
    ) -> None:
        body = changes.pop("body", None) or status_answer(
            attempt, status, **({"conversation": f"AG_Q{len(self.asked)}"} | changes)
        )
        token = self.asked[-1]["result_url"].rstrip("/").rpartition("/")[2]
        record_callback(actor=SYSTEM, attempt_id=attempt.pk, token=token, body=body)


def status_answer(
    attempt: PaymentAttempt,
    status: str,
    *,
    conversation: str,
    reference: str | None = None,
    amount: Decimal | None = None,
    receipt: str = "SG632NMUAB",
) -> bytes:
    """The answer to a transaction status query."""
    parameters = {
        "ReceiptNo": receipt,
        "TransactionStatus": status,
        "Amount": str(attempt.amount if amount is None else amount),
        "OriginatorConversationID": str(attempt.reference) if reference is None else reference,
    }
    return _result("0", "Done", conversation, parameters)


def not_found(conversation: str) -> bytes:
    return _result("R000002", "The transaction was not found.", conversation, {})


def payment_result(attempt: PaymentAttempt, code: str, description: str) -> bytes:
    """The result of a payment, as it comes to the attempt's own address."""
    return _result(code, description, "AG_1", {}, reference=str(attempt.reference))


def _result(
    code: str,
    description: str,
    conversation: str,
    parameters: dict[str, str],
    reference: str = "ours",
) -> bytes:
    items = [{"Key": key, "Value": value} for key, value in parameters.items()]
    return json.dumps(
        {
            "Result": {
                "ResultType": 0,
                "ResultCode": code,
                "ResultDesc": description,
                "OriginatorConversationID": reference,
                "ConversationID": conversation,
                "TransactionID": "SG632NMUAB",
                "ResultParameters": {"ResultParameter": items},
            }
        }
    ).encode()
