"""Closing a period: costs are shared to the last cent, everything ties, and the sheet stays as it was."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.models import Account, JournalEntry
from ledger.refusals import Conflict, NotFound, RoleRequired
from periods.models import AllocatedExpense, BalanceSheet, ServicePeriod, SheetLine
from periods.ownership import OwnershipGap
from periods.refusals import PeriodClosed
from periods.services.closing import PreviousPeriodOpen, close_period
from periods.services.properties import edit_property, transfer_property
from periods.services.tying import SheetDoesNotTie
from periods.sharing import BudgetItemMissing, ItemWithoutWeight
from periods.sheets import allocation_preview, balance_of, balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold, build_scene


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


def shares(estate: Estate, period: ServicePeriod) -> dict[str, Decimal]:
    """What each owner bears, by name."""
    sheet = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
    return {line.name: line.allocated for line in sheet.owners}


def test_a_close_moves_the_costs_to_the_owners(estate: Estate, period: ServicePeriod) -> None:
    estate.contribution(period, "Ann", "450.00")
    estate.expense(period, "1000.01", item=estate.item(period))
    closed = estate.close(period)
    assert (closed.status, closed.version) == ("CLOSED", 1)
    assert estate.closings(period) == {
        "Ann": Decimal("-0.01"),
        "Bob": Decimal("-300.00"),
        "Cy": Decimal("-250.00"),
    }
    for name, closing in estate.closings(period).items():
        assert estate.balance(name) == closing
    assert Account.objects.get(pk=estate.association.costs_account_id).balance == 0
    run = JournalEntry.objects.get(reference=f"periods.period:{period.pk}:allocation:1")
    assert run.effective_on == period.end_date
    assert_books_hold()


def test_a_preview_says_what_the_close_will(estate: Estate, period: ServicePeriod) -> None:
    estate.contribution(period, "Ann", "450.00")
    estate.expense(period, "99.99", item=estate.item(period), paid_by="Cy")
    estate.charge(period, "Bob", "15.00")
    preview = balance_sheet_of(period)
    assert (preview.version, preview.hash, preview.provisional) == (None, None, True)
    assert all(tie.holds for tie in preview.ties)
    sheet = balance_sheet_of(estate.close(period))
    assert (sheet.owners, sheet.items, sheet.totals, sheet.ties) == (
        preview.owners,
        preview.items,
        preview.totals,
        preview.ties,
    )
    assert (sheet.version, sheet.provisional) == (1, False)


def test_the_next_period_opens_with_what_this_one_closed_with(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.expense(period, "1000.00", item=estate.item(period))
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    expected = {"Ann": -450, "Bob": -300, "Cy": -250}
    # Also while the first one is still open.
    for _ in range(2):
        line = {line.name: line.opening for line in balance_sheet_of(second).owners}
        assert line == expected
        assert all(tie.holds for tie in balance_sheet_of(second).ties)
        if period.status == "OPEN":
            period = estate.close(period)
    estate.close(second)
    assert estate.closings(second) == expected


def test_periods_are_closed_in_their_order(estate: Estate, period: ServicePeriod) -> None:
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    with pytest.raises(PreviousPeriodOpen):
        estate.close(second)
    estate.close(period)
    with pytest.raises(PeriodClosed):
        estate.close(period)


def test_only_a_cfo_closes(estate: Estate, period: ServicePeriod) -> None:
    for name in ("treasurer", "approver", "auditor"):
        with pytest.raises(RoleRequired):
            close_period(actor=estate.actor(name), period_id=period.pk)
    stranger = build_scene(code="baobab").actor("cfo")
    with pytest.raises((NotFound, RoleRequired)):
        close_period(actor=stranger, period_id=period.pk)


def test_an_expense_without_budget_item_keeps_a_period_open(
    estate: Estate, period: ServicePeriod
) -> None:
    expense = estate.expense(period, "10.00")
    with pytest.raises(BudgetItemMissing) as refused:
        estate.close(period)
    assert refused.value.errors == {"expenses": [str(expense.pk)]}
    assert [problem.code for problem in allocation_preview(period).problems] == [
        "budget_item_missing"
    ]
    assert not JournalEntry.objects.filter(reference__contains="allocation").exists()


def test_nobody_with_a_weight_keeps_a_period_open(estate: Estate, period: ServicePeriod) -> None:
    estate.expense(period, "10.00", item=estate.item(period))
    for unit in estate.units.values():
        edit_property(actor=estate.actor("treasurer"), property_id=unit.pk, share_weight=0)
    with pytest.raises(ItemWithoutWeight):
        estate.close(period)


def test_a_property_without_owner_on_some_days_keeps_a_period_open(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.expense(period, "10.00", item=estate.item(period))
    estate.add_unit("Dan", owned_from=date(2026, 2, 1))
    with pytest.raises(OwnershipGap):
        estate.close(period)


def test_a_property_that_came_later_does_not_share(estate: Estate, period: ServicePeriod) -> None:
    estate.expense(period, "1000.00", item=estate.item(period))
    estate.add_unit("Dan", owned_from=date(2026, 4, 1))
    estate.close(period)
    assert shares(estate, period) == {"Ann": 450, "Bob": 300, "Cy": 250, "Dan": 0}


def test_seller_and_buyer_share_by_days(estate: Estate) -> None:
    year = estate.period("2026", date(2026, 1, 1), date(2026, 12, 31))
    estate.expense(year, "1000.00", item=estate.item(year))
    transfer_property(
        actor=estate.actor("treasurer"),
        property_id=estate.units["Ann"].pk,
        owner_id=estate.owners["Bob"].pk,
        from_on=date(2026, 4, 11),
    )
    estate.close(year)
    assert shares(estate, year) == {
        "Ann": Decimal("123.29"),
        "Bob": Decimal("626.71"),
        "Cy": Decimal("250.00"),
    }


def test_a_fixed_fee_is_the_same_for_each_active_property_in_scope(
    estate: Estate, period: ServicePeriod
) -> None:
    scope = [estate.units[name].pk for name in ("Ann", "Bob", "Cy")]
    item = estate.item(period, allocation_strategy="FIXED_FEE", scope=scope)
    edit_property(actor=estate.actor("treasurer"), property_id=estate.units["Bob"].pk, active=False)
    estate.expense(period, "40.01", item=item)
    estate.close(period)
    assert shares(estate, period) == {"Ann": Decimal("20.01"), "Bob": 0, "Cy": 20}


def test_what_nobody_shares_stays_with_the_association(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.expense(period, "75.00", item=estate.item(period, allocation_strategy="NONE"))
    sheet = balance_sheet_of(estate.close(period))
    assert (sheet.totals["unallocated"], sheet.totals["equity_closing"]) == (75, -75)
    assert Account.objects.get(pk=estate.association.equity_account_id).balance == -75


def test_the_largest_holder_gets_the_rest_where_the_association_says_so(db: None) -> None:
    weights = {"Ann": "10", "Bob": "10", "Cy": "1"}
    estate = build_estate(weights, remainder_rule="LARGEST_HOLDER")
    period = estate.period()
    estate.expense(period, "100.00", item=estate.item(period))
    sheet = balance_sheet_of(estate.close(period))
    assert sheet.rule == "LARGEST_HOLDER"
    assert shares(estate, period) == {
        "Ann": Decimal("47.63"),
        "Bob": Decimal("47.61"),
        "Cy": Decimal("4.76"),
    }


def test_a_refund_in_a_later_period_takes_the_weights_of_its_expense(
    estate: Estate, period: ServicePeriod
) -> None:
    expense = estate.expense(period, "100.01", item=estate.item(period))
    estate.close(period)
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    edit_property(
        actor=estate.actor("treasurer"), property_id=estate.units["Ann"].pk, share_weight=1
    )
    item = estate.item(second)
    estate.expense(second, "100.01", item=item, kind="refund", refund_of=expense.pk)
    estate.close(second)
    borne, given_back = shares(estate, period), shares(estate, second)
    assert given_back == {name: -share for name, share in borne.items()}
    assert set(estate.closings(second).values()) == {Decimal(0)}


def test_with_a_fund_the_sheet_does_not_wait_for_the_payment(db: None) -> None:
    estate = build_estate(scene=build_scene(opening="5000"), with_fund=True)
    period = estate.period()
    estate.contribution(period, "Ann", "450.00")
    estate.expense(period, "1000.00", item=estate.item(period))
    sheet = balance_sheet_of(estate.close(period))
    assert (sheet.totals["cash_opening"], sheet.totals["cash_closing"]) == (0, -550)
    assert all(tie.holds for tie in sheet.ties)
    assert_books_hold()


def test_the_books_are_asked_before_a_period_closes(
    estate: Estate, period: ServicePeriod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A posting that forgets somebody is found by T7, and nothing of the close remains."""
    estate.expense(period, "1000.00", item=estate.item(period))
    monkeypatch.setattr("periods.services.closing.share_out", lambda *_: None)
    with pytest.raises(SheetDoesNotTie) as refused:
        estate.close(period)
    assert "T7" in refused.value.detail
    assert ServicePeriod.objects.get(pk=period.pk).status == "OPEN"
    assert not BalanceSheet.objects.exists()


