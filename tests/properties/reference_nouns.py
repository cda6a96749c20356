"""What the model of treasury keeps, in plain Python: what was asked for, paid, sent and varied."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


@dataclass
class Code:
    """A code that was sent: to whom, and what became of it."""

    executor: str
    tries: int = 0
    verified: bool = False


@dataclass
class Attempt:
    """One try at the gateway; ``sent`` while nothing waits to go out."""

    executor: str
    state: str = "sending"
    sent: bool = False
    accepted: bool = False
    doubted: bool = False
    calls: int = 0
    late: bool = False


@dataclass
class Requisition:
    """What was asked for, and who has agreed to its present version, in which role."""

    amount: Decimal
    method: str
    requester: str
    status: str = "submitted"
    approvals: dict[str, str] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)

    @property
    def committed(self) -> Decimal:
        return sum((p.amount for p in self.payments if p.status != "cancelled"), ZERO)


@dataclass
class Payment:
    """Money on its way out; ``booked`` is what the books say that the payee has."""

    requisition: Requisition
    amount: Decimal
    status: str = "pending"
    executor: str = ""
    code_required: bool = False
    code: Code | None = None
    codes_sent: int = 0
    retries: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    proposal: tuple[str, str] | None = None
    variances: list[Variance] = field(default_factory=list)
    booked: Decimal = ZERO

    @property
    def is_late(self) -> bool:
        return any(attempt.late for attempt in self.attempts)


@dataclass
class Variance:
    """What the payee really got, as somebody recorded it."""

    payment: Payment
    original: Decimal
    adjusted: Decimal
    recorder: str
    status: str = "pending"


@dataclass
class Replenishment:
    """Money that a fund asks for; ``requester`` is empty where it asked by itself."""

    amount: Decimal
    requester: str = ""
    approver: str = ""
    status: str = "pending"
