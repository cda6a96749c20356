"""An association that starts in mid-life brings its cash and its balances along."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.models import JournalEntry
from ledger.refusals import InvalidInput
from periods.models import ServicePeriod
from periods.services.opening_balances import (
    OpeningsRecorded,
    TooLateForOpenings,
    record_opening_balances,
)
from periods.services.recalculating import NoOpenPeriod
from periods.sheets import balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold, build_scene


def record(estate: Estate, cash: str = "1050.00", **balances: str) -> None:
    record_opening_balances(
        actor=estate.actor("cfo"),
        association_id=estate.association.pk,
        cash=cash,
        balances={estate.owners[name].pk: amount for name, amount in balances.items()},
    )


@pytest.mark.parametrize("with_fund", [False, True])
def test_the_first_period_opens_with_what_was_brought_along(db: None, *, with_fund: bool) -> None:
    estate = build_estate(scene=build_scene(opening="5000"), with_fund=with_fund)
    period = estate.period()
    record(estate, Ann="100.00", Bob="-50.00", Cy="0")
    sheet = balance_sheet_of(period)
    assert {line.name: line.opening for line in sheet.owners} == {"Ann": 100, "Bob": -50, "Cy": 0}
    assert (sheet.totals["cash_opening"], sheet.totals["equity_opening"]) == (1050, 1000)
    assert all(tie.holds for tie in sheet.ties), sheet.ties
    assert (estate.balance("Ann"), estate.balance("Bob")) == (100, -50)
    entry = JournalEntry.objects.get(reference=f"{estate.association.reference}:opening")
    assert entry.effective_on == date(2025, 12, 31)
    estate.close(period)
    assert estate.closings(period)["Bob"] == Decimal("-50.00")
    assert_books_hold()


def test_it_is_recorded_once_and_before_a_period_is_closed(db: None) -> None:
    estate = build_estate()
    with pytest.raises(NoOpenPeriod):
        record(estate)
    period = estate.period()
    with pytest.raises(InvalidInput):
        record(estate, Ann="1.001")
    estate.close(period)
    with pytest.raises(TooLateForOpenings):
        record(estate)


def test_it_is_recorded_once(db: None) -> None:
    estate = build_estate()
    estate.period()
    record(estate, "0")
    assert not JournalEntry.objects.exists()
    with pytest.raises(OpeningsRecorded):
        record(estate)
    assert ServicePeriod.objects.count() == 1
