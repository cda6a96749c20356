"""Consumption charged at its price follows whatever it was charged by, as long as the period is open."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.refusals import InvalidInput
from periods.allocation import NoWeight
from periods.models import BudgetItem, ServiceCharge, ServicePeriod
from periods.ownership import OwnershipGap
from periods.services.associations import edit_association
from periods.services.budget_items import edit_budget_item
from periods.services.properties import (
    TransferTooEarly,
    add_property,
    edit_property,
    transfer_property,
)
from periods.services.reopening import WeightsMissing
from periods.sheets import balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.periods.test_readings import charges_of, meter_of, read
from tests.scene import assert_books_hold

SECOND = ("Second quarter", date(2026, 4, 1), date(2026, 6, 30))


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate({"Ann": "60", "Bob": "40"})


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


@pytest.fixture
def water(estate: Estate, period: ServicePeriod) -> BudgetItem:
    return water_in(estate, period)


def water_in(estate: Estate, period: ServicePeriod) -> BudgetItem:
    return estate.item(period, "Water", allocation_strategy="USAGE_BASED", billing="unit_price")


def sell(estate: Estate, seller: str, buyer: str, day: date) -> None:
    transfer_property(
        actor=estate.actor("treasurer"),
        property_id=estate.units[seller].pk,
        owner_id=estate.owners[buyer].pk,
        from_on=day,
    )


def test_a_transfer_dated_back_splits_what_was_charged_anew(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, "Ann"), "0", "90", unit_price="1.00")
    assert charges_of(estate) == {"Ann": 90}
    sell(estate, "Ann", "Bob", date(2026, 1, 31))
    assert charges_of(estate) == {"Ann": 30, "Bob": 60}
    assert (estate.balance("Ann"), estate.balance("Bob")) == (-30, -60)
    assert_books_hold()


def test_whoever_owned_on_no_day_of_it_is_charged_nothing(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, "Ann"), "0", "90", unit_price="1.00")
    sell(estate, "Ann", "Bob", period.start_date)
    assert charges_of(estate) == {"Bob": 90}
    assert ServiceCharge.objects.exclude(voided_at=None).count() == 1
    assert (estate.balance("Ann"), estate.balance("Bob")) == (0, -90)


def test_common_consumption_follows_a_transfer(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "90", unit_price="1.00")
    assert charges_of(estate) == {"Ann": 54, "Bob": 36}
    sell(estate, "Ann", "Bob", date(2026, 1, 31))
    assert charges_of(estate) == {"Ann": 18, "Bob": 72}
    assert_books_hold()


def test_all_open_periods_from_that_day_on_follow_a_transfer(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    second = estate.period(*SECOND)
    water_in(estate, second)
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "90", unit_price="1.00")
    read(estate, second, meter, "181", unit_price="1.00")
    sell(estate, "Ann", "Bob", date(2026, 1, 31))
    assert charges_of(estate) == {"Ann": 30, "Bob": 60 + 91}
    assert_books_hold()


def test_what_a_closed_period_charged_stays(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    meter = meter_of(estate, water, "Ann")
    read(estate, period, meter, "0", "90", unit_price="1.00")
    estate.close(period)
    second = estate.period(*SECOND)
    water_in(estate, second)
    read(estate, second, meter, "181", unit_price="1.00")
    with pytest.raises(TransferTooEarly):
        sell(estate, "Ann", "Bob", date(2026, 1, 31))
    sell(estate, "Ann", "Bob", date(2026, 5, 1))
    assert charges_of(estate) == {"Ann": 90 + 30, "Bob": 61}
    assert_books_hold()


def test_a_stale_period_refuses_a_transfer_and_a_reopened_one_takes_it(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, "Ann"), "0", "90", unit_price="1.00")
    estate.close(period)
    second = estate.close(estate.period(*SECOND))
    estate.reopen(period)
    with pytest.raises(TransferTooEarly):
        sell(estate, "Ann", "Bob", date(2026, 1, 31))
    estate.reopen(second)
    sell(estate, "Ann", "Bob", date(2026, 1, 31))
    assert charges_of(estate) == {"Ann": 30, "Bob": 60}
    estate.close(period)
    assert estate.closings(period) == {"Ann": Decimal(-30), "Bob": Decimal(-60)}
    assert_books_hold()


def test_common_consumption_follows_weights(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "90", unit_price="1.00")
    bob = estate.units["Bob"].pk
    edit_property(actor=estate.actor("treasurer"), property_id=bob, share_weight="60")
    assert charges_of(estate) == {"Ann": 45, "Bob": 45}
    edit_property(actor=estate.actor("treasurer"), property_id=bob, active=False)
    assert charges_of(estate) == {"Ann": 90}
    with pytest.raises(NoWeight):
        edit_property(
            actor=estate.actor("treasurer"), property_id=estate.units["Ann"].pk, active=False
        )
    assert charges_of(estate) == {"Ann": 90}


def test_a_reopened_period_uses_todays_weights_for_charges_and_expenses_alike(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "90", unit_price="1.00")
    estate.expense(period, "100.00", item=estate.item(period, "Security"))
    estate.close(period)
    bob = estate.units["Bob"].pk
    edit_property(actor=estate.actor("treasurer"), property_id=bob, share_weight="60")
    assert charges_of(estate) == {"Ann": 54, "Bob": 36}
    assert estate.closings(period) == {"Ann": -114, "Bob": -76}
    estate.reopen(period)
    assert charges_of(estate) == {"Ann": 45, "Bob": 45}
    preview = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
    assert all(tie.holds for tie in preview.ties), preview.ties
    estate.close(period)
    assert estate.closings(period) == {"Ann": -95, "Bob": -95}
    assert_books_hold()


def test_a_period_is_not_opened_where_nobody_has_a_weight_today(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "90", unit_price="1.00")
    estate.close(period)
    for unit in estate.units.values():
        edit_property(actor=estate.actor("treasurer"), property_id=unit.pk, active=False)
    with pytest.raises(WeightsMissing, match="nobody to pay it") as refused:
        estate.reopen(period)
    assert (refused.value.status, refused.value.code) == (422, "no_weight")
    period.refresh_from_db()
    assert period.status == "CLOSED"
    assert charges_of(estate) == {"Ann": 54, "Bob": 36}
    edit_property(actor=estate.actor("treasurer"), property_id=estate.units["Ann"].pk, active=True)
    estate.reopen(period)
    assert charges_of(estate) == {"Ann": 90}
    assert_books_hold()


def test_common_consumption_follows_a_new_property(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "100", unit_price="1.00")
    estate.add_unit("Cy", "100")
    assert charges_of(estate) == {"Ann": 30, "Bob": 20, "Cy": 50}
    with pytest.raises(OwnershipGap):
        estate.add_unit("Di", "100", owned_from=date(2026, 2, 1))


def test_charges_follow_the_scope_and_the_billing_of_their_item(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    actor = estate.actor("treasurer")
    read(estate, period, meter_of(estate, water, None), "0", "100", unit_price="1.00")
    edit_budget_item(actor=actor, item_id=water.pk, scope=[estate.units["Ann"].pk])
    assert charges_of(estate) == {"Ann": 100}
    edit_budget_item(actor=actor, item_id=water.pk, billing="share")
    assert charges_of(estate) == {}
    edit_budget_item(actor=actor, item_id=water.pk, billing="unit_price", scope=[])
    assert charges_of(estate) == {"Ann": 60, "Bob": 40}
    assert_books_hold()


@pytest.mark.parametrize("name", ["Gießwasser", "İçme suyu"])
def test_charges_follow_an_item_whatever_letters_its_name_has(
    estate: Estate, period: ServicePeriod, name: str
) -> None:
    actor = estate.actor("treasurer")
    item = estate.item(period, name, allocation_strategy="USAGE_BASED", billing="unit_price")
    read(estate, period, meter_of(estate, item, None), "0", "100", unit_price="1.00")
    edit_budget_item(actor=actor, item_id=item.pk, scope=[estate.units["Ann"].pk])
    assert charges_of(estate) == {"Ann": 100}
    edit_budget_item(actor=actor, item_id=item.pk, billing="share")
    assert charges_of(estate) == {}
    assert_books_hold()


def test_charges_follow_the_rule_for_what_is_left_over(
    estate: Estate, period: ServicePeriod, water: BudgetItem
) -> None:
    read(estate, period, meter_of(estate, water, None), "0", "0.07", unit_price="1.00")
    assert charges_of(estate) == {"Ann": Decimal("0.04"), "Bob": Decimal("0.03")}
    edit_association(
        actor=estate.actor("treasurer"),
        association_id=estate.association.pk,
        remainder_rule="LARGEST_HOLDER",
    )
    assert charges_of(estate) == {"Ann": Decimal("0.05"), "Bob": Decimal("0.02")}


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(1, 1, 1), date(2201, 1, 1)])
def test_a_day_that_no_period_could_be_near_is_refused_by_name(estate: Estate, day: date) -> None:
    with pytest.raises(InvalidInput) as refused:
        sell(estate, "Ann", "Bob", day)
    assert list(refused.value.errors) == ["from"]
    with pytest.raises(InvalidInput) as refused:
        add_property(
            actor=estate.actor("treasurer"),
            association_id=estate.association.pk,
            owner_id=estate.owners["Ann"].pk,
            label="Cellar",
            owned_from=day,
        )
    assert list(refused.value.errors) == ["owned_from"]
