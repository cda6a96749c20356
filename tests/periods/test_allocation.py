"""Who bears which part of an amount."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.refusals import Refusal
from periods.allocation import (
    Basis,
    OwnedBasis,
    Weight,
    split,
    split_in_time,
    split_mixed_units,
    split_units,
)
from periods.states import RemainderRule
from periods.units import from_units, half_up, percentage, priced, to_units

KES = "KES"
THIRDS = {"Amina": 1, "Brian": 1, "Cynthia": 1}


def amounts(**shares: str) -> dict[str, Decimal]:
    return {owner: Decimal(share) for owner, share in shares.items()}


def refused(code: str, status: int, call: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        call()
    assert (refusal.value.code, refusal.value.status) == (code, status)


def test_the_cent_that_is_left_over_goes_to_the_first_of_equal_owners() -> None:
    shares = split(Decimal("100.00"), KES, THIRDS)
    assert shares == amounts(Amina="33.34", Brian="33.33", Cynthia="33.33")


def test_the_cent_goes_to_whoever_lost_most_by_rounding_down() -> None:
    shares = split(Decimal("1.00"), KES, {"Amina": 50, "Brian": 34, "Cynthia": 35})
    assert shares == amounts(Amina="0.42", Brian="0.29", Cynthia="0.29")


def test_the_seeds_rule_gives_every_cent_left_over_to_the_largest_holder() -> None:
    weights = {"Amina": 1, "Brian": 10, "Cynthia": 10}
    shares = split(Decimal("100.00"), KES, weights, RemainderRule.LARGEST_HOLDER)
    assert shares == amounts(Amina="4.76", Brian="47.63", Cynthia="47.61")


def test_a_refund_is_the_exact_mirror_of_its_expense() -> None:
    expense = split(Decimal("10.01"), KES, THIRDS)
    refund = split(Decimal("-10.01"), KES, THIRDS)
    assert refund == {owner: -share for owner, share in expense.items()}


def test_whoever_has_no_weight_pays_nothing() -> None:
    shares = split(Decimal("0.05"), KES, {"Amina": 0, "Brian": 3, "Cynthia": 7})
    assert shares["Amina"] == 0


def test_shillings_without_cents_are_shared_in_whole_shillings() -> None:
    shares = split(Decimal(1000), "UGX", THIRDS)
    assert [str(share) for share in shares.values()] == ["334", "333", "333"]


def test_weights_may_be_whole_numbers_decimals_and_fractions_together() -> None:
    weights: dict[str, Weight] = {"Amina": 1, "Brian": Decimal("0.5"), "Cynthia": Fraction(1, 2)}
    assert split(Decimal("8.00"), KES, weights) == amounts(Amina="4", Brian="2", Cynthia="2")


def test_the_order_in_which_owners_are_listed_plays_no_part() -> None:
    forwards = Basis.of([("Amina", 2), ("Brian", 2), ("Cynthia", 3)])
    backwards = Basis.of([("Cynthia", 3), ("Brian", 2), ("Amina", 2)])
    assert forwards == backwards


def test_an_amount_of_nothing_is_shared_even_when_nobody_has_a_weight() -> None:
    assert split(Decimal(0), KES, {"Amina": 0}) == amounts(Amina="0.00")


def test_an_amount_that_nobody_has_a_weight_for_is_refused() -> None:
    refused("no_weight", 422, lambda: split(Decimal("0.01"), KES, {"Amina": 0}))
    refused("no_weight", 422, lambda: split(Decimal("-0.01"), KES, {}))


def test_a_weight_below_zero_is_refused() -> None:
    refused("negative_weight", 422, lambda: split(Decimal(1), KES, {"Amina": 2, "Brian": -1}))


def test_an_owner_who_appears_twice_is_refused() -> None:
    refused("duplicate_owner", 422, lambda: Basis.of([("Amina", 1), ("Amina", 2)]))


def test_an_amount_finer_than_the_minor_unit_is_refused() -> None:
    refused("amount_precision", 400, lambda: split(Decimal("10.005"), KES, THIRDS))
    refused("amount_precision", 400, lambda: split(Decimal("10.5"), "RWF", THIRDS))


@pytest.mark.parametrize("weight", [0.5, True, "1", None])
def test_a_weight_that_is_not_exact_is_a_mistake_of_the_program(weight: Any) -> None:
    with pytest.raises(TypeError, match="exact"):
        Basis.of([("Amina", weight)])


def test_a_basis_keeps_the_least_whole_weights_largest_first() -> None:
    basis = Basis.of([("Amina", Decimal("0.250")), ("Brian", Decimal("0.750"))])
    assert (basis.keys, basis.weights, basis.total) == (("Brian", "Amina"), (3, 1), 4)


def test_plain_weights_are_split_in_the_order_they_were_given() -> None:
    assert split_units(100, [1, 10, 10]) == [5, 48, 47]
    assert split_units(1, [1, 1]) == [1, 0]
    assert split_units(-1, [1, 1]) == [-1, 0]
    assert split_units(0, []) == []


def test_a_base_part_is_shared_by_weight_and_the_rest_by_use() -> None:
    """30 % of 100.05 is 30.015, rounded to 30.02; the other 70.03 follow the meters."""
    base = Basis.equal(["Amina", "Brian"])
    usage = Basis.of([("Amina", Decimal("12.5")), ("Brian", Decimal("37.5"))])
    shares = split_mixed_units(10005, Decimal(30), base, usage)
    assert shares == {"Amina": 1501 + 1751, "Brian": 1501 + 5252}


def test_a_base_part_may_be_all_or_nothing_of_it() -> None:
    one, other = Basis.equal(["Amina"]), Basis.equal(["Brian"])
    assert split_mixed_units(100, Decimal(100), one, other) == {"Amina": 100, "Brian": 0}
    assert split_mixed_units(100, Decimal(0), one, other) == {"Amina": 0, "Brian": 100}


@pytest.mark.parametrize("percent", ["-0.01", "100.01"])
def test_a_base_part_outside_0_to_100_percent_is_refused(percent: str) -> None:
    one = Basis.equal(["Amina"])
    refused("percentage_invalid", 400, lambda: split_mixed_units(100, Decimal(percent), one, one))


def test_units_come_first_and_then_the_days_of_their_owners() -> None:
    units = Basis.of([("flat 1", 60), ("flat 2", 40)])
    owned = OwnedBasis.of(
        units, {"flat 1": [("Amina", 100), ("Brian", 265)], "flat 2": [("Cynthia", 365)]}
    )
    assert sorted(owned.lines(100_000)) == [
        ("flat 1", "Amina", 16_438),
        ("flat 1", "Brian", 43_562),
        ("flat 2", "Cynthia", 40_000),
    ]


def test_an_owner_of_two_units_bears_the_shares_of_both() -> None:
    units = Basis.equal(["flat 1", "flat 2", "flat 3"])
    days = {"flat 1": [("Amina", 31)], "flat 2": [("Amina", 1), ("Brian", 1)], "flat 3": []}
    owned = OwnedBasis.of(Basis.equal(["flat 1", "flat 2"]), days)
    assert (owned.keys, owned.split_units(101)) == (("Amina", "Brian"), [76, 25])
    with pytest.raises(KeyError):
        OwnedBasis.of(units, {"flat 1": [("Amina", 31)]})
    refused("no_weight", 422, lambda: OwnedBasis.of(units, days).split_units(100))


def test_the_first_instalments_take_the_cents_left_over() -> None:
    assert split_in_time(1002, 4) == [251, 251, 250, 250]
    assert split_in_time(-1002, 4) == [-251, -251, -250, -250]
    refused("instalments_invalid", 400, lambda: split_in_time(1002, 0))


def test_an_amount_is_whole_minor_units_and_back() -> None:
    largest = Decimal("99999999999999999999.99")
    assert to_units(largest, KES) == 9_999_999_999_999_999_999_999
    assert from_units(9_999_999_999_999_999_999_999, KES) == largest
    assert str(from_units(1500, "KWD")) == "1.500"


def test_a_half_is_rounded_away_from_zero() -> None:
    halves = [Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2), Fraction(499, 1000)]
    assert [half_up(half) for half in halves] == [1, 2, -1, 0]
    assert priced(Fraction(3, 2), Decimal("0.03"), KES) == 5
    assert percentage(-5, Decimal(10)) == -1
