"""Faults that a test arms: which call, at which point, what goes wrong, how many times."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

OPERATIONS = frozenset({"oauth", "b2c", "status", "balance"})

# How a reply goes wrong; before acceptance no money moves, after it money does.
REPLY_KINDS = frozenset(
    {
        "hang",
        "close",
        "rst",
        "truncated",
        "garbage",
        "drip",
        "500",
        "502",
        "503",
        "429",
        "token_revoked",
        "reply",
    }
)
CALLBACK_KINDS = frozenset(
    {
        "none",
        "once",
        "twice",
        "repeat",
        "late",
        "before_reply",
        "out_of_order",
        "contradictory_amount",
        "contradictory_result",
        "claims_success",
        "unknown_id",
        "forged",
        "missing_fields",
        "extra_fields",
        "wrong_types",
        "queue_timeout",
    }
)
ENQUIRY_KINDS = frozenset({"right", "pending", "not_found", "unknown_word", "queue_timeout"})

KINDS = {
    "before_accept": REPLY_KINDS,
    "after_accept": REPLY_KINDS,
    "callback": CALLBACK_KINDS,
    "enquiry": ENQUIRY_KINDS,
}


@dataclass
class Fault:
    """`left` None means every call until the next reset; `key` limits it to one business key."""

    operation: str
    point: str
    kind: str
    left: int | None = 1
    key: str = ""
    options: dict[str, Any] = field(default_factory=dict)


class UnknownFault(ValueError):
    """The control plane was asked for a fault that does not exist."""


def parse_fault(body: dict[str, Any]) -> Fault:
    """`{"operation", "point", "kind", "n": 1 | null, "key"?, …options}` -> Fault.

    Raises UnknownFault, so that a misspelt fault fails the test instead of doing nothing.
    """
    options = dict(body)
    operation, point, kind = (str(options.pop(k, "")) for k in ("operation", "point", "kind"))
    left = options.pop("n", 1)
    if operation not in OPERATIONS:
        raise UnknownFault(f"operation is one of {sorted(OPERATIONS)}, not {operation!r}")
    if kind not in KINDS.get(point, ()):
        raise UnknownFault(f"no fault {kind!r} at point {point!r}")
    if point == "enquiry" and operation != "status":
        raise UnknownFault("only the operation status is an enquiry")
    if left is not None and (not isinstance(left, int) or left < 1):
        raise UnknownFault("n is a whole number of calls, or null for all of them")
    return Fault(operation, point, kind, left, str(options.pop("key", "")), options)


class Faults:
    """The armed faults, taken in the order they were armed."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def take(self, operation: str, point: str, keys: Collection[str] = ()) -> Fault | None:
        """The first fault armed for this call, counted down; None when all is well."""
        for fault in self.armed:
            if (fault.operation, fault.point) != (operation, point):
                continue
            if fault.key and fault.key not in keys:
                continue
            if fault.left is not None:
                fault.left -= 1
                if fault.left == 0:
                    self.armed.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        self.armed.clear()
