"""Posting: the only way money moves between accounts.

Each function here is one round trip to one SQL function (``ledger/sql/posting.sql``, ``posting_plain.sql``) and
needs an open transaction, so that a booking stands or falls with whatever it belongs to. Only a statement that
writes all of that too (paying in cash) may stand alone, as a transaction by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import IntegrityError
from django.db.utils import DataError
from psycopg.types.json import Jsonb

from ledger.chain import padded_keys
from ledger.commands import require_transaction
from ledger.ids import new_ids
from ledger.models import JournalEntry, Side
from ledger.money import InvalidAmount, quantized
from ledger.refusals import Conflict, InsufficientFunds, InvalidInput, NotFound, Refusal
from ledger.rows import rows_of

OPPOSITE = {Side.DEBIT.value: Side.CREDIT.value, Side.CREDIT.value: Side.DEBIT.value}
LONGEST_REFERENCE = 160
LONGEST_DESCRIPTION = 255
POST_MANY = "SELECT reference, journal_entry FROM ledger_post(%s, %s, %s)"
POST_TWO = f"SELECT ledger_post_two({', '.join(['%s'] * 20)})"


@dataclass(frozen=True, slots=True)
class Line:
    """A debit or a credit of a positive amount on one account."""

    account_id: UUID
    side: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Posting:
    """A journal entry to be: balanced lines under a reference that is used once.

    ``releases`` is the reference of a hold that ends with this posting. ``posted_by_id`` is the person,
    None for a job. ``id`` is the new entry's, for what is posted but once; left out, each try has one of its own.
    """

    company_id: UUID
    reference: str
    description: str
    effective_on: date
    lines: tuple[Line, ...]
    posted_by_id: UUID | None = None
    reversal_of_id: UUID | None = None
    releases: str | None = None
    id: UUID | None = None


class ReferenceReused(Conflict):
    """The reference was used before, for a booking that moves money differently."""

    code = "reference_reused"
    title = "Reference used before"


class HoldNotOpen(Conflict):
    """The hold that is asked for or would end has ended already, or is on another account."""

    code = "hold_not_open"
    title = "Hold not open"


class Unbalanced(InvalidInput):
    """Debits and credits differ, or there are fewer than two lines."""

    code = "unbalanced"
    title = "Unbalanced posting"


class AlreadyReversed(Conflict):
    """A journal entry is reversed at most once."""

    code = "already_reversed"
    title = "Already reversed"


def post(posting: Posting) -> UUID:
    """Post one journal entry and return its id; a known reference returns the first entry's id.

    Raises ``Unbalanced``, ``InsufficientFunds`` when an account would fall below its minimum,
    ``ReferenceReused`` when the reference stands for other content, ``HoldNotOpen``.
    """
    if len(posting.lines) != 2 or posting.lines[0].account_id == posting.lines[1].account_id:
        return post_many([posting])[0]
    require_transaction()
    _require_sound(posting)
    facts = facts_of(posting)
    with REFUSALS:
        ((entry,),) = rows_of(POST_TWO, (*facts, *padded_keys()))
    return cast(UUID, entry)


def post_many(postings: Sequence[Posting]) -> list[UUID]:
    """Post journal entries, all or none, in the order given; return their ids in that order.

    An account's minimum is weighed once, when all are in. The number of statements does not grow with the
    number of postings. Raises as ``post`` does.
    """
    rows = call_with_postings(POST_MANY, postings)
    entries = cast("dict[str, UUID]", dict(rows))
    return [entries[posting.reference] for posting in postings]


def call_with_postings(
    statement: str, postings: Sequence[Posting], *more: Any
) -> list[tuple[Any, ...]]:
    """Run a statement that posts, and perhaps writes more, in one round trip; return its rows.

    Its parameters are the postings, the two keys of the chain, and ``more``, each as JSON. Raises as
    ``post_many`` does.
    """
    for posting in postings:
        _require_sound(posting)
    posted = Jsonb([_as_json(posting) for posting in postings])
    return call_that_posts(statement, (posted, *padded_keys(), *map(Jsonb, more)))


def call_that_posts(
    statement: str, parameters: Sequence[Any], *, alone: bool = False
) -> list[tuple[Any, ...]]:
    """Run a statement that posts among other things, in one round trip; return its rows.

    One that does all there is to do may stand ``alone``, as a transaction by itself. Raises as ``post_many``
    does.
    """
    if not alone:
        require_transaction()
    with REFUSALS:
        return rows_of(statement, parameters)


def reverse(
    *,
    journal_entry_id: UUID,
    reference: str,
    description: str,
    effective_on: date,
    posted_by_id: UUID | None = None,
) -> UUID:
    """Post the mirror image of a journal entry and return the new entry's id.

    Raises ``NotFound`` for an unknown entry, ``AlreadyReversed`` on a second reversal under another
    reference, and as ``post`` does.
    """
    original = JournalEntry.objects.filter(pk=journal_entry_id).first()
    if original is None:
        raise NotFound("There is no such journal entry.")
    earlier = JournalEntry.objects.filter(reversal_of=original).first()
    if earlier is not None and earlier.reference != reference:
        raise AlreadyReversed("This journal entry has been reversed already.")
    lines = original.ledger_entries.order_by("account_id", "sequence")
    mirrored = tuple(
        Line(line.account_id, OPPOSITE[line.side], line.amount, line.currency) for line in lines
    )
    return post(
        Posting(
            company_id=original.company_id,
            reference=reference,
            description=description,
            effective_on=effective_on,
            lines=mirrored,
            posted_by_id=posted_by_id,
            reversal_of_id=original.pk,
        )
    )


def hold(*, account_id: UUID, amount: Decimal, reference: str) -> None:
    """Set ``amount`` of the account's available balance aside under ``reference``; twice is once.

    Raises ``InsufficientFunds`` when less is available, ``ReferenceReused`` when the reference holds
    something else, ``HoldNotOpen`` when it held this and was released.
    """
    require_transaction()
    _require_length("reference", reference, LONGEST_REFERENCE)
    _require_positive(amount)
    with REFUSALS:
        rows_of("SELECT ledger_hold_funds(%s, %s, %s)", (account_id, reference, amount))


def release(*, reference: str) -> None:
    """End the hold under ``reference``; once it has ended, nothing happens. Raises ``NotFound``."""
    require_transaction()
    with REFUSALS:
        rows_of("SELECT ledger_release_hold(%s)", (reference,))


def facts_of(posting: Posting) -> tuple[Any, ...]:
    """What ``ledger_post_two`` is told of a posting of two lines, in the order of their accounts."""
    one, two = sorted(posting.lines, key=_account)
    entry, first, second = new_ids(3)
    return (
        *(posting.id or entry, posting.company_id, posting.reference, posting.description),
        *(posting.effective_on, posting.posted_by_id, posting.reversal_of_id, posting.releases),
        *(first, one.account_id, str(one.side), one.amount, one.currency),
        *(second, two.account_id, str(two.side), two.amount, two.currency),
    )


def _account(line: Line) -> int:
    return line.account_id.int


def _require_sound(posting: Posting) -> None:
    _require_text(posting)
    _require_balance(posting)


def _require_text(posting: Posting) -> None:
    _require_length("reference", posting.reference, LONGEST_REFERENCE)
    if len(posting.description) > LONGEST_DESCRIPTION or "\0" in posting.description:
        raise InvalidInput.on("description", f"At most {LONGEST_DESCRIPTION} characters of text.")


def _require_length(field: str, text: str, longest: int) -> None:
    if not 0 < len(text) <= longest or "\0" in text:
        raise InvalidInput.on(field, f"This takes 1 to {longest} characters of text.")


def _require_balance(posting: Posting) -> None:
    if len(posting.lines) < 2:
        raise Unbalanced.on("lines", "A journal entry needs two or more lines.")
    totals: dict[str, Decimal] = {}
    for line in posting.lines:
        if line.side not in OPPOSITE:
            raise Unbalanced.on("lines", "A line is a debit or a credit.")
        _require_positive(line.amount)
        amount = quantized(line.amount, line.currency)
        signed = amount if line.side == Side.DEBIT else -amount
        totals[line.currency] = totals.get(line.currency, Decimal(0)) + signed
    if any(totals.values()):
        raise Unbalanced.on("lines", "Debits and credits differ.")


def _require_positive(amount: Decimal) -> None:
    if not amount.is_finite() or amount <= 0:
        message = "An amount must be greater than zero."
        raise InvalidAmount.on("amount", message, code="amount_not_positive")


def _as_json(posting: Posting) -> dict[str, Any]:
    entry, *ids = new_ids(1 + len(posting.lines))
    lines = [
        {
            "id": str(pk),
            "account": str(line.account_id),
            "side": str(line.side),
            "amount": str(line.amount),
            "currency": line.currency,
        }
        for pk, line in zip(ids, posting.lines, strict=True)
    ]
    return {
        "id": str(posting.id or entry),
        "company": str(posting.company_id),
        "reference": posting.reference,
        "description": posting.description,
        "effective_on": posting.effective_on.isoformat(),
        "posted_by": str(posting.posted_by_id) if posting.posted_by_id else None,
        "reversal_of": str(posting.reversal_of_id) if posting.reversal_of_id else None,
        "releases": posting.releases,
        "lines": lines,
    }


class _Refusals:
    """Translates what the database refuses inside into the ledger's own refusals."""

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        refusal = _refusal_for(error) if error else None
        if refusal:
            raise refusal from error


