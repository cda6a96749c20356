"""One-time codes: what a code is, what it is bound to, and how long it lives. Pure: no ORM.

A code confirms one payment on top of an authenticated session (PSD2 RTS Art. 5, dynamic linking): it is
bound to everything that says where the money goes and who sends it, and any change kills it. Only keyed
digests are kept; the key is outside the database.
"""

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from ledger.money import format_amount

LIFETIME = timedelta(minutes=5)
BETWEEN_SENDS = timedelta(seconds=60)
MOST_CODES_AN_HOUR = 3
WRITTEN = re.compile(r"[0-9]{6}", re.ASCII)


class Binding(Protocol):
    """What a code is bound to, as text."""

    def canonical(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """Everything a code for a payment is bound to."""

    payment_id: UUID
    version: int
    amount: Decimal
    currency: str
    destination: str
    method: str
    executor_id: UUID

    def canonical(self) -> list[str]:
        """Every field as text, in a fixed order."""
        return [
            str(self.payment_id),
            str(self.version),
            format_amount(self.amount, self.currency),
            self.currency,
            self.destination,
            self.method,
            str(self.executor_id),
        ]


@dataclass(frozen=True, slots=True)
class BoundSet:
    """Everything a code for a batch is bound to; ``set_hash`` stands for each row's amount and payee."""

    batch_id: UUID
    set_hash: str
    count: int
    total: Decimal
    currency: str
    executor_id: UUID

    def canonical(self) -> list[str]:
        """Every field as text, in a fixed order."""
        return [
            "set",
            str(self.batch_id),
            self.set_hash,
            str(self.count),
            format_amount(self.total, self.currency),
            self.currency,
            str(self.executor_id),
        ]


def generate_otp() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**6):06d}"


def is_well_formed(otp: str) -> bool:
    """Whether this could be a code at all: six ASCII digits."""
    return WRITTEN.fullmatch(otp) is not None


def digest(*, key: bytes, code_id: UUID, bound: Binding, otp: str) -> str:
    """Return the keyed digest (hex) of a code and everything it is bound to, its own id included."""
    return _seal(key, ["code", str(code_id), *bound.canonical(), otp])


def bound_digest(*, key: bytes, bound: Binding) -> str:
    """Return the keyed digest (hex) of what a code is bound to, without the code."""
    return _seal(key, ["bound", *bound.canonical()])


def matches(expected: str, given: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def is_expired(*, sent_at: datetime, now: datetime) -> bool:
    """Whether a code sent at ``sent_at`` is over at ``now``; both by the database's clock."""
    return now >= sent_at + LIFETIME


def _seal(key: bytes, fields: list[str]) -> str:
    # A JSON array, never a concatenation: no two lists of fields have one text.
    return hmac.new(key, json.dumps(["v1", *fields]).encode(), hashlib.sha256).hexdigest()
