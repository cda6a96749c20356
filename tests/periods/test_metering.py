"""From what a counter shows to what was consumed and what it costs."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.refusals import Refusal
from periods.metering import (
    Segment,
    Usage,
    correction,
    cost_of,
    estimated,
    interpolated,
    needs_confirmation,
)


def segment(start: str, end: str, **more: object) -> Segment:
    return Segment(Decimal(start), Decimal(end), **more)  # type: ignore[arg-type]


def refusal_of(reading: Segment) -> tuple[str, int, list[str]]:
    with pytest.raises(Refusal) as refusal:
        reading.consumption()
    return refusal.value.code, refusal.value.status, list(refusal.value.errors)


def test_consumption_is_the_difference_of_two_readings() -> None:
    assert str(segment("1234.500", "1250.750").consumption()) == "16.250"


def test_a_transformer_multiplies_what_the_counter_shows() -> None:
    assert segment("10", "12", multiplier=Decimal("40.5")).consumption() == 81


def test_a_replaced_meter_counts_on_from_where_the_new_one_began() -> None:
    old, new = segment("8421", "8500"), segment("3", "41")
    assert old.consumption() + new.consumption() == 117


def test_a_counter_that_rolled_over_went_through_all_its_digits() -> None:
    rolled = segment("99990", "15.5", digits=5, rolled_over=True)
    assert rolled.consumption() == Decimal("25.5")


def test_a_lower_reading_without_a_word_about_it_is_refused() -> None:
    lower = ("reading_decreased", 400, ["meter_end_reading"])
    assert refusal_of(segment("1250", "1234")) == lower
    assert refusal_of(segment("1250", "1249.999", digits=4)) == lower


def test_a_reading_that_the_counter_cannot_show_is_refused() -> None:
    assert refusal_of(segment("-1", "3")) == ("reading_invalid", 400, ["meter_start_reading"])
    too_long = segment("1", "100000", digits=5)
    assert refusal_of(too_long) == ("reading_invalid", 400, ["meter_end_reading"])


def test_a_counter_did_not_roll_over_when_it_shows_more_or_its_digits_are_not_known() -> None:
    refused = ("reading_invalid", 400, ["rolled_over"])
    assert refusal_of(segment("1", "2", digits=5, rolled_over=True)) == refused
    assert refusal_of(segment("1", "1", digits=5, rolled_over=True)) == refused
    assert refusal_of(segment("2", "1", rolled_over=True)) == refused


def test_the_largest_readings_are_counted_exactly() -> None:
    largest = segment("0", "99999999999.999", multiplier=Decimal("99999999.9999"))
    assert largest.consumption() == Decimal("9999999999989900000.0000001")


def test_a_line_is_rounded_half_up_once() -> None:
    assert cost_of(Decimal("1.5"), Decimal("0.03"), "KES") == 5
    assert cost_of(Decimal("16.250"), Decimal("3.4567"), "KES") == 5617
    assert cost_of(Decimal("-1.5"), Decimal("0.03"), "KES") == -5
    assert cost_of(Decimal("1.5"), Decimal(3), "UGX") == 5


def test_an_estimate_is_the_daily_average_of_the_last_actual_year() -> None:
    assert str(estimated(31, Usage(Decimal(365), 365))) == "31.000"
    assert estimated(1, Usage(Decimal(2), 3)) == Decimal("0.667")


def test_without_history_an_estimate_is_the_average_of_like_units() -> None:
    like = [Usage(Decimal(30), 30), Usage(Decimal(90), 30)]
    assert estimated(31, None, like) == 62


def test_without_anything_to_go_by_an_estimate_is_refused_and_not_zero() -> None:
    with pytest.raises(Refusal) as refusal:
        estimated(31, None)
    assert (refusal.value.code, refusal.value.status) == ("no_history", 422)


def test_a_reading_off_the_boundary_is_interpolated_by_days() -> None:
    read = (date(2026, 3, 25), Decimal(100)), (date(2026, 4, 4), Decimal(110))
    assert interpolated(*read, on=date(2026, 3, 31)) == 106
    assert interpolated(*read, on=date(2026, 3, 25)) == 100
    with pytest.raises(ValueError, match="between"):
        interpolated(*read, on=date(2026, 4, 5))


def test_one_line_corrects_all_estimates_that_were_billed() -> None:
    assert correction(Decimal("95.5"), [Decimal("31.000"), Decimal("62.25")]) == Decimal("2.25")
    assert correction(Decimal(80), [Decimal(93)]) == -13


def test_more_than_three_times_the_average_asks_for_a_person() -> None:
    year = Usage(Decimal(365), 365)
    assert not needs_confirmation(Usage(Decimal(93), 31), year)
    assert needs_confirmation(Usage(Decimal("93.001"), 31), year)
    assert not needs_confirmation(Usage(Decimal(5000), 31), None)


def test_a_consumption_takes_a_day_or_more() -> None:
    with pytest.raises(ValueError, match="a day or more"):
        Usage(Decimal(1), 0)
