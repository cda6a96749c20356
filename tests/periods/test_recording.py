"""Recording: contributions, expenses and charges stand in the books at once, and an edit posts them anew."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.models import Account, JournalEntry
from ledger.refusals import InvalidInput, RoleRequired
from periods.models import BudgetItem, Contribution, ServicePeriod
from periods.refusals import AlreadyVoid, PeriodClosed, RefundTooLarge
from periods.services.budget_items import take_over_budget_items
from periods.services.contributions import edit_contribution, record_contribution, void_contribution
from periods.services.expenses import edit_expense, void_expense
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold, build_scene


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period()


def cash(estate: Estate) -> Decimal:
    return Account.objects.get(pk=estate.association.cash_account_id).balance


def costs(estate: Estate) -> Decimal:
    return Account.objects.get(pk=estate.association.costs_account_id).balance


def test_a_contribution_is_cash_of_the_association_that_it_owes_the_owner(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.contribution(period, "Ann", "450.00")
    assert (cash(estate), estate.balance("Ann")) == (450, 450)
    assert_books_hold()


def test_an_edited_contribution_is_reversed_and_posted_again(
    estate: Estate, period: ServicePeriod
) -> None:
    contribution = estate.contribution(period, "Ann", "450.00")
    edit_contribution(
        actor=estate.actor("reconciler"),
        contribution_id=contribution.pk,
        owner_id=estate.owners["Bob"].pk,
        amount="400.00",
    )
    assert (cash(estate), estate.balance("Ann"), estate.balance("Bob")) == (400, 0, 400)
    references = JournalEntry.objects.filter(reference__startswith=contribution.reference)
    assert references.count() == 3
    assert_books_hold()


def test_an_edit_that_changes_nothing_posts_nothing(estate: Estate, period: ServicePeriod) -> None:
    contribution = estate.contribution(period, "Ann", "450.00")
    edited = edit_contribution(
        actor=estate.actor("treasurer"), contribution_id=contribution.pk, amount="450.00"
    )
    assert edited.version == 1
    assert JournalEntry.objects.count() == 1


def test_a_void_contribution_leaves_the_books_as_if_it_had_not_been(
    estate: Estate, period: ServicePeriod
) -> None:
    contribution = estate.contribution(period, "Ann", "450.00")
    treasurer = estate.actor("treasurer")
    void_contribution(actor=treasurer, contribution_id=contribution.pk, reason="Typed twice")
    assert (cash(estate), estate.balance("Ann")) == (0, 0)
    with pytest.raises(AlreadyVoid):
        void_contribution(actor=treasurer, contribution_id=contribution.pk, reason="Typed twice")


def test_an_expense_that_an_owner_paid_is_owed_to_him(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.expense(period, "99.99", paid_by="Cy")
    assert (estate.balance("Cy"), costs(estate), cash(estate)) == (
        Decimal("99.99"),
        Decimal("99.99"),
        0,
    )


def test_an_expense_of_the_association_leaves_its_cash(
    estate: Estate, period: ServicePeriod
) -> None:
    expense = estate.expense(period, "500.00")
    assert (costs(estate), cash(estate)) == (500, -500)
    edit_expense(
        actor=estate.actor("treasurer"), expense_id=expense.pk, paid_by=estate.owners["Bob"].pk
    )
    assert (costs(estate), cash(estate), estate.balance("Bob")) == (500, 0, 500)


def test_a_refund_is_the_mirror_of_its_expense(estate: Estate, period: ServicePeriod) -> None:
    expense = estate.expense(period, "500.00")
    estate.expense(period, "500.00", kind="refund", refund_of=expense.pk)
    assert (costs(estate), cash(estate)) == (0, 0)


def test_refunds_never_come_to_more_than_their_expense(
    estate: Estate, period: ServicePeriod
) -> None:
    treasurer = estate.actor("treasurer")
    expense = estate.expense(period, "500.00")
    first = estate.expense(period, "300.00", kind="refund", refund_of=expense.pk)
    with pytest.raises(RefundTooLarge):
        estate.expense(period, "200.01", kind="refund", refund_of=expense.pk)
    second = estate.expense(period, "200.00", kind="refund", refund_of=expense.pk)
    for changed, amount in ((first, "300.01"), (expense, "499.99")):
        with pytest.raises(RefundTooLarge):
            edit_expense(actor=treasurer, expense_id=changed.pk, amount=amount)
    with pytest.raises(RefundTooLarge):
        void_expense(actor=treasurer, expense_id=expense.pk, reason="Typed twice")
    for refund in (first, second):
        void_expense(actor=treasurer, expense_id=refund.pk, reason="Not given back")
    void_expense(actor=treasurer, expense_id=expense.pk, reason="Typed twice")
    assert (costs(estate), cash(estate)) == (0, 0)


def test_with_a_fund_an_expense_is_owed_until_treasury_pays_it(db: None) -> None:
    estate = build_estate(scene=build_scene(opening="1000"), with_fund=True)
    estate.expense(estate.period(), "500.00")
    clearing = Account.objects.get(pk=estate.association.clearing_account_id)
    assert (cash(estate), clearing.balance) == (1000, 500)


def test_a_charge_is_owed_by_one_owner(estate: Estate, period: ServicePeriod) -> None:
    estate.charge(period, "Bob", "15.00")
    equity = Account.objects.get(pk=estate.association.equity_account_id)
    assert (estate.balance("Bob"), equity.balance) == (-15, 15)


def test_a_date_outside_the_period_is_refused(estate: Estate, period: ServicePeriod) -> None:
    with pytest.raises(InvalidInput) as refused:
        estate.contribution(period, "Ann", "1.00", date=date(2026, 4, 1))
    assert refused.value.code == "date_outside_period"


def test_nothing_is_written_into_a_closed_period(estate: Estate, period: ServicePeriod) -> None:
    estate.close(period)
    with pytest.raises(PeriodClosed):
        estate.contribution(period, "Ann", "1.00")
    assert not Contribution.objects.exists()


def test_an_owner_of_another_association_is_unknown(estate: Estate, period: ServicePeriod) -> None:
    other = build_estate(scene=estate.scene, name="Baobab House")
    with pytest.raises(InvalidInput) as refused:
        record_contribution(
            actor=estate.actor("treasurer"),
            period_id=period.pk,
            owner_id=other.owners["Ann"].pk,
            amount="1.00",
            date=period.start_date,
        )
    assert refused.value.errors == {"owner_id": ["There is no such owner."]}


def test_an_approver_records_nothing(estate: Estate, period: ServicePeriod) -> None:
    with pytest.raises(RoleRequired):
        record_contribution(
            actor=estate.actor("approver"),
            period_id=period.pk,
            owner_id=estate.owners["Ann"].pk,
            amount="1.00",
            date=period.start_date,
        )


def test_a_period_takes_over_the_budget_of_the_one_before_it(
    estate: Estate, period: ServicePeriod
) -> None:
    def take_over(target: ServicePeriod, who: str = "treasurer") -> list[str]:
        made = take_over_budget_items(actor=estate.actor(who), period_id=target.pk)
        return [item.payment_type for item in made]

    ann = estate.units["Ann"]
    estate.item(period, "Lift", budgeted_cost="70.00", scope=[ann.pk])
    usage = {"allocation_strategy": "USAGE_BASED", "base_percent": 30, "fallback": "EQUAL"}
    estate.item(period, "Water", **usage)
    estate.item(period, "Guards")
    assert take_over(period) == []
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    own = estate.item(second, "guards", allocation_strategy="FIXED_FEE")
    with pytest.raises(RoleRequired):
        take_over(second, "cfo")
    assert take_over(second) == ["Lift", "Water"]
    assert take_over(second) == []
    lift, water = (BudgetItem.objects.get(period=second, payment_type=t) for t in ("Lift", "Water"))
    assert (lift.budgeted_cost, list(lift.scope.all())) == (70, [ann])
    assert (water.base_percent, water.fallback, water.billing) == (30, "EQUAL", "share")
    assert own in BudgetItem.objects.filter(period=second)
    estate.close(period)
    with pytest.raises(PeriodClosed):
        take_over(period)
