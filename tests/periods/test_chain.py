"""What a correction in an old period does to those after it."""

from tests.periods.chain import Link, Moved, prior_period_adjustment, recalculate

CHAIN = [
    Link("March", {"Amina": 0, "Brian": 10}, {"Amina": 5, "Brian": 10}),
    Link("April", {"Amina": 5, "Brian": 10}, {"Amina": -20, "Brian": 0}),
    Link("May", {"Amina": -20, "Brian": 0}, {"Amina": 0, "Brian": 0}),
]


def by_period(moved: list[Moved[str, str]]) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    return {row.link.period: (dict(row.openings), dict(row.closings)) for row in moved}


def test_a_correction_moves_every_later_balance_by_the_same_amount() -> None:
    moved = recalculate(CHAIN, {"March": {"Amina": 3, "Brian": 1}})
    difference = {"Amina": -2, "Brian": 1}
    assert by_period(moved) == {
        "March": ({}, difference),
        "April": (difference, difference),
        "May": (difference, difference),
    }
    assert moved[1].new_openings() == {"Amina": 3, "Brian": 11}
    assert moved[2].new_closings() == {"Amina": -2, "Brian": 1}


def test_periods_before_the_correction_do_not_change() -> None:
    moved = recalculate(CHAIN, {"April": {"Amina": -24, "Brian": -10}})
    assert [row.is_changed for row in moved] == [False, True, True]


def test_a_correction_that_changes_no_balance_changes_no_period() -> None:
    moved = recalculate(CHAIN, {"March": {"Amina": 5, "Brian": 0}})
    assert [row.is_changed for row in moved] == [False, False, False]
    assert moved[2].new_closings() == {"Amina": 0, "Brian": 0}


def test_a_second_correction_may_undo_the_first_from_there_on() -> None:
    """Amina's interest of 2 in March is charged in May instead: April alone differs."""
    moved = recalculate(
        CHAIN, {"March": {"Amina": 7, "Brian": 0}, "May": {"Amina": 18, "Brian": 0}}
    )
    assert by_period(moved) == {
        "March": ({}, {"Amina": 2}),
        "April": ({"Amina": 2}, {"Amina": 2}),
        "May": ({"Amina": 2}, {}),
    }
    assert moved[2].is_changed


def test_an_owner_who_was_not_in_an_old_period_comes_into_the_later_ones() -> None:
    moved = recalculate(CHAIN, {"March": {"Amina": 5, "Cynthia": -7}})
    assert moved[2].new_closings() == {"Amina": 0, "Brian": 0, "Cynthia": -7}


def test_an_owner_who_is_left_out_of_a_correction_did_not_move() -> None:
    moved = recalculate(CHAIN, {"March": {"Brian": 0}})
    assert moved[0].new_closings() == {"Amina": 0, "Brian": 10}


def test_frozen_periods_leave_one_adjustment_for_each_owner() -> None:
    movements = {"March": {"Amina": 3, "Brian": 1}, "April": {"Amina": -25, "Brian": -11}}
    assert prior_period_adjustment(CHAIN, movements) == {"Amina": -2}


def test_without_closed_periods_there_is_nothing_to_adjust() -> None:
    assert prior_period_adjustment([], {}) == {}
    assert recalculate([], {}) == []
