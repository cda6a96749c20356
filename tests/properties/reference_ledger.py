"""The write path of the ledger a second time, in plain Python and for its clarity alone.

``ledger/sql/posting.sql`` is written to be fast; this is written to be read. It knows no database: it keeps
dictionaries, refuses what the ledger must refuse, and computes every number and every seal with the
standard library. The tests drive both with the same random input, and they must agree.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

DECIMALS = {"KES": 2, "USD": 2, "RWF": 0}
LIMIT = Decimal(10) ** 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Facts = Sequence[Any]


# --- Seals ------------------------------------------------------------------------------------------------


def canonical(value: Any) -> str:
    """A JSON value as PostgreSQL writes one that is jsonb."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(canonical(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    return json.dumps(value, ensure_ascii=False)


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def seal(key: bytes, facts: Facts) -> bytes:
    return hmac.digest(key, canonical(facts).encode(), "sha256")


def content_hash(company: str, reversal_of: str | None, lines: Sequence["Line"]) -> bytes:
    """What a reference stands for: company, lines in any order, and what is reversed."""
    ordered = sorted((line.account, line.side, line.amount, line.currency) for line in lines)
    return hashlib.sha256(canonical([company, reversal_of, ordered]).encode()).digest()


def seal_entry(key: bytes, previous: bytes, line: Any) -> bytes:
    """The seal of a ledger entry as it was read from the database, after the one with ``previous``."""
    journal = line.journal_entry
    posted_by, reversal_of = journal.posted_by_id, journal.reversal_of_id
    header = [
        str(journal.id),
        str(journal.company_id),
        journal.reference,
        journal.description,
        journal.effective_on.isoformat(),
        str(posted_by) if posted_by else None,
        str(reversal_of) if reversal_of else None,
        microseconds(journal.posted_at),
        bytes(journal.content_hash).hex(),
    ]
    facts = [
        "v1",
        previous.hex(),
        str(line.account_id),
        line.sequence,
        str(line.id),
        header,
        line.side,
    ]
    facts += [line.amount, line.currency, line.balance_after, microseconds(line.posted_at)]
    return seal(key, facts)


# --- The books --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    account: str
    side: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Posting:
    company: str
    reference: str
    on: date
    lines: tuple[Line, ...]
    reversal_of: str | None = None
    releases: str | None = None

    @property
    def content(self) -> tuple[Any, ...]:
        return self.company, self.reversal_of, sorted(self.lines, key=repr)


@dataclass(frozen=True)
class Entry:
    """A line once it is in an account."""

    sequence: int
    reference: str
    side: str
    amount: Decimal
    balance_after: Decimal
    on: date


@dataclass
class Account:
    company: str
    currency: str
    normal_side: str
    minimum: Decimal | None = None
    balance: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    entries: list[Entry] = field(default_factory=list)

    @property
    def too_low(self) -> bool:
        return self.minimum is not None and self.balance - self.held < self.minimum

    def add(self, posting: Posting, line: Line) -> None:
        sign = 1 if line.side == self.normal_side else -1
        self.balance += sign * line.amount
        number = len(self.entries) + 1
        self.entries.append(
            Entry(number, posting.reference, line.side, line.amount, self.balance, posting.on)
        )

    def totals(self) -> dict[date, tuple[Decimal, Decimal]]:
        """Debits and credits by date."""
        found: dict[date, tuple[Decimal, Decimal]] = {}
        for entry in self.entries:
            debit, credit = found.get(entry.on, (Decimal(0), Decimal(0)))
            more = entry.amount
            debit, credit = (
                (debit + more, credit) if entry.side == "debit" else (debit, credit + more)
            )
            found[entry.on] = debit, credit
        return found


@dataclass
class Hold:
    account: str
    amount: Decimal
    is_open: bool = True


