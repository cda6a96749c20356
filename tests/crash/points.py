"""Where a worker is killed: named steps of a payment's way from the reservation to the acknowledgement.

A point wraps a function of the product, in the child process only, so that the process kills itself
before it, after it, or after the commit of what it did. "Uncommitted" points die inside a transaction,
the others between two.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True)
class Point:
    """A function (module and name), on which side of it to die, and at which of its calls.

    ``operation`` counts only calls to the gateway of this kind. ``needs`` says which faults lead there:
    all of them, those that end in success or failure, or those after which it is sent a second time.
    """

    module: str
    name: str
    side: str = "before"
    operation: str = ""
    call: int = 1
    needs: str = ""


# What every COMMIT of Django goes through.
COMMIT = "_commit"
EXECUTION = "treasury.services.execution"
DISPATCHING = "treasury.services.dispatching"
ENQUIRIES = "treasury.services.enquiries"
OUTCOMES = "treasury.services.outcomes"
HTTP = "payments.gateways.http"

POINTS = {
    "money held, uncommitted": Point("ledger.services.posting", "hold", "after"),
    "reserved, nobody told": Point(EXECUTION, "wake"),
    "claimed by the worker": Point(DISPATCHING, "_call"),
    "token about to be fetched": Point(HTTP, "_perform", operation="oauth"),
    "token fetched, not kept": Point("payments.gateways.tokens", "_keep"),
    "request logged, not sent": Point(HTTP, "_perform", operation="b2c"),
    "answered, answer not logged": Point(HTTP, "_log_response", operation="b2c"),
    "answer logged, not recorded": Point(DISPATCHING, "record_reply"),
    "answer recorded": Point(DISPATCHING, "record_reply", "after"),
    "enquiry begun": Point(ENQUIRIES, "_begin_enquiry", "after"),
    "enquiry logged, not sent": Point(HTTP, "_perform", operation="status"),
    "enquiry sent, reply not logged": Point(HTTP, "_log_response", operation="status"),
    "enquiry sent, reply not recorded": Point(ENQUIRIES, "_record_asked"),
    "answer stored, not applied": Point(ENQUIRIES, "apply_answer"),
    "answer judged, uncommitted": Point(ENQUIRIES, "_judge", "after", needs="judged"),
    "posted, uncommitted": Point(
        "treasury.services.settlement", "_settle_told", "after", needs="success"
    ),
    "settled, uncommitted": Point(OUTCOMES, "settle", "after", needs="success"),
    "released, uncommitted": Point(OUTCOMES, "release", "after", needs="failed"),
    "doubted, uncommitted": Point(OUTCOMES, "doubt", "after", needs="doubt"),
    "sent again, uncommitted": Point(OUTCOMES, "send_again", "after", needs="again"),
    "request logged the second time": Point(
        HTTP, "_perform", operation="b2c", call=2, needs="again"
    ),
    "answered the second time": Point(
        HTTP, "_log_response", operation="b2c", call=2, needs="again"
    ),
    "settled, not acknowledged": Point(OUTCOMES, "settle", "commit", needs="success"),
    "released, not acknowledged": Point(OUTCOMES, "release", "commit", needs="failed"),
}
# The web process dies between storing a callback and telling a worker: the message is never sent.
CALLBACK_STORED = "callback stored, nobody told"


def arm(point: Point, *, passed: int, say_passed: Callable[[], None]) -> None:
    """Make this process die at the point; ``passed`` is how often earlier processes came past it."""
    module = import_module(point.module)
    wrapped = getattr(module, point.name)
    left = point.call - passed

    @wraps(wrapped)
    def trap(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if not _concerns(point, args):
            return wrapped(*args, **kwargs)
        left -= 1
        if left > 0:
            say_passed()
            return wrapped(*args, **kwargs)
        if point.side == "before":
            die()
        result = wrapped(*args, **kwargs)
        if point.side == "after":
            die()
        transaction.on_commit(die)
        return result

    setattr(module, point.name, trap)


def _concerns(point: Point, args: tuple[Any, ...]) -> bool:
    operations = [argument.operation for argument in args if hasattr(argument, "operation")]
    return not point.operation or point.operation in operations


def arm_commit(number: int, side: str, *, passed: int, say_passed: Callable[[], None]) -> None:
    """Make this process die right before or right after the ``number``-th COMMIT of the payment's life."""
    commit: Callable[[], None] = getattr(connection, COMMIT)
    left = number - passed

    def trap() -> None:
        nonlocal left
        left -= 1
        if left == 0 and side == "before":
            die()
        commit()
        if left == 0:
            die()
        say_passed()

    setattr(connection, COMMIT, trap)


def arm_statement(number: int) -> None:
    """Make this process die right before the ``number``-th statement that Django sends."""
    left = number

    def trap(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            die()
        return execute(*args)

    connection.execute_wrappers.append(trap)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
