"""Allocation: who bears which part of an amount, to the last cent. Pure: no ORM.

Each share is first its exact part rounded down. The cents left over go, under ``LARGEST_REMAINDER``, one
each to those who lost most by rounding; of equals the larger weight comes first, then the smaller key.
Under ``LARGEST_HOLDER`` they all go to the largest weight, of equals to the smallest key. Either way the
shares add up to the amount, nobody without weight pays, the order of the owners plays no part, and a refund
is the exact mirror of its expense.

A ``Basis`` scales the weights to whole numbers once; many amounts are then split without a fraction.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, Protocol, Self, TypeVar

from ledger.refusals import InvalidInput, RuleBroken
from periods.states import RemainderRule
from periods.units import HUNDRED_PERCENT, from_units, percentage, to_units

Weight = int | Decimal | Fraction


class Sortable(Protocol):
    """A key that has a place among its kind: a text, a UUID, a tuple of them."""

    def __lt__(self, other: Any, /) -> bool: ...

    def __hash__(self) -> int: ...


Key = TypeVar("Key", bound=Sortable)
KeyOut_co = TypeVar("KeyOut_co", bound=Sortable, covariant=True)
Unit = TypeVar("Unit", bound=Sortable)


class Shared(Protocol[KeyOut_co]):
    """Whatever minor units can be split by: a ``Basis``, or units and their owners."""

    @property
    def keys(self) -> tuple[KeyOut_co, ...]: ...

    def split_units(self, total: int) -> list[int]: ...


class NoWeight(RuleBroken):
    """There is an amount to share, and nobody who has a weight."""

    code = "no_weight"

    def __init__(self) -> None:
        super().__init__("Nobody has a weight, so there is nobody to share this amount among.")


class NegativeWeight(RuleBroken):
    """A weight is below zero."""

    code = "negative_weight"


class DuplicateOwner(RuleBroken):
    """Somebody appears twice among those who share an amount."""

    code = "duplicate_owner"


class InvalidPercentage(InvalidInput):
    """A percentage is not between 0 and 100."""

    code = "percentage_invalid"


class InvalidInstalments(InvalidInput):
    """An amount is paid in one instalment or more."""

    code = "instalments_invalid"


def split_units(
    total: int,
    weights: Sequence[int],
    rule: RemainderRule = RemainderRule.LARGEST_REMAINDER,
) -> list[int]:
    """Split whole minor units by whole weights; the shares are in the order of the weights.

    Of equal weights the one that stands first counts as the smaller key. Raises ``NoWeight`` and
    ``NegativeWeight``. To split many amounts by the same weights, prepare a ``Basis``.
    """
    basis = Basis.of(enumerate(weights), rule=rule)
    shares = [0] * len(weights)
    for position, share in zip(basis.keys, basis.split_units(total), strict=True):
        shares[position] = share
    return shares


@dataclass(frozen=True, slots=True)
class Basis(Generic[Key]):
    """Those who share, largest weight first and of equals smallest key first, with whole weights."""

    keys: tuple[Key, ...]
    weights: tuple[int, ...]
    total: int
    rule: RemainderRule

    @classmethod
    def of(
        cls,
        weights: Iterable[tuple[Key, Weight]],
        *,
        rule: RemainderRule = RemainderRule.LARGEST_REMAINDER,
    ) -> Self:
        """Prepare the pairs of key and exact weight; they need not add up to anything in particular.

        Raises ``NegativeWeight`` and ``DuplicateOwner`` (422), ``TypeError`` for a weight that is not
        exact. Nobody, or only weights of zero, is allowed until an amount is to be split.
        """
        pairs = [(key, _exact(weight)) for key, weight in weights]
        if len({key for key, _ in pairs}) < len(pairs):
            raise DuplicateOwner("Somebody appears twice among those who share this amount.")
        if any(weight < 0 for _, weight in pairs):
            raise NegativeWeight("A weight is zero or more.")
        pairs.sort(key=_by_key)
        pairs.sort(key=_by_weight, reverse=True)  # stable: equals stay in the order of their keys
        whole = _scaled([weight for _, weight in pairs])
        return cls(tuple(key for key, _ in pairs), whole, sum(whole), RemainderRule(rule))

    @classmethod
    def equal(
        cls, keys: Iterable[Key], *, rule: RemainderRule = RemainderRule.LARGEST_REMAINDER
    ) -> Self:
        """Prepare the same weight for each of these: a fixed fee per active unit."""
        return cls.of(((key, 1) for key in keys), rule=rule)

    def split_units(self, total: int) -> list[int]:
        """Split whole minor units; the shares are in the order of ``keys``. Raises ``NoWeight``."""
        if total < 0:
            return [-share for share in self.split_units(-total)]
        if not total:
            return [0] * len(self.keys)
        whole = self.total
        if not whole:
            raise NoWeight
        products = [total * weight for weight in self.weights]
        shares = [product // whole for product in products]
        left = total - sum(shares)
        if left and self.rule is RemainderRule.LARGEST_HOLDER:
            shares[0] += left
        elif left:
            lost = [product % whole for product in products]
            # Stable in reverse too: of equal remainders the larger weight, then the smaller key, is first.
            for index in sorted(range(len(lost)), key=lost.__getitem__, reverse=True)[:left]:
                shares[index] += 1
        return shares


@dataclass(frozen=True, slots=True)
class OwnedBasis(Generic[Unit, Key]):
    """Units share first, and then the owners of each unit by the days they had it (reference 4f)."""

    units: Basis[Unit]
    keys: tuple[Key, ...]
    parts: tuple[tuple[Basis[Key], tuple[int, ...]], ...]

    @classmethod
    def of(cls, units: Basis[Unit], owners: Mapping[Unit, Iterable[tuple[Key, int]]]) -> Self:
        """Prepare units and, for each, the days of its owners (``periods.ownership.days_owned``).

        ``keys`` are all owners in order. Raises ``DuplicateOwner`` and ``NegativeWeight`` (422), and
        ``KeyError`` for a unit that has no owners.
        """
        bases = [Basis.of(owners[unit], rule=units.rule) for unit in units.keys]
        keys = tuple(sorted({owner for basis in bases for owner in basis.keys}))
        place = {owner: index for index, owner in enumerate(keys)}
        parts = tuple((basis, tuple(place[owner] for owner in basis.keys)) for basis in bases)
        return cls(units, keys, parts)

    def split_units(self, total: int) -> list[int]:
        """Split whole minor units among the owners, in the order of ``keys``. Raises ``NoWeight``."""
        shares = [0] * len(self.keys)
        for (basis, places), part in zip(self.parts, self.units.split_units(total), strict=True):
            if len(places) == 1:  # most units have one owner, who bears all of it
                shares[places[0]] += part
            else:
                for place, share in zip(places, basis.split_units(part), strict=True):
                    shares[place] += share
        return shares

    def lines(self, total: int) -> list[tuple[Unit, Key, int]]:
        """Split as ``split_units`` does, and say for which unit an owner bears what."""
        return [
            (unit, owner, share)
            for unit, (basis, _), part in zip(
                self.units.keys, self.parts, self.units.split_units(total), strict=True
            )
            for owner, share in zip(basis.keys, basis.split_units(part), strict=True)
        ]


def split(
    amount: Decimal,
    currency: str,
    weights: Mapping[Key, Weight],
    rule: RemainderRule = RemainderRule.LARGEST_REMAINDER,
) -> dict[Key, Decimal]:
    """Split one amount by weights; raises as ``Basis`` does, and ``amount_precision`` (400)."""
    basis = Basis.of(weights.items(), rule=rule)
    shares = basis.split_units(to_units(amount, currency))
    return {key: from_units(share, currency) for key, share in zip(basis.keys, shares, strict=True)}


def split_mixed_units(
    total: int, base_percent: Decimal, base: Shared[Key], usage: Shared[Key]
) -> dict[Key, int]:
    """Split the base percentage by one basis and the rest by another; what each bears of both.

    The base is rounded half up and the rest is what it leaves, so nothing is lost between them. Raises
    ``InvalidPercentage`` (400) and ``NoWeight``.
    """
    if not 0 <= base_percent <= HUNDRED_PERCENT:
        raise InvalidPercentage.on("base_percent", "A percentage is between 0 and 100.")
    base_part = percentage(total, base_percent)
    shares = dict.fromkeys((*base.keys, *usage.keys), 0)
    for basis, part in ((base, base_part), (usage, total - base_part)):
        for key, share in zip(basis.keys, basis.split_units(part), strict=True):
            shares[key] += share
    return shares


def split_in_time(share: int, count: int) -> list[int]:
    """Split one owner's share into instalments, the first ones taking the cents left over.

    Shares come first and time second, never the other way round: each owner's instalments then add up
    to his share. Raises ``InvalidInstalments`` (400).
    """
    if count < 1:
        raise InvalidInstalments.on("instalments", "There is one instalment or more.")
    return split_units(share, [1] * count)


def _exact(weight: Weight) -> Fraction:
    if isinstance(weight, bool) or not isinstance(weight, int | Decimal | Fraction):
        raise TypeError(f"A weight is exact: an int, a Decimal or a Fraction, not {weight!r}.")
    return Fraction(weight)


def _by_key(pair: tuple[Key, Fraction]) -> Key:
    return pair[0]


def _by_weight(pair: tuple[Key, Fraction]) -> Fraction:
    return pair[1]


def _scaled(weights: list[Fraction]) -> tuple[int, ...]:
    """Return the least whole numbers in the same proportion."""
    scale = math.lcm(*(weight.denominator for weight in weights))
    whole = [weight.numerator * (scale // weight.denominator) for weight in weights]
    common = math.gcd(*whole) or 1
    return tuple(weight // common for weight in whole)