def _refusal_for(error: BaseException) -> Refusal | None:
    cause = error.__cause__
    if isinstance(error, IntegrityError):
        constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
        known = REFUSED_BY.get(constraint or "")
        return known() if known else None
    if isinstance(error, DataError) and isinstance(cause, psycopg.errors.NumericValueOutOfRange):
        message = "This amount is too large for the account."
        return InvalidAmount.on("amount", message, code="amount_too_large")
    return None


REFUSALS = _Refusals()
REFUSED_BY: dict[str, Callable[[], Refusal]] = {
    "ledger_account_minimum": lambda: InsufficientFunds(
        "The account has less available than this amount."
    ),
    "ledger_journalentry_content": lambda: ReferenceReused(
        "This reference was posted with other content."
    ),
    "ledger_hold_content": lambda: ReferenceReused("This reference holds something else."),
    "ledger_hold_open": lambda: HoldNotOpen("This hold has ended, or is on another account."),
    "ledger_hold_known": lambda: NotFound("There is no such hold."),
    "ledger_entry_account": lambda: InvalidInput.on("account", "There is no such account."),
    "ledger_entry_precision": lambda: InvalidAmount.on(
        "amount", "An amount has at most four decimals.", code="amount_precision"
    ),
    "ledger_reversal_same_company": lambda: InvalidInput.on(
        "reversal_of", "There is no such journal entry in this company."
    ),
    "ledger_entry_same_currency": lambda: InvalidInput.on(
        "currency", "A line has the company and currency of its account."
    ),
    "ledger_journalentry_reversal_of_id_key": lambda: AlreadyReversed(
        "This journal entry has been reversed already."
    ),
}
