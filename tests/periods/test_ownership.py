"""Who owned a unit on which days."""

from datetime import date

import pytest

from ledger.refusals import Refusal
from periods.ownership import Ownership, days_owned

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def owned(owner: str, first: str, last: str | None = None) -> Ownership[str]:
    return Ownership(owner, date.fromisoformat(first), date.fromisoformat(last) if last else None)


def refusal_of(*ownerships: Ownership[str]) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        days_owned(ownerships, *YEAR)
    return refusal.value


def test_the_buyer_owns_from_the_day_of_the_transfer() -> None:
    sold = [owned("Ann", "2026-01-01", "2026-04-11"), owned("Bob", "2026-04-11")]
    assert days_owned(sold, *YEAR) == [("Ann", 100), ("Bob", 265)]


def test_an_owner_of_many_years_owns_every_day_of_this_one() -> None:
    assert days_owned([owned("Ann", "2011-03-01")], *YEAR) == [("Ann", 365)]


def test_who_owned_before_or_after_the_period_has_no_part_in_it() -> None:
    history = [
        owned("Later", "2027-01-01"),
        owned("Ann", "2026-01-01", "2027-01-01"),
        owned("Earlier", "2020-01-01", "2026-01-01"),
    ]
    assert days_owned(history, *YEAR) == [("Ann", 365)]


def test_who_sells_and_buys_back_has_one_line_with_all_his_days() -> None:
    history = [
        owned("Ann", "2026-01-01", "2026-02-01"),
        owned("Bob", "2026-02-01", "2026-03-01"),
        owned("Ann", "2026-03-01"),
    ]
    assert days_owned(history, *YEAR) == [("Ann", 337), ("Bob", 28)]


def test_a_day_without_an_owner_is_refused() -> None:
    late = refusal_of(owned("Ann", "2026-01-02"))
    assert (late.code, late.status) == ("ownership_gap", 422)
    assert late.detail == "From 2026-01-01 until 2026-01-02 this unit has no owner."
    assert refusal_of(owned("Ann", "2026-01-01", "2026-12-31")).code == "ownership_gap"
    between = refusal_of(owned("Ann", "2026-01-01", "2026-04-10"), owned("Bob", "2026-04-11"))
    assert between.detail == "From 2026-04-10 until 2026-04-11 this unit has no owner."
    assert refusal_of().code == "ownership_gap"


def test_a_day_with_two_owners_is_refused() -> None:
    both = refusal_of(owned("Ann", "2026-01-01", "2026-04-12"), owned("Bob", "2026-04-11"))
    assert (both.code, both.status) == ("ownership_overlap", 422)
    assert both.detail == "On 2026-04-11 this unit has two owners."
    assert refusal_of(owned("Ann", "2025-01-01"), owned("Bob", "2025-02-01")).code == (
        "ownership_overlap"
    )


def test_an_ownership_lasts_a_day_or_more() -> None:
    with pytest.raises(ValueError, match="cannot last"):
        owned("Ann", "2026-04-11", "2026-04-11")