def test_every_share_is_kept_in_the_order_of_its_basis(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.expense(period, "1000.01", item=estate.item(period))
    estate.close(period)
    allocated = AllocatedExpense.objects.select_related("basis").get()
    names = {owner.pk: name for name, owner in estate.owners.items()}
    assert {names[pk]: share for pk, share in allocated.by_owner().items()} == shares(
        estate, period
    )
    assert SheetLine.objects.count() == 3


def test_one_owner_is_told_his_own_line(estate: Estate, period: ServicePeriod) -> None:
    estate.contribution(period, "Ann", "450.00")
    line = balance_of(estate.close(period), estate.owners["Ann"].pk)
    assert (line.contributions, line.closing) == (450, 450)
    with pytest.raises(NotFound):
        balance_of(period, estate.association.pk)


def test_a_close_reads_and_writes_with_a_bounded_number_of_statements(
    estate: Estate, period: ServicePeriod, django_assert_max_num_queries: object
) -> None:
    item = estate.item(period)
    for day in range(1, 13):
        estate.expense(period, "10.00", item=item, date=date(2026, 1, day))
    with django_assert_max_num_queries(60):  # type: ignore[operator]
        estate.close(period)


def test_what_no_close_knows_is_a_conflict() -> None:
    assert {PreviousPeriodOpen.status, SheetDoesNotTie.status} == {Conflict.status}
