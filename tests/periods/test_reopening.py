"""Reopening: for a reason, by two persons once statements were sent, and every balance after it follows."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoDbBlocker

from ledger.models import Account, JournalEntry
from ledger.refusals import InvalidInput, NotFound, RoleRequired, SegregationOfDuties
from periods.corrections import corrected_periods
from periods.models import (
    AllocationRun,
    Expense,
    RecalculationRun,
    ReopenRequest,
    ServiceCharge,
    ServicePeriod,
)
from periods.services.associations import edit_association
from periods.services.charges import ChargeFollows, void_charge
from periods.services.closing import PreviousPeriodOpen
from periods.services.expenses import edit_expense
from periods.services.recalculating import NoOpenPeriod
from periods.services.reopening import (
    PeriodNotClosed,
    ReopeningWaits,
    approve_reopening,
    reject_reopening,
    reopen_period,
    withdraw_reopening,
)
from periods.sheets import balance_sheet_of
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold
from tests.undone import undone

COSTS = ("1000.00", "900.00", "1100.00")
CALLS = {"Ann": "450.00", "Bob": "300.00", "Cy": "250.00"}
BEFORE = [
    {"Ann": Decimal(0), "Bob": Decimal(0), "Cy": Decimal(0)},
    {"Ann": Decimal(45), "Bob": Decimal(30), "Cy": Decimal(25)},
    {"Ann": Decimal(0), "Bob": Decimal(0), "Cy": Decimal(0)},
]
DELTA = {"Ann": Decimal("-112.51"), "Bob": Decimal("175.00"), "Cy": Decimal("-62.50")}


def fresh(period: ServicePeriod) -> ServicePeriod:
    return ServicePeriod.objects.select_related("association").get(pk=period.pk)


def statuses(periods: list[ServicePeriod]) -> list[tuple[str, int]]:
    return [(fresh(period).status, fresh(period).version) for period in periods]


def three_closed(estate: Estate) -> list[ServicePeriod]:
    """The three periods of the case CHAIN-01, closed."""
    periods = []
    start = date(2026, 1, 1)
    for number, cost in enumerate(COSTS, start=1):
        end = start + timedelta(days=89)
        period = estate.period(f"P{number}", start, end)
        estate.expense(period, cost, item=estate.item(period))
        for owner, amount in CALLS.items():
            estate.contribution(period, owner, amount)
        periods.append(estate.close(period))
        start = end + timedelta(days=1)
    return periods


def correct(estate: Estate, period: ServicePeriod) -> None:
    """What CHAIN-01 changes: 1000.00 becomes 1000.01, and Bob paid a bill of 250.00."""
    expense = Expense.objects.get(period=period)
    edit_expense(actor=estate.actor("treasurer"), expense_id=expense.pk, amount="1000.01")
    assert expense.budget_item
    estate.expense(period, "250.00", item=expense.budget_item, paid_by="Bob")


def moved(balances: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: balance + DELTA[name] for name, balance in balances.items()}


Lived = tuple[Estate, list[ServicePeriod]]


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[Lived]:
    """Three periods, recorded and closed once for all tests and rolled back in the end."""
    with django_db_blocker.unblock(), undone():
        estate = build_estate()
        yield estate, three_closed(estate)


@pytest.fixture
def lived(built: Lived, db: None) -> Lived:
    return deepcopy(built)


@pytest.fixture
def estate(lived: Lived) -> Estate:
    return lived[0]


@pytest.fixture
def periods(lived: Lived) -> list[ServicePeriod]:
    return lived[1]


def test_a_reopened_period_takes_back_what_its_close_shared(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    request = estate.reopen(periods[0])
    assert not request.is_waiting
    assert statuses(periods) == [("OPEN", 1), ("STALE", 1), ("STALE", 1)]
    assert Account.objects.get(pk=estate.association.costs_account_id).balance == 1000
    assert AllocationRun.objects.get(period=periods[0]).reversed_at
    sheet = balance_sheet_of(fresh(periods[1]))
    assert (sheet.status, sheet.provisional, sheet.version) == ("STALE", True, 1)
    assert_books_hold()


def test_reopening_takes_a_reason_a_cfo_and_a_closed_period(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    with pytest.raises(RoleRequired):
        reopen_period(actor=estate.actor("treasurer"), period_id=periods[0].pk, reason="Late bill")
    with pytest.raises(InvalidInput) as refused:
        reopen_period(actor=estate.actor("cfo"), period_id=periods[0].pk, reason=" ")
    assert refused.value.code == "reason_required"
    estate.reopen(periods[2])
    with pytest.raises(PeriodNotClosed):
        estate.reopen(periods[2])


def test_a_close_that_changes_nothing_makes_no_new_version(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    hashes = [balance_sheet_of(fresh(period)).hash for period in periods]
    estate.add_unit("Dan", owned_from=date(2027, 1, 1))
    estate.reopen(periods[0])
    estate.close(periods[0])
    assert statuses(periods) == [("CLOSED", 1)] * 3
    assert [balance_sheet_of(fresh(period)).hash for period in periods] == hashes
    assert not RecalculationRun.objects.exists()
    assert_books_hold()


def test_a_correction_flows_through_every_later_period(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    """CHAIN-01."""
    estate.reopen(periods[0])
    correct(estate, periods[0])
    estate.close(periods[0])
    assert statuses(periods) == [("CLOSED", 2)] * 3
    for period, before in zip(periods, BEFORE, strict=True):
        assert estate.closings(period) == moved(before)
        sheet = balance_sheet_of(fresh(period))
        assert all(tie.holds for tie in sheet.ties)
    for name in CALLS:
        assert estate.balance(name) == estate.closings(periods[2])[name]
    assert_books_hold()


def test_a_recalculated_sheet_is_the_one_that_a_close_would_make(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    """The quick way through the chain and the slow one lead to the same document."""
    estate.reopen(periods[0])
    correct(estate, periods[0])
    estate.close(periods[0])
    hashes = [balance_sheet_of(fresh(period)).hash for period in periods]
    for period in periods[1:]:
        estate.reopen(period)
        estate.close(period)
    assert [balance_sheet_of(fresh(period)).hash for period in periods] == hashes
    assert statuses(periods) == [("CLOSED", 2)] * 3


def test_a_recalculation_is_recorded_with_what_was_before_and_after(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    estate.reopen(periods[0], reason="A bill came late")
    correct(estate, periods[0])
    estate.close(periods[0])
    run = RecalculationRun.objects.get()
    assert run.request
    assert (run.request.reason, run.run_by) == ("A bill came late", estate.scene.people["cfo"])
    for looked, before in zip(corrected_periods(run), BEFORE, strict=True):
        assert (looked.version_before, looked.version_after) == (1, 2)
        assert looked.hash_before != looked.hash_after
        assert {one.owner.name: one.before for one in looked.changes} == before
        assert {one.owner.name: one.after for one in looked.changes} == moved(before)


def test_a_recalculation_stops_at_an_open_period(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    estate.reopen(periods[1])
    estate.reopen(periods[0])
    correct(estate, periods[0])
    with pytest.raises(PreviousPeriodOpen):
        estate.close(periods[1])
    estate.close(periods[0])
    assert statuses(periods) == [("CLOSED", 2), ("OPEN", 1), ("STALE", 1)]
    estate.close(periods[1])
    assert statuses(periods) == [("CLOSED", 2)] * 3
    assert estate.closings(periods[2]) == moved(BEFORE[2])
    assert_books_hold()


def frozen(estate: Estate) -> None:
    edit_association(
        actor=estate.actor("cfo"),
        association_id=estate.association.pk,
        recalculation="FREEZE_DOWNSTREAM",
    )


def test_frozen_periods_stay_and_the_first_open_one_is_adjusted(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    """CHAIN-02: the last balance is the same as when later periods are recalculated."""
    frozen(estate)
    hashes = [balance_sheet_of(fresh(period)).hash for period in periods]
    fourth = estate.period("P4", periods[2].end_date + timedelta(days=1), date(2026, 12, 31))
    estate.reopen(periods[0])
    correct(estate, periods[0])
    estate.close(periods[0])
    assert statuses(periods) == [("CLOSED", 2), ("CLOSED", 1), ("CLOSED", 1)]
    assert [balance_sheet_of(fresh(period)).hash for period in periods][1:] == hashes[1:]
    charges = ServiceCharge.objects.filter(period=fourth, kind="adjustment")
    assert {one.owner.name: -one.amount for one in charges} == DELTA
    preview = balance_sheet_of(fresh(fourth))
    assert all(tie.holds for tie in preview.ties), preview.ties
    estate.close(fourth)
    assert estate.closings(fourth) == moved(BEFORE[2])
    for name in CALLS:
        assert estate.balance(name) == estate.closings(fourth)[name]
    assert_books_hold()


def test_frozen_periods_can_be_corrected_again_and_reopened_themselves(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    frozen(estate)
    fourth = estate.period("P4", periods[2].end_date + timedelta(days=1), date(2026, 12, 31))
    estate.reopen(periods[0])
    correct(estate, periods[0])
    estate.close(periods[0])
    # Nothing of the held back difference shows in the second period, closed anew.
    estate.reopen(periods[1])
    estate.close(periods[1])
    assert statuses(periods) == [("CLOSED", 2), ("CLOSED", 1), ("CLOSED", 1)]
    estate.reopen(periods[0])
    estate.charge(periods[0], "Ann", "7.00")
    estate.close(periods[0])
    estate.close(fourth)
    expected = moved(BEFORE[2])
    expected["Ann"] -= 7
    assert estate.closings(fourth) == expected
    assert_books_hold()


def test_frozen_periods_need_an_open_one(estate: Estate, periods: list[ServicePeriod]) -> None:
    frozen(estate)
    estate.reopen(periods[0])
    correct(estate, periods[0])
    with pytest.raises(NoOpenPeriod):
        estate.close(periods[0])
    assert statuses(periods) == [("OPEN", 1), ("STALE", 1), ("STALE", 1)]
    assert not JournalEntry.objects.filter(reference__endswith=":allocation:2").exists()


def test_an_adjustment_follows_from_its_correction(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    frozen(estate)
    estate.period("P4", periods[2].end_date + timedelta(days=1), date(2026, 12, 31))
    estate.reopen(periods[0])
    correct(estate, periods[0])
    estate.close(periods[0])
    charge = ServiceCharge.objects.filter(kind="adjustment").first()
    assert charge
    with pytest.raises(ChargeFollows):
        void_charge(actor=estate.actor("treasurer"), charge_id=charge.pk, reason="No")


def test_once_statements_were_sent_another_cfo_confirms(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    ServicePeriod.objects.filter(pk=periods[0].pk).update(statements_sent_at="2026-04-05T10:00Z")
    assert estate.reopen(periods[0]).is_waiting
    assert statuses(periods) == [("CLOSED", 1)] * 3
    with pytest.raises(ReopeningWaits):
        estate.reopen(periods[0])
    approve: Callable[[str], ReopenRequest] = lambda who: approve_reopening(  # noqa: E731
        actor=estate.actor(who), period_id=periods[0].pk
    )
    with pytest.raises(SegregationOfDuties):
        approve("cfo")
    with pytest.raises(RoleRequired):
        approve("treasurer")
    request = approve("second_cfo")
    assert (request.requested_by, request.approved_by) == (
        estate.scene.people["cfo"],
        estate.scene.people["second_cfo"],
    )
    assert statuses(periods) == [("OPEN", 1), ("STALE", 1), ("STALE", 1)]
    with pytest.raises(NotFound):
        approve("second_cfo")


def test_whoever_asked_to_reopen_takes_it_back(
    estate: Estate, periods: list[ServicePeriod]
) -> None:
    def withdraw(who: str) -> ReopenRequest:
        return withdraw_reopening(actor=estate.actor(who), period_id=periods[0].pk)

    ServicePeriod.objects.filter(pk=periods[0].pk).update(statements_sent_at="2026-04-05T10:00Z")
    with pytest.raises(NotFound):
        withdraw("cfo")
    asked = estate.reopen(periods[0])
    for who in ("second_cfo", "treasurer"):
        with pytest.raises(RoleRequired):
            withdraw(who)
    withdrawn = withdraw("cfo")
    assert (withdrawn.pk, withdrawn.is_waiting, withdrawn.reopened_at) == (asked.pk, False, None)
    assert statuses(periods) == [("CLOSED", 1)] * 3
    with pytest.raises(NotFound):
        approve_reopening(actor=estate.actor("second_cfo"), period_id=periods[0].pk)
    with pytest.raises(NotFound):
        withdraw("cfo")
    assert estate.reopen(periods[0]).is_waiting


def test_another_cfo_rejects_it_with_a_reason(estate: Estate, periods: list[ServicePeriod]) -> None:
    def reject(who: str, reason: str = "The bill belongs to the next quarter") -> ReopenRequest:
        return reject_reopening(actor=estate.actor(who), period_id=periods[0].pk, reason=reason)

    ServicePeriod.objects.filter(pk=periods[0].pk).update(statements_sent_at="2026-04-05T10:00Z")
    with pytest.raises(NotFound):
        reject("second_cfo")
    estate.reopen(periods[0])
    with pytest.raises(SegregationOfDuties):
        reject("cfo")
    with pytest.raises(RoleRequired):
        reject("treasurer")
    with pytest.raises(InvalidInput) as refused:
        reject("second_cfo", " ")
    assert refused.value.code == "reason_required"
    rejected = reject("second_cfo")
    assert (rejected.is_waiting, rejected.rejected_by) == (False, estate.scene.people["second_cfo"])
    assert statuses(periods) == [("CLOSED", 1)] * 3
    for act in (approve_reopening, withdraw_reopening):
        with pytest.raises(NotFound):
            act(actor=estate.actor("second_cfo"), period_id=periods[0].pk)
    assert estate.reopen(periods[0]).is_waiting