class Refused(Exception):
    """Nothing was done; ``codes`` are the reasons, any of which may be the one that is given."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass
class Books:
    accounts: dict[str, Account] = field(default_factory=dict)
    postings: dict[str, Posting] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)

    def post_many(self, postings: Sequence[Posting]) -> None:
        """Take all postings in, or none and raise ``Refused``."""
        faults = {fault for posting in postings for fault in faults_of(posting)}
        if faults:
            raise Refused(*faults)
        draft = deepcopy(self)
        faults = {fault for posting in postings for fault in draft._post(posting)}
        if any(account.too_low for account in draft.accounts.values()):
            faults.add("insufficient_funds")
        if any(abs(account.balance) >= LIMIT for account in draft.accounts.values()):
            faults.add("amount_too_large")
        if faults:
            raise Refused(*faults)
        self.accounts, self.postings, self.holds = draft.accounts, draft.postings, draft.holds

    def _post(self, posting: Posting) -> set[str]:
        known = self.postings.get(posting.reference)
        if known:
            return set() if known.content == posting.content else {"reference_reused"}
        faults = self._misfits(posting)
        if posting.reversal_of and self.reversal_of(posting.reversal_of):
            faults.add("already_reversed")
        if posting.releases is not None and not self._release_for(posting):
            faults.add("hold_not_open")
        self.postings[posting.reference] = posting
        for line in () if faults else posting.lines:
            self.accounts[line.account].add(posting, line)
        return faults

    def _misfits(self, posting: Posting) -> set[str]:
        for line in posting.lines:
            account = self.accounts.get(line.account)
            if account is None or (account.company, account.currency) != (
                posting.company,
                line.currency,
            ):
                return {"invalid_input"}
        return set()

    def _release_for(self, posting: Posting) -> bool:
        hold = self.holds.get(posting.releases or "")
        if (
            not hold
            or not hold.is_open
            or hold.account not in {line.account for line in posting.lines}
        ):
            return False
        hold.is_open = False
        self.accounts[hold.account].held -= hold.amount
        return True

    def reversal_of(self, reference: str) -> str | None:
        """The reference of the posting that reverses this one."""
        found = [
            posting.reference
            for posting in self.postings.values()
            if posting.reversal_of == reference
        ]
        return found[0] if found else None

    def reverse(self, original: str, reference: str, on: date) -> None:
        if original not in self.postings:
            raise Refused("not_found")
        earlier = self.reversal_of(original)
        if earlier not in {None, reference}:
            raise Refused("already_reversed")
        known = self.postings[original]
        swap = {"debit": "credit", "credit": "debit"}
        lines = tuple(
            Line(line.account, swap[line.side], line.amount, line.currency) for line in known.lines
        )
        self.post_many([Posting(known.company, reference, on, lines, reversal_of=original)])

    def hold(self, account: str, amount: Decimal, reference: str) -> None:
        if not amount.is_finite() or amount <= 0:
            raise Refused("amount_not_positive")
        if amount >= LIMIT:
            raise Refused("amount_too_large")
        if amount != round(amount, 4):
            raise Refused("amount_precision")
        known = self.holds.get(reference)
        if known:
            if (known.account, known.amount) != (account, amount):
                raise Refused("reference_reused")
            if not known.is_open:
                raise Refused("hold_not_open")
            return
        row = self.accounts[account]
        row.held += amount
        if row.too_low or row.held >= LIMIT:
            code = "amount_too_large" if row.held >= LIMIT else "insufficient_funds"
            row.held -= amount
            raise Refused(code)
        self.holds[reference] = Hold(account, amount)

    def release(self, reference: str) -> None:
        hold = self.holds.get(reference)
        if hold is None:
            raise Refused("not_found")
        if hold.is_open:
            hold.is_open = False
            self.accounts[hold.account].held -= hold.amount


def faults_of(posting: Posting) -> set[str]:
    """Why this is no journal entry, whatever the books say."""
    if len(posting.lines) < 2:
        return {"unbalanced"}
    faults: set[str] = set()
    totals: dict[str, Decimal] = {}
    for line in posting.lines:
        if not line.amount.is_finite() or line.amount <= 0:
            return faults | {"amount_not_positive"}
        if line.amount >= LIMIT:
            return faults | {"amount_too_large"}
        if line.amount != round(line.amount, DECIMALS[line.currency]):
            return faults | {"amount_precision"}
        sign = 1 if line.side == "debit" else -1
        totals[line.currency] = totals.get(line.currency, Decimal(0)) + sign * line.amount
    return {"unbalanced"} if any(totals.values()) else set()
