"""All the simulator knows. Every change is an event: written to the journal, then applied.

A restart replays the events through the same `apply`, so the state after kill -9 is the state
before it: `Transaction`s, the book, the clock's offset and the seed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from payments.simulator.book import OPENING_BALANCES, UTILITY, Book
from payments.simulator.clock import Agenda, Clock, iso, yyyymmdd
from payments.simulator.faults import Faults
from payments.simulator.identity import Vault
from payments.simulator.journal import Event, Journal
from payments.simulator.tokens import Tokens

LOG_LIMIT = 20_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PENDING, COMPLETED = "Pending", "Completed"


@dataclass
class Plan:
    """What will become of a transaction, fixed when it is accepted."""

    result: int | str = 0
    settles_after_s: float | None = 0.0
    refused_as: str = "Failed"
    reversed_after_s: float | None = None
    callback: str = "once"
    callback_after_s: float = 1.0
    callback_options: dict[str, Any] = field(default_factory=dict)
    enquiry: str = "right"


@dataclass
class Transaction:
    """One accepted payment to a customer. `originator` is the caller's own id of it."""

    originator: str
    conversation: str
    receipt: str
    amount: int
    msisdn: str
    result_url: str
    timeout_url: str
    occasion: str
    command: str
    accepted_at: float
    plan: Plan
    status: str = PENDING
    result_code: int | str | None = None
    settled_at: float | None = None
    called_back: bool = False
    reversed: bool = False

    @property
    def is_settled(self) -> bool:
        return self.status != PENDING

    @property
    def succeeded(self) -> bool:
        return self.status == COMPLETED


class World:
    """The simulator's state. `record` is the only way to change what must survive a crash."""

    def __init__(self, home: Path, *, seed: int, callback_delay_s: float) -> None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.vault = Vault(home)
        self.clock = Clock()
        self.agenda = Agenda(self.clock)
        self.faults = Faults()
        self.tokens = Tokens(self.clock)
        self.callback_delay_s = callback_delay_s
        self._defaults = (seed, callback_delay_s)
        self._forget(seed, OPENING_BALANCES)
        self._journal = Journal(home / "journal.jsonl")
        for event in self._journal.events():
            self.apply(event)

    def _forget(self, seed: int, balances: dict[str, Decimal]) -> None:
        self.seed = seed
        self.book = Book()
        self.book.open(balances)
        self.transactions: dict[str, Transaction] = {}
        self.conversations: dict[str, str] = {}
        self.received: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LIMIT)
        self.refused_credentials = 0
        self.deduplicates = True
        self._numbers = 0

    def reset(self, seed: int | None, balances: dict[str, Decimal]) -> None:
        """Start over: an empty book with these balances, the real clock, no faults, no tokens."""
        self.agenda.clear()
        self.faults.clear()
        self.tokens.forget()
        self._journal.clear()
        self.callback_delay_s = self._defaults[1]
        opening = {name: str(amount) for name, amount in (OPENING_BALANCES | balances).items()}
        chosen = self._defaults[0] if seed is None else seed
        self.record({"event": "reset", "seed": chosen, "balances": opening})

    def record(self, event: Event) -> None:
        self._journal.append(event)
        self.apply(event)

    async def sync(self) -> None:
        await self._journal.sync()

    def apply(self, event: Event) -> None:
        getattr(self, f"_apply_{event['event']}")(event)

    def _apply_reset(self, event: Event) -> None:
        self.clock.offset_s = 0.0
        self._forget(event["seed"], {k: Decimal(v) for k, v in event["balances"].items()})

    def _apply_seeded(self, event: Event) -> None:
        self.seed = event["seed"]

    def _apply_clock(self, event: Event) -> None:
        self.clock.offset_s = event["offset_s"]

    def _apply_received(self, event: Event) -> None:
        self.received[event["key"]] += 1

    def _apply_accepted(self, event: Event) -> None:
        fields = dict(event["transaction"])
        transaction = Transaction(**{**fields, "plan": Plan(**fields["plan"])})
        self.transactions[transaction.originator] = transaction
        self.conversations[transaction.conversation] = transaction.originator
        self.conversations[transaction.receipt] = transaction.originator
        self.accepted[transaction.originator] += 1

    def _apply_settled(self, event: Event) -> None:
        transaction = self.transactions[event["originator"]]
        transaction.result_code = event["result_code"]
        transaction.status = event["status"]
        transaction.settled_at = event["at"]
        if transaction.succeeded:
            self.book.pay(transaction.originator, transaction.msisdn, transaction.amount)

    def _apply_reversed(self, event: Event) -> None:
        transaction = self.transactions[event["originator"]]
        transaction.reversed = True
        self.book.take_back(transaction.originator, transaction.msisdn, transaction.amount)

    def _apply_called_back(self, event: Event) -> None:
        self.transactions[event["originator"]].called_back = True

    def accept(self, transaction: Transaction) -> None:
        self.record({"event": "accepted", "transaction": asdict(transaction)})

    def settle(self, transaction: Transaction, result: int | str) -> None:
        """Give the transaction its end, once. A success needs the money to be in Utility."""
        if transaction.is_settled or not self.knows(transaction):
            return
        if result == 0 and self.book.balances[UTILITY] < transaction.amount:
            result = 1
        self.record(
            {
                "event": "settled",
                "originator": transaction.originator,
                "result_code": result,
                "status": COMPLETED if result == 0 else transaction.plan.refused_as,
                "at": self.clock.now(),
            }
        )

    def knows(self, transaction: Transaction) -> bool:
        """Whether it is of this book; a reset may have come while its callback was on its way."""
        return self.transactions.get(transaction.originator) is transaction

    def find(self, key: str) -> Transaction | None:
        """By the caller's id, our conversation id or the receipt."""
        return self.transactions.get(self.conversations.get(key, key))

    def note(self, **entry: Any) -> None:
        """Keep what happened for `/_sim/log`; never a credential."""
        self.log.append({"at": iso(self.clock.now()), **entry})

    def digest(self, *parts: str) -> str:
        """Text that depends on the seed and the parts alone."""
        return hashlib.sha256("|".join((str(self.seed), *parts)).encode()).hexdigest()

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def conversation_for(self, key: str) -> str:
        return f"AG_{yyyymmdd(self.clock.now())}_{self.digest('conversation', key)[:20]}"

    def receipt_for(self, key: str) -> str:
        """Ten capital letters and digits, like SG632NMUAB; never a dummy that ends in zeros."""
        number = int(self.digest("receipt", key), 16)
        letters = []
        for _ in range(8):
            number, index = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[index])
        return "S" + "".join(letters) + "K"
