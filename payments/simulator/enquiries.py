"""Transaction status and account balance: what was asked, and the answer sent later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payments.simulator import results
from payments.simulator.callbacks import Answer
from payments.simulator.clock import compact
from payments.simulator.world import PENDING, Transaction, World

Body = dict[str, Any]


@dataclass(frozen=True)
class Enquiry:
    """An accepted question with the ids the gateway gave it. `refused` is a result code or 0."""

    originator: str
    conversation: str
    subject: str
    result_url: str
    timeout_url: str
    occasion: str
    mode: str
    seconds: float
    refused: int


def answer_status(world: World, enquiry: Enquiry) -> Answer:
    tx = world.find(enquiry.subject)
    body = status_body(world, enquiry, tx, enquiry.mode)
    return Answer(
        key=enquiry.subject,
        body=body,
        result_url=enquiry.result_url,
        timeout_url=enquiry.timeout_url,
        success=lambda: claimed(world, enquiry, tx, "Completed"),
        failure=lambda: claimed(world, enquiry, tx, "Failed"),
        lie=lambda: claimed(world, enquiry, tx, "Completed"),
    )


def status_body(world: World, enquiry: Enquiry, tx: Transaction | None, mode: str) -> Body:
    if enquiry.refused:
        return _envelope(enquiry, enquiry.refused)
    if tx is None or is_hidden(world, enquiry, tx, mode):
        return _envelope(enquiry, "R000002")
    word = {"pending": PENDING, "unknown_word": "Held"}.get(mode, tx.status)
    return _envelope(enquiry, 0, results.status_values(world, tx, word))


def is_hidden(world: World, enquiry: Enquiry, tx: Transaction, mode: str) -> bool:
    """Accepted, but the enquiry does not find it yet."""
    return mode == "not_found" and world.clock.now() - tx.accepted_at < enquiry.seconds


def claimed(world: World, enquiry: Enquiry, tx: Transaction | None, word: str) -> Body:
    """An answer with this status word, whatever the truth is."""
    if tx is None:
        return _envelope(enquiry, "R000002")
    values = results.status_values(world, tx, word)
    values["ReceiptNo"] = world.receipt_for("lie" + tx.receipt) if word == "Completed" else None
    return _envelope(enquiry, 0, values)


def answer_balance(world: World, enquiry: Enquiry) -> Answer:
    values = {
        "AccountBalance": results.balance_value(world.book),
        "BOCompletedTime": compact(world.clock.now()),
    }
    body = _envelope(enquiry, enquiry.refused, None if enquiry.refused else values)
    return Answer(
        key=enquiry.conversation,
        body=body,
        result_url=enquiry.result_url,
        timeout_url=enquiry.timeout_url,
        success=lambda: body,
        failure=lambda: _envelope(enquiry, 2001),
        lie=lambda: body,
    )


def _envelope(enquiry: Enquiry, code: int | str, values: dict[str, Any] | None = None) -> Body:
    occasion = {"Key": "Occasion", "Value": enquiry.occasion} if enquiry.occasion else None
    return results.envelope(
        code,
        enquiry.originator,
        enquiry.conversation,
        # An enquiry moves no money and has no receipt of its own, even when it worked.
        "SG60000000",
        values=values,
        reference=occasion,
    )
