"""Closing under a crowd: one close wins, and what is recorded meanwhile is on the sheet or refused."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from periods.models import AllocationRun, Contribution, ServicePeriod
from periods.services.closing import close_period
from periods.services.contributions import record_contribution
from periods.services.reopening import reopen_period
from periods.sheets import balance_sheet_of
from tests.crowd import at_once, tally
from tests.periods.estate import Estate, build_estate
from tests.scene import Scene, assert_books_hold

CROWD = 12


@pytest.fixture
def estate(scene: Scene) -> Estate:
    return build_estate(scene=scene)


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    period = estate.period()
    estate.expense(period, "1000.01", item=estate.item(period))
    return period


def closing(estate: Estate, period: ServicePeriod) -> Any:
    return partial(close_period, actor=estate.actor("cfo"), period_id=period.pk)


def test_of_two_closes_at_once_one_is_refused(estate: Estate, period: ServicePeriod) -> None:
    outcomes = at_once([closing(estate, period), closing(estate, period)])
    assert tally(outcomes) == {"done": 1, "409 period_closed": 1}
    assert AllocationRun.objects.count() == 1
    assert_books_hold()


def test_of_two_reopenings_at_once_one_is_refused(estate: Estate, period: ServicePeriod) -> None:
    estate.close(period)
    again = partial(
        reopen_period, actor=estate.actor("cfo"), period_id=period.pk, reason="A late bill"
    )
    assert tally(at_once([again, again])) == {"done": 1, "409 period_not_closed": 1}
    assert_books_hold()


def test_what_is_recorded_while_a_period_closes_is_on_its_sheet_or_refused(
    estate: Estate, period: ServicePeriod
) -> None:
    recording = partial(
        record_contribution,
        actor=estate.actor("treasurer"),
        period_id=period.pk,
        owner_id=estate.owners["Ann"].pk,
        amount="10.00",
        date=period.start_date,
    )
    acts: list[Any] = [recording] * CROWD
    acts.insert(CROWD // 2, closing(estate, period))
    outcomes = tally(at_once(acts))
    recorded = Contribution.objects.count()
    assert outcomes.pop("409 period_closed", 0) == CROWD - recorded
    assert outcomes == {"done": recorded + 1}
    period.refresh_from_db()
    sheet = balance_sheet_of(period)
    assert sheet.totals["contributions"] == Decimal(10) * recorded
    assert {line.name: line.closing for line in sheet.owners} == {
        name: estate.balance(name) for name in estate.owners
    }
    assert_books_hold()
