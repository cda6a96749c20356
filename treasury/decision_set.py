"""A set of requests that one code is for: what it consists of, and its digests. Pure: no ORM.

The code is bound to everything that an approver sees and agrees to, and to him; the order in which he ticked
does not count. Only keyed digests are kept.
"""

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import astuple, dataclass
from decimal import Decimal
from uuid import UUID

from ledger.money import Money, format_amount


@dataclass(frozen=True, slots=True)
class Member:
    """One request of the set, as it is now; ``destination`` is the keyed hash of where the money goes."""

    kind: str
    subject_id: UUID
    version: int
    amount: Decimal
    currency: str
    payee: str
    destination: str

    def canonical(self) -> list[str]:
        """Every field as text, in a fixed order."""
        fields = [str(value) for value in astuple(self)]
        fields[3] = format_amount(self.amount, self.currency)
        return fields


def totals(members: Collection[Member]) -> list[Money]:
    """Return the sum of the set in each of its currencies, which are never mixed."""
    sums: dict[str, Decimal] = {}
    for member in members:
        sums[member.currency] = sums.get(member.currency, Decimal(0)) + member.amount
    return [Money(sums[currency], currency) for currency in sorted(sums)]


def set_digest(*, key: bytes, user_id: UUID, members: Collection[Member]) -> str:
    """Return the keyed digest (hex) of exactly this set for exactly this person."""
    return _seal(key, ["set", str(user_id), _canonical(members)])


def code_digest(
    *, key: bytes, code_id: UUID, user_id: UUID, members: Collection[Member], otp: str
) -> str:
    """Return the keyed digest (hex) of a code and of all it is bound to, its own id included."""
    return _seal(key, ["set code", str(code_id), str(user_id), _canonical(members), otp])


def _canonical(members: Collection[Member]) -> list[list[str]]:
    return sorted(member.canonical() for member in members)


def _seal(key: bytes, fields: list[object]) -> str:
    # A JSON array, never a concatenation: no two lists of fields have one text.
    return hmac.new(key, json.dumps(["v1", *fields]).encode(), hashlib.sha256).hexdigest()
