"""Ownership: who owned a unit on which days of a period. Pure: no ORM.

Days are civil dates, first and last both included; the buyer owns from the day of the transfer. Every day
of the period has exactly one owner: a gap or an overlap is refused, because somebody would pay twice or
nobody would.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic

from ledger.refusals import Conflict
from periods.allocation import Key

DAY = timedelta(days=1)


class OwnershipGap(Conflict):
    """A unit has no owner on some day."""

    code = "ownership_gap"


class OwnershipOverlap(Conflict):
    """A unit has two owners on some day."""

    code = "ownership_overlap"


@dataclass(frozen=True, slots=True)
class Ownership(Generic[Key]):
    """An owner has a unit from ``first`` to ``last``, both included; None: until further notice."""

    owner: Key
    first: date
    last: date | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"An ownership cannot end on {self.last}, before {self.first}.")


def days_owned(
    ownerships: Iterable[Ownership[Key]], start: date, end: date
) -> list[tuple[Key, int]]:
    """Return each owner's days from ``start`` to ``end``, both included, in the order of their coming.

    Who sells and buys back has one line with all his days. Raises ``OwnershipGap`` and
    ``OwnershipOverlap`` (409).
    """
    days: dict[Key, int] = {}
    free = start  # the first day that has no owner yet
    for held in _within(ownerships, start, end):
        first, last = max(held.first, start), min(held.last or end, end)
        if first > free:
            raise OwnershipGap(f"From {free} to {first - DAY} this unit has no owner.")
        if first < free:
            raise OwnershipOverlap(f"On {first} this unit has two owners.")
        days[held.owner] = days.get(held.owner, 0) + (last - first).days + 1
        free = last + DAY
    if free <= end:
        raise OwnershipGap(f"From {free} to {end} this unit has no owner.")
    return list(days.items())


def owner_on(ownerships: Iterable[Ownership[Key]], day: date) -> Key:
    """Return who owns the unit on a day; raises ``OwnershipGap`` and ``OwnershipOverlap`` (409)."""
    return days_owned(ownerships, day, day)[0][0]


def _within(
    ownerships: Iterable[Ownership[Key]], start: date, end: date
) -> Sequence[Ownership[Key]]:
    """Those that touch the period, in the order of their first day."""
    touching = [
        held
        for held in ownerships
        if held.first <= end and (held.last is None or held.last >= start)
    ]
    return sorted(touching, key=_first_day)


def _first_day(held: Ownership[Key]) -> date:
    return held.first
