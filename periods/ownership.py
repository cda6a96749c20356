"""Ownership: who owned a unit on which days of a period. Pure: no ORM.

Days are civil dates; the buyer owns from the day of the transfer, and until that day the seller. Every day
of the period has exactly one owner: a gap or an overlap is refused, because nobody would pay for that day,
or two would.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic

from ledger.refusals import RuleBroken
from periods.allocation import Key

DAY = timedelta(days=1)


class OwnershipGap(RuleBroken):
    """A unit has no owner on some day."""

    code = "ownership_gap"


class OwnershipOverlap(RuleBroken):
    """A unit has two owners on some day."""

    code = "ownership_overlap"


@dataclass(frozen=True, slots=True)
class Ownership(Generic[Key]):
    """An owner has a unit from one day until another, on which it is somebody else's (None: for good)."""

    owner: Key
    from_on: date
    until_on: date | None = None

    def __post_init__(self) -> None:
        if self.until_on is not None and self.until_on <= self.from_on:
            raise ValueError(f"An ownership from {self.from_on} cannot last until {self.until_on}.")


def days_owned(
    ownerships: Iterable[Ownership[Key]], start: date, end: date
) -> list[tuple[Key, int]]:
    """Return each owner's days from ``start`` to ``end``, both included, in the order of their coming.

    Who sells and buys back has one line with all his days. Raises ``OwnershipGap`` and
    ``OwnershipOverlap`` (422).
    """
    after = end + DAY
    days: dict[Key, int] = {}
    free = start  # the first day that has no owner yet
    for held in _within(ownerships, start, after):
        since, until = max(held.from_on, start), min(held.until_on or after, after)
        if since > free:
            raise OwnershipGap(f"From {free} until {since} this unit has no owner.")
        if since < free:
            raise OwnershipOverlap(f"On {since} this unit has two owners.")
        days[held.owner] = days.get(held.owner, 0) + (until - since).days
        free = until
    if free < after:
        raise OwnershipGap(f"From {free} until {after} this unit has no owner.")
    return list(days.items())


def _within(ownerships: Iterable[Ownership[Key]], start: date, after: date) -> list[Ownership[Key]]:
    """Those that touch the period, in the order of their first day."""
    touching = [
        held
        for held in ownerships
        if held.from_on < after and (held.until_on is None or held.until_on > start)
    ]
    return sorted(touching, key=_first_day)


def _first_day(held: Ownership[Key]) -> date:
    return held.from_on
