"""Sending results to the caller's URLs: once, or as badly as a test asks for."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payments.simulator import results
from payments.simulator.wire import encode_json, post
from payments.simulator.world import Transaction, World

Body = dict[str, Any]
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Delivery:
    url: str
    body: Body


@dataclass(frozen=True)
class Answer:
    """What a callback is about: its true body, its two URLs, and how to lie about it.

    `other` gives the body with the opposite end, `lie` a success that is not (another receipt).
    """

    key: str
    body: Body
    result_url: str
    timeout_url: str
    success: Callable[[], Body]
    failure: Callable[[], Body]
    lie: Callable[[], Body]


async def deliver(world: World, key: str, delivery: Delivery) -> None:
    """POST once; Daraja logs a receiver that is down and forgets the message, so do we."""
    status, problem = 0, ""
    try:
        status = await post(delivery.url, encode_json(delivery.body).encode(), TIMEOUT_S)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as failure:
        problem = type(failure).__name__
    world.note(
        operation="callback",
        key=key,
        url=delivery.url,
        status=status,
        problem=problem,
        body=delivery.body,
    )


async def deliver_all(world: World, answer: Answer, mode: str, options: dict[str, Any]) -> None:
    for delivery in deliveries(answer, mode, options):
        await deliver(world, answer.key, delivery)


def deliveries(answer: Answer, mode: str, options: dict[str, Any]) -> list[Delivery]:
    """What is sent for this mode, in order."""
    true = Delivery(answer.result_url, answer.body)
    notice = Delivery(answer.timeout_url, _notice_for(answer.body))
    if mode in {"once", "late", "before_reply"}:
        return [true]
    if mode in {"twice", "repeat"}:
        times = 2 if mode == "twice" else int(options.get("times", 3))
        return [true] * times
    special: dict[str, Callable[[], list[Delivery]]] = {
        "none": list,
        "queue_timeout": lambda: [notice],
        "out_of_order": lambda: [true, notice],
        "contradictory_result": lambda: [
            Delivery(answer.result_url, answer.success()),
            Delivery(answer.result_url, answer.failure()),
        ],
        "claims_success": lambda: [Delivery(answer.result_url, answer.success())],
        "forged": lambda: [Delivery(_forged(answer.result_url), answer.lie())],
    }
    if mode in special:
        return special[mode]()
    return [Delivery(answer.result_url, SPOILT[mode](copy.deepcopy(answer.body)))]


def _notice_for(body: Body) -> Body:
    result = body["Result"]
    return results.timeout_notice(result["OriginatorConversationID"], result["ConversationID"])


def _forged(url: str) -> str:
    """The same address with another token in its last segment."""
    head, _, token = url.rstrip("/").rpartition("/")
    wrong = token[::-1] if token[::-1] != token else token + "x"
    return f"{head}/{wrong}/" if url.endswith("/") else f"{head}/{wrong}"


def _values(body: Body) -> list[Body]:
    items: list[Body] = body["Result"].get("ResultParameters", {}).get("ResultParameter", [])
    return items


def _contradict_amount(body: Body) -> Body:
    for item in _values(body):
        if item["Key"] in {"TransactionAmount", "Amount"}:
            item["Value"] += 1
    return body


def _unknown_id(body: Body) -> Body:
    body["Result"] |= {
        "OriginatorConversationID": "11111-22222222-3",
        "ConversationID": "AG_20200101_00000000000000000000",
    }
    return body


def _missing_fields(body: Body) -> Body:
    for name in ("TransactionID", "ConversationID", "ResultType", "ReferenceData"):
        body["Result"].pop(name, None)
    for item in _values(body):
        item.pop("Value", None)
    return body


def _extra_fields(body: Body) -> Body:
    body["Result"]["ResultNote"] = {"Seen": [1, 2, None]}
    body["Envelope"] = "2.0"
    _values(body).append({"Key": "LoyaltyPoints", "Value": 7, "Unit": "points"})
    return body


def _wrong_types(body: Body) -> Body:
    """Strings for numbers, numbers for strings, a list for the one reference item."""
    result = body["Result"]
    result["ResultCode"] = str(result["ResultCode"])
    result["ResultType"] = str(result["ResultType"])
    result["ReferenceData"]["ReferenceItem"] = [result["ReferenceData"]["ReferenceItem"]]
    for item in _values(body):
        if item["Key"] in {"TransactionAmount", "Amount"}:
            item["Value"] = f"{item['Value']}.00"
        elif "Value" in item and isinstance(item["Value"], int):
            item["Value"] = str(item["Value"])
    return body


SPOILT: dict[str, Callable[[Body], Body]] = {
    "contradictory_amount": _contradict_amount,
    "unknown_id": _unknown_id,
    "missing_fields": _missing_fields,
    "extra_fields": _extra_fields,
    "wrong_types": _wrong_types,
}


def payment_answer(world: World, tx: Transaction) -> Answer:
    return Answer(
        key=tx.originator,
        body=results.b2c_result(world, tx),
        result_url=tx.result_url,
        timeout_url=tx.timeout_url,
        success=lambda: results.paid_result(world, tx),
        failure=lambda: results.refused_result(tx, 4),
        lie=lambda: results.paid_result(world, tx, receipt=world.receipt_for("lie" + tx.receipt)),
    )
