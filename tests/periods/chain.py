"""Carry-forward in plain Python: what a correction in an old period does to those after it.

The oracle of what ``periods.services.reissuing`` does to stored sheets, and what it is measured beside. What happens in a period does not depend on what it opens with. So a correction moves an owner's balance by
the same amount in every later period, and only these differences are carried: an owner whose balance did
not move, and a period in which nobody's moved, cost nothing. Interest on a debt is the exception; its period
then has a corrected movement of its own.

Amounts are whole minor units; a balance above zero is owed to the owner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from periods.allocation import Key
from periods.sheet import Sheet

Period = TypeVar("Period")


@dataclass(frozen=True, slots=True)
class Link(Generic[Period, Key]):
    """A period of the chain as it stands: with what each owner opened and closed it."""

    period: Period
    openings: Mapping[Key, int]
    closings: Mapping[Key, int]

    def movement(self, owner: Key) -> int:
        """Return by how much an owner's balance moved within the period."""
        return self.closings.get(owner, 0) - self.openings.get(owner, 0)


def link_of(period: Period, sheet: Sheet[Key]) -> Link[Period, Key]:
    """Return a period of the chain as its balance sheet has it."""
    return Link(period, {row.owner: row.opening for row in sheet.owners}, closings_of(sheet))


def closings_of(sheet: Sheet[Key]) -> dict[Key, int]:
    """Return with what each owner closes."""
    return {row.owner: row.closing for row in sheet.owners}


def movements_of(sheet: Sheet[Key]) -> dict[Key, int]:
    """Return by how much each owner's balance moved within the period."""
    return {row.owner: row.closing - row.opening for row in sheet.owners}


@dataclass(frozen=True, slots=True)
class Moved(Generic[Period, Key]):
    """What a recalculation does to a period: for each owner the difference, where there is one."""

    link: Link[Period, Key]
    openings: Mapping[Key, int]
    closings: Mapping[Key, int]

    @property
    def is_changed(self) -> bool:
        """Whether any balance of the period differs from before, which makes a new version of it."""
        return bool(self.openings or self.closings)

    def new_openings(self) -> dict[Key, int]:
        """Return with what each owner opens now."""
        return _with(self.link.openings, self.openings)

    def new_closings(self) -> dict[Key, int]:
        """Return with what each owner closes now."""
        return _with(self.link.closings, self.closings)


def recalculate(
    chain: Sequence[Link[Period, Key]], movements: Mapping[Period, Mapping[Key, int]]
) -> list[Moved[Period, Key]]:
    """Carry corrected movements through the chain, from the first period given to the last.

    ``movements`` holds, for each period whose records changed, closing less opening of every owner as it
    is now (left out: nothing moved). Returns one row per period of the chain, in order.
    """
    carried: dict[Key, int] = {}
    moved = []
    for link in chain:
        openings = carried
        if link.period in movements:
            carried = _corrected(link, movements[link.period], carried)
        moved.append(Moved(link, openings, carried))
    return moved


def prior_period_adjustment(
    chain: Sequence[Link[Period, Key]], movements: Mapping[Period, Mapping[Key, int]]
) -> dict[Key, int]:
    """Return what each owner is owed in the first open period when closed ones stay as they are.

    ``chain`` are the closed periods. Posting these amounts there brings everybody's balance to what
    ``recalculate`` gives.
    """
    moved = recalculate(chain, movements)
    return dict(moved[-1].closings) if moved else {}


def _corrected(
    link: Link[Period, Key], movement: Mapping[Key, int], carried: Mapping[Key, int]
) -> dict[Key, int]:
    """Return the differences at the end of a period whose own movement changed."""
    differences = dict(carried)
    for owner in {*link.openings, *link.closings, *movement}:
        changed = movement.get(owner, 0) - link.movement(owner)
        if changed:
            differences[owner] = differences.get(owner, 0) + changed
    return {owner: difference for owner, difference in differences.items() if difference}


def _with(balances: Mapping[Key, int], differences: Mapping[Key, int]) -> dict[Key, int]:
    return {
        owner: balances.get(owner, 0) + differences.get(owner, 0)
        for owner in balances.keys() | differences.keys()
    }
