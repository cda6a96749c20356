"""What a batch stands for as one set: a digest of each row, and one hash over all. Pure: no ORM.

An approval and a code are given to the hash. Whatever says who gets how much is in it, so that a row added,
removed or exchanged, an edited payment and a changed requisition give another hash.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.money import format_amount


@dataclass(frozen=True, slots=True)
class Item:
    """One row as it is now; ``open`` says that it can still be paid.

    ``destination_index`` is the keyed hash of the destination, so that no number is decrypted for this.
    """

    row_id: UUID
    number: int
    requisition_id: UUID
    requisition_version: int
    payment_version: int
    payee_name: str
    method: str
    destination_index: str
    amount: Decimal
    currency: str
    open: bool
    scheduled_for: date | None = None

    def digest(self) -> str:
        """Return the SHA-256 (hex) of everything above."""
        return _sha256(
            [
                "row",
                str(self.row_id),
                self.number,
                str(self.requisition_id),
                self.requisition_version,
                self.payment_version,
                self.payee_name,
                self.method,
                self.destination_index,
                format_amount(self.amount, self.currency),
                self.currency,
                self.open,
                # A row without a day is named as it was before there were days.
                *([self.scheduled_for.isoformat()] if self.scheduled_for else []),
            ]
        )


def set_hash(batch_id: UUID, digests: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of a batch whose rows, in order, have these digests."""
    return _sha256(["set", str(batch_id), *digests])


def _sha256(fields: list[object]) -> str:
    # A JSON array, never a concatenation: no two lists of fields have one text.
    return hashlib.sha256(json.dumps(["v1", *fields]).encode()).hexdigest()
