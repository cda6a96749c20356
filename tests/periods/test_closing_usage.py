"""Closing by consumption: readings weigh, a missing one keeps the period open, and nobody pays twice."""

from decimal import Decimal

import pytest

from periods.models import BudgetItem, ServicePeriod
from periods.sharing import ItemWithoutWeight, ReadingMissing
from periods.sheets import allocation_preview, balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.periods.test_readings import meter_of, read


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate({"Ann": "60", "Bob": "40"})


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


def water(estate: Estate, period: ServicePeriod, **asked: object) -> BudgetItem:
    return estate.item(period, "Water", allocation_strategy="USAGE_BASED", **asked)


def allocated(estate: Estate, period: ServicePeriod) -> dict[str, Decimal]:
    sheet = balance_sheet_of(estate.close(period))
    assert all(tie.holds for tie in sheet.ties)
    return {line.name: line.allocated for line in sheet.owners}


def test_readings_weigh_and_a_base_goes_by_share_first(
    estate: Estate, period: ServicePeriod
) -> None:
    item = water(estate, period, base_percent="30")
    estate.expense(period, "100.01", item=item)
    read(estate, period, meter_of(estate, item, "Ann"), "0", "10")
    read(estate, period, meter_of(estate, item, "Bob"), "0", "30")
    # Base 30.00 by 60 to 40, the rest of 70.01 by 10 to 30.
    assert allocated(estate, period) == {"Ann": Decimal("35.50"), "Bob": Decimal("64.51")}


def test_what_only_the_main_meter_counted_goes_by_share(
    estate: Estate, period: ServicePeriod
) -> None:
    """METER-10."""
    item = water(estate, period)
    estate.expense(period, "200.00", item=item)
    for owner, shown in (("Ann", "40"), ("Bob", "35"), (None, "100")):
        read(estate, period, meter_of(estate, item, owner), "0", shown)
    assert allocated(estate, period) == {"Ann": 110, "Bob": 90}


def test_a_meter_that_nobody_read_keeps_a_period_open(
    estate: Estate, period: ServicePeriod
) -> None:
    item = water(estate, period)
    estate.expense(period, "100.00", item=item)
    read(estate, period, meter_of(estate, item, "Ann"), "0", "10")
    forgotten = meter_of(estate, item, "Bob")
    with pytest.raises(ReadingMissing) as refused:
        estate.close(period)
    assert refused.value.errors == {"meters": [str(forgotten.pk)]}
    preview = allocation_preview(period)
    assert not preview.may_close
    assert [problem.code for problem in preview.problems] == ["reading_missing"]


def test_where_nothing_was_consumed_the_item_says_how_to_share(
    estate: Estate, period: ServicePeriod
) -> None:
    item = water(estate, period)
    estate.expense(period, "90.00", item=item)
    for owner in ("Ann", "Bob"):
        read(estate, period, meter_of(estate, item, owner), "5", "5")
    with pytest.raises(ItemWithoutWeight):
        estate.close(period)
    BudgetItem.objects.filter(pk=item.pk).update(fallback="EQUAL")
    assert allocated(estate, period) == {"Ann": 45, "Bob": 45}


def test_what_is_charged_at_its_own_price_is_not_shared_as_well(
    estate: Estate, period: ServicePeriod
) -> None:
    item = water(estate, period, billing="unit_price")
    estate.expense(period, "100.00", item=item)
    meter = meter_of(estate, item, "Ann")
    with pytest.raises(ReadingMissing):
        estate.close(period)
    read(estate, period, meter, "0", "10", unit_price="12.50")
    assert allocated(estate, period) == {"Ann": 0, "Bob": 0}
    sheet = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
    assert {line.name: line.service_charges for line in sheet.owners} == {"Ann": 125, "Bob": 0}
    assert (sheet.totals["unallocated"], sheet.totals["equity_closing"]) == (100, 25)
