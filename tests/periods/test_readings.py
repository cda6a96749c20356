"""Meters: what was consumed, what it costs, who is charged for it."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.refusals import InvalidInput
from periods.allocation import NoWeight
from periods.consumption import consumption_in
from periods.metering import NoHistory
from periods.models import BudgetItem, Meter, Reading, ServiceCharge, ServicePeriod
from periods.refusals import ReadingTwice
from periods.services.meters import add_meter, retire_meter
from periods.services.properties import edit_property, transfer_property
from periods.services.readings import (
    ReadingImplausible,
    edit_reading,
    record_reading,
    void_reading,
)
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate({"Ann": "60", "Bob": "40"})


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


@pytest.fixture
def water(estate: Estate, period: ServicePeriod) -> BudgetItem:
    return estate.item(period, "Water", allocation_strategy="USAGE_BASED")


def meter_of(estate: Estate, item: BudgetItem, owner: str | None, **asked: Any) -> Meter:
    return add_meter(
        actor=estate.actor("treasurer"),
        association_id=estate.association.pk,
        budget_item_id=item.pk,
        property_id=estate.units[owner].pk if owner else None,
        **asked,
    )


def read(estate: Estate, period: ServicePeriod, meter: Meter, *shown: str, **asked: Any) -> Reading:
    """Record that the meter shows the last of ``shown``, and showed the first of two before."""
    if shown:
        asked["meter_end_reading"] = shown[-1]
    if len(shown) == 2:
        asked["meter_start_reading"] = shown[0]
    return record_reading(
        actor=estate.actor("reconciler"), period_id=period.pk, meter_id=meter.pk, **asked
    )


def following(estate: Estate, number: int = 1) -> ServicePeriod:
    """The second quarter, or the third, of 2026."""
    starts = [date(2026, 4, 1), date(2026, 7, 1)]
    ends = [date(2026, 6, 30), date(2026, 9, 30)]
    return estate.period(f"Quarter {number + 1}", starts[number - 1], ends[number - 1])


def charges_of(estate: Estate) -> dict[str, Decimal]:
    owned = {owner.pk: name for name, owner in estate.owners.items()}
    sums: dict[str, Decimal] = {}
    for charge in ServiceCharge.objects.filter(voided_at=None):
        name = owned[charge.owner_id]
        sums[name] = sums.get(name, Decimal(0)) + charge.amount
    return sums


def test_consumption_times_price_is_rounded_half_up_once(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    reading = read(
        estate, period, meter_of(estate, water, "Ann"), "1234.500", "1250.750", unit_price="3.4567"
    )
    assert (reading.consumption, reading.total_cost) == (Decimal("16.250"), Decimal("56.17"))


def test_a_total_cost_that_is_given_must_be_the_computed_one(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    with pytest.raises(InvalidInput) as refused:
        read(estate, period, meter, "0", "1.5", unit_price="0.03", total_cost="0.04")
    assert refused.value.code == "total_cost_differs"
    assert read(
        estate, period, meter, "0", "1.5", unit_price="0.03", total_cost="0.05"
    ).total_cost == Decimal("0.05")


def test_a_lower_reading_is_refused_unless_the_counter_rolled_over(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann", digits=4)
    with pytest.raises(InvalidInput) as refused:
        read(estate, period, meter, "9990", "15")
    assert refused.value.code == "reading_decreased"
    assert read(estate, period, meter, "9990", "15", rolled_over=True).consumption == 25


def test_a_replaced_meter_has_two_segments_in_a_period(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "8421", "8500", to_on=date(2026, 2, 14))
    read(estate, period, meter, "3", "41", from_on=date(2026, 2, 15))
    counted = consumption_in(period)["water"]
    assert counted.private == {estate.units["Ann"].pk: Fraction(117)}


def test_the_same_day_is_not_read_twice(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "10")
    with pytest.raises(ReadingTwice):
        read(estate, period, meter, "11")


def test_a_reading_goes_on_from_the_last_one(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann", multiplier="40")
    read(estate, period, meter, "10", "12")
    reading = read(estate, following(estate), meter, "13.5")
    assert (reading.meter_start_reading, reading.consumption) == (12, 60)


def test_what_was_read_on_other_days_is_interpolated(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    reading = read(estate, period, meter, "0", "100", to_on=date(2026, 4, 10))
    assert (reading.kind, reading.consumption) == ("INTERPOLATED", Decimal("90.000"))


def test_an_estimate_is_the_daily_average_of_the_last_year(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "90")
    estimate = read(estate, following(estate), meter, kind="ESTIMATED")
    assert (estimate.kind, estimate.consumption) == ("ESTIMATED", Decimal("91.000"))


def test_without_history_an_estimate_is_the_average_of_like_units_or_refused(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    ann, bob = meter_of(estate, water, "Ann"), meter_of(estate, water, "Bob")
    with pytest.raises(NoHistory):
        read(estate, period, ann, kind="ESTIMATED")
    read(estate, period, bob, "0", "45")
    assert read(estate, period, ann, kind="ESTIMATED").consumption == 45


def test_the_first_actual_reading_corrects_the_estimates(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "90")
    read(estate, following(estate), meter, kind="ESTIMATED")
    correction = read(estate, following(estate, 2), meter, "160")
    assert (correction.kind, correction.consumption) == ("CORRECTION", Decimal("-21.000"))


def test_more_than_three_times_the_average_wants_to_be_confirmed(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "90")
    second = following(estate)
    with pytest.raises(ReadingImplausible):
        read(estate, second, meter, "900")
    assert read(estate, second, meter, "900", confirmed=True).consumption == 810


def test_a_meter_without_a_reading_is_missing_until_it_is_retired(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    assert consumption_in(period)["water"].missing == [meter]
    retire_meter(actor=estate.actor("treasurer"), meter_id=meter.pk, retired_on=date(2025, 12, 31))
    assert consumption_in(period)["water"].missing == []


def test_the_main_meter_leaves_a_common_part_that_goes_by_share(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "100")
    read(estate, period, meter_of(estate, water, "Ann"), "0", "40")
    read(estate, period, meter_of(estate, water, "Bob"), "0", "35")
    ann, bob = estate.units["Ann"].pk, estate.units["Bob"].pk
    weights = consumption_in(period)["water"].weights({ann: Fraction(60), bob: Fraction(40)})
    assert weights == {ann: Fraction(55), bob: Fraction(45)}


class TestConsumptionChargedAtItsPrice:
    """Billing by unit price: readings are charged when they are recorded, and the charges follow them."""

    @pytest.fixture
    def water(self, estate: Estate, period: ServicePeriod) -> BudgetItem:
        return estate.item(period, "Water", allocation_strategy="USAGE_BASED", billing="unit_price")

    def test_each_pays_his_own_and_all_pay_the_common_rest_by_share(
        self, estate: Estate, period: ServicePeriod, water: BudgetItem
    ) -> None:
        for owner, shown in ((None, "100"), ("Ann", "40"), ("Bob", "35")):
            read(estate, period, meter_of(estate, water, owner), "0", shown, unit_price="2.00")
        assert charges_of(estate) == {"Ann": 110, "Bob": 90}
        assert (estate.balance("Ann"), estate.balance("Bob")) == (-110, -90)
        assert_books_hold()

    def test_an_edited_reading_is_charged_anew(
        self, estate: Estate, period: ServicePeriod, water: BudgetItem
    ) -> None:
        reading = read(estate, period, meter_of(estate, water, "Ann"), "0", "40", unit_price="2.00")
        edit_reading(actor=estate.actor("treasurer"), reading_id=reading.pk, meter_end_reading="41")
        assert charges_of(estate) == {"Ann": 82}
        void_reading(actor=estate.actor("treasurer"), reading_id=reading.pk)
        assert (charges_of(estate), estate.balance("Ann")) == ({}, 0)

    def test_who_sold_and_who_bought_share_by_days(
        self, estate: Estate, period: ServicePeriod, water: BudgetItem
    ) -> None:
        transfer_property(
            actor=estate.actor("treasurer"),
            property_id=estate.units["Ann"].pk,
            owner_id=estate.owners["Bob"].pk,
            from_on=date(2026, 1, 31),
        )
        read(estate, period, meter_of(estate, water, "Ann"), "0", "90", unit_price="1.00")
        assert charges_of(estate) == {"Ann": 30, "Bob": 60}

    def test_nobody_outside_the_scope_pays_for_it_when_nobody_in_it_shares(
        self, estate: Estate, period: ServicePeriod
    ) -> None:
        ann = estate.units["Ann"].pk
        gas = estate.item(
            period,
            "Gas",
            allocation_strategy="USAGE_BASED",
            billing="unit_price",
            scope=[ann],
        )
        edit_property(actor=estate.actor("treasurer"), property_id=ann, active=False)
        with pytest.raises(NoWeight):
            read(estate, period, meter_of(estate, gas, None), "0", "100", unit_price="2.00")
        assert charges_of(estate) == {}
