"""What is true of every allocation, whatever the amount, the weights and the rule."""

import itertools
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from periods.allocation import (
    Basis,
    OwnedBasis,
    split_in_time,
    split_mixed_units,
    split_units,
)
from periods.states import RemainderRule
from tests.periods.reference import share_out
from tests.properties.thoroughness import thorough

RULES = st.sampled_from(list(RemainderRule))
AMOUNTS = st.integers(-(10**14), 10**14) | st.integers(-30, 30)
# Drawn as whole numbers and made into fractions here: Hypothesis' own decimals, fractions and texts draw the
# same values at twice the cost.
PARTS = (
    st.integers(0, 12).map(Fraction)
    | st.integers(0, 1_000_000).map(lambda thousandths: Fraction(thousandths, 1000))
    | st.builds(Fraction, st.integers(0, 200), st.integers(1, 40))
)
NAMES = ["".join(name) for size in (1, 2, 3) for name in itertools.product("abcdefgh", repeat=size)]
OWNERS = st.sampled_from(NAMES)
WEIGHTS = st.dictionaries(OWNERS, PARTS, min_size=1, max_size=12).filter(
    lambda weights: any(weights.values())
)


def shares_of(total: int, weights: dict[str, Fraction], rule: RemainderRule) -> dict[str, int]:
    basis = Basis.of(weights.items(), rule=rule)
    return dict(zip(basis.keys, basis.split_units(total), strict=True))


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_the_shares_are_those_of_plain_fractions(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    to_the_largest = rule is RemainderRule.LARGEST_HOLDER
    expected = share_out(total, weights, to_the_largest=to_the_largest)
    assert shares_of(total, weights, rule) == expected


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_the_shares_add_up_to_the_amount(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    assert sum(shares_of(total, weights, rule).values()) == total


@thorough
@given(AMOUNTS, WEIGHTS)
def test_by_largest_remainder_a_share_is_less_than_one_unit_from_exact(
    total: int, weights: dict[str, Fraction]
) -> None:
    whole = sum(weights.values())
    shares = shares_of(total, weights, RemainderRule.LARGEST_REMAINDER)
    assert all(abs(shares[key] - total * weights[key] / whole) < 1 for key in weights)


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_who_has_no_weight_gets_nothing(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    shares = shares_of(total, weights, rule)
    assert not any(shares[key] for key, weight in weights.items() if not weight)


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_a_larger_weight_never_bears_less(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    shares = shares_of(abs(total), weights, rule)
    by_weight = sorted(weights, key=lambda key: weights[key])
    for smaller, larger in itertools.pairwise(by_weight):
        if weights[smaller] < weights[larger]:
            assert shares[smaller] <= shares[larger]


@thorough
@given(AMOUNTS, WEIGHTS, RULES, st.randoms(use_true_random=False))
def test_the_order_of_the_owners_plays_no_part(
    total: int, weights: dict[str, Fraction], rule: RemainderRule, random: Random
) -> None:
    pairs = list(weights.items())
    random.shuffle(pairs)
    assert shares_of(total, dict(pairs), rule) == shares_of(total, weights, rule)


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_a_refund_mirrors_its_expense(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    mirrored = {key: -share for key, share in shares_of(total, weights, rule).items()}
    assert shares_of(-total, weights, rule) == mirrored


@thorough
@given(AMOUNTS, WEIGHTS, RULES)
def test_no_share_has_the_other_sign(
    total: int, weights: dict[str, Fraction], rule: RemainderRule
) -> None:
    assert all(share >= 0 for share in shares_of(abs(total), weights, rule).values())


@thorough
@given(AMOUNTS, WEIGHTS, RULES, st.integers(1, 1000))
def test_only_the_proportion_of_the_weights_matters(
    total: int, weights: dict[str, Fraction], rule: RemainderRule, times: int
) -> None:
    scaled = {key: weight * times for key, weight in weights.items()}
    assert shares_of(total, scaled, rule) == shares_of(total, weights, rule)


@thorough
@given(AMOUNTS, WEIGHTS, WEIGHTS, st.decimals(0, 100, places=2), RULES)
def test_base_and_use_together_are_the_whole_and_mirror_it(
    total: int,
    base: dict[str, Fraction],
    usage: dict[str, Fraction],
    percent: Decimal,
    rule: RemainderRule,
) -> None:
    bases = (Basis.of(base.items(), rule=rule), Basis.of(usage.items(), rule=rule))
    shares = split_mixed_units(total, percent, *bases)
    mirror = split_mixed_units(-total, percent, *bases)
    assert sum(shares.values()) == total
    assert mirror == {key: -share for key, share in shares.items()}


@thorough
@given(AMOUNTS, WEIGHTS, st.data(), RULES)
def test_what_the_owners_of_a_unit_bear_is_what_the_unit_bears(
    total: int, weights: dict[str, Fraction], data: st.DataObject, rule: RemainderRule
) -> None:
    units = Basis.of(weights.items(), rule=rule)
    days = st.dictionaries(OWNERS, st.integers(1, 366), min_size=1, max_size=3)
    owned = OwnedBasis.of(units, {unit: data.draw(days).items() for unit in units.keys})
    lines = owned.lines(total)
    for unit, part in zip(units.keys, units.split_units(total), strict=True):
        assert sum(share for of, _, share in lines if of == unit) == part
    shares = dict.fromkeys(owned.keys, 0)
    for _, owner, share in lines:
        shares[owner] += share
    assert owned.split_units(total) == list(shares.values())


@thorough
@given(AMOUNTS, st.integers(1, 60))
def test_instalments_add_up_and_never_grow(share: int, count: int) -> None:
    parts = split_in_time(share, count)
    sizes = [abs(part) for part in parts]
    assert sum(parts) == share
    assert len(parts) == count
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= 1


@thorough
@given(AMOUNTS, st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any), RULES)
def test_a_list_of_weights_gives_what_owners_named_in_its_order_get(
    total: int, weights: list[int], rule: RemainderRule
) -> None:
    named = {f"{position:02}": Fraction(weight) for position, weight in enumerate(weights)}
    shares = shares_of(total, named, rule)
    assert split_units(total, weights, rule) == [shares[key] for key in named]
