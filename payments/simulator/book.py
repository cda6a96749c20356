"""The simulator's own double-entry book: every movement leaves one account and enters another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

UTILITY = "Utility Account"
WORKING = "Working Account"
CHARGES = "Charges Paid Account"
# The two ends of the world: where the float came from and where the fees go.
OUTSIDE = "Outside"
FEES = "Fees"

OPENING_BALANCES = {UTILITY: Decimal("50000000.00"), WORKING: Decimal("700000.00")}

# Safaricom's tariff for payments to customers: up to this amount costs this fee (KES).
TARIFF = (
    (100, Decimal("0.00")),
    (1_500, Decimal("5.00")),
    (5_000, Decimal("9.00")),
    (20_000, Decimal("11.00")),
    (250_000, Decimal("13.00")),
)


def fee_for(amount: int) -> Decimal:
    return next(fee for limit, fee in TARIFF if amount <= limit)


def wallet(msisdn: str) -> str:
    return f"Wallet {msisdn}"


@dataclass(frozen=True)
class Movement:
    reference: str
    source: str
    target: str
    amount: Decimal


class Book:
    """Balances are kept by `move` alone, so they always sum to zero."""

    def __init__(self) -> None:
        self.balances: dict[str, Decimal] = defaultdict(lambda: Decimal("0.00"))
        self.movements: dict[str, Movement] = {}

    def open(self, balances: dict[str, Decimal]) -> None:
        for account, amount in balances.items():
            self.move(f"opening {account}", OUTSIDE, account, amount)

    def move(self, reference: str, source: str, target: str, amount: Decimal) -> None:
        """Move once per reference; saying it again changes nothing."""
        if reference in self.movements or amount == 0:
            return
        self.movements[reference] = Movement(reference, source, target, amount)
        self.balances[source] -= amount
        self.balances[target] += amount

    def pay(self, reference: str, msisdn: str, amount: int) -> None:
        """Pay a wallet out of Utility; the fee goes to the Charges account, which may be short."""
        self.move(reference, UTILITY, wallet(msisdn), Decimal(amount))
        self.move(f"fee {reference}", CHARGES, FEES, fee_for(amount))

    def take_back(self, reference: str, msisdn: str, amount: int) -> None:
        self.move(f"reversal {reference}", wallet(msisdn), UTILITY, Decimal(amount))

    def total(self) -> Decimal:
        return sum(self.balances.values(), Decimal("0.00"))
