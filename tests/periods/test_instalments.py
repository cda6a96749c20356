"""Instalments: asked for by share and then in time; paying late costs a fee, once."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from ledger.actor import Actor
from ledger.refusals import InvalidInput
from periods.models import Instalment, LateFeeRule, ServiceCharge, ServicePeriod
from periods.services.contributions import void_contribution
from periods.services.instalments import plan_instalments, withdraw_instalments
from periods.services.late_fees import (
    charge_late_fees,
    charge_late_fees_of_today,
    set_late_fee_rule,
)
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold

DUE = date(2026, 5, 10)


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    return estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))


def asked(
    estate: Estate, period: ServicePeriod, amount: str, **content: object
) -> list[Instalment]:
    wanted = {"instalments": 1, "first_due_on": DUE, "description": "Roof"} | content
    plan = plan_instalments(
        actor=estate.actor("treasurer"),
        period_id=period.pk,
        amount=amount,
        **wanted,  # type: ignore[arg-type]
    )
    return list(plan.parts.order_by("owner__number", "number"))


def fees_of(estate: Estate, owner: str = "Ann") -> Decimal:
    live = ServiceCharge.objects.filter(owner=estate.owners[owner], voided_at=None)
    return sum((charge.amount for charge in live), Decimal(0))


def rule(estate: Estate, **terms: object) -> LateFeeRule:
    return set_late_fee_rule(
        actor=estate.actor("cfo"),
        association_id=estate.association.pk,
        **terms,  # type: ignore[arg-type]
    )


def run(estate: Estate, period: ServicePeriod, day: int, month: int = 5) -> list[ServiceCharge]:
    return charge_late_fees(
        actor=estate.actor("treasurer"), period_id=period.pk, on=date(2026, month, day)
    )


def test_a_special_assessment_is_shared_first_and_then_split_in_time(
    estate: Estate, period: ServicePeriod
) -> None:
    parts = asked(estate, period, "10000.01", instalments=4)
    by_owner = [[str(part.amount) for part in parts[n : n + 4]] for n in (0, 4, 8)]
    assert by_owner == [
        ["1125.0100", "1125.0000", "1125.0000", "1125.0000"],
        ["750.0000"] * 4,
        ["625.0000"] * 4,
    ]
    assert [part.due_on.month for part in parts[:4]] == [5, 6, 7, 8]
    assert estate.balance("Ann") == 0


def test_due_dates_are_reckoned_from_the_first_one(estate: Estate, period: ServicePeriod) -> None:
    parts = asked(estate, period, "1000", instalments=3, first_due_on=date(2027, 1, 31))
    assert [part.due_on for part in parts[:3]] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]


def test_what_goes_by_consumption_cannot_be_asked_for_beforehand(
    estate: Estate, period: ServicePeriod
) -> None:
    item = estate.item(period, "Water", allocation_strategy="USAGE_BASED")
    with pytest.raises(InvalidInput) as refused:
        asked(estate, period, "100", budget_item=item.pk)
    assert list(refused.value.errors) == ["budget_item"]


def test_the_fee_job_run_twice_for_a_day_charges_once(
    estate: Estate, period: ServicePeriod
) -> None:
    rule(estate, grace_days=5, fixed_fee="10.00")
    asked(estate, period, "1000")
    assert run(estate, period, 15) == []
    assert len(run(estate, period, 16)) == 3
    assert run(estate, period, 16) == []
    assert (fees_of(estate), estate.balance("Ann")) == (10, -10)


def test_a_contribution_dated_back_inside_the_grace_takes_the_fee_back(
    estate: Estate, period: ServicePeriod
) -> None:
    rule(estate, grace_days=5, fixed_fee="10.00")
    asked(estate, period, "1000")
    run(estate, period, 16)
    late = estate.contribution(period, "Ann", "450.00", date=date(2026, 5, 14))
    assert (fees_of(estate), fees_of(estate, "Bob")) == (0, 10)
    assert estate.balance("Ann") == 450
    void_contribution(actor=estate.actor("treasurer"), contribution_id=late.pk, reason="Bounced")
    assert len(run(estate, period, 17)) == 1
    assert fees_of(estate) == 10
    assert_books_hold()


def test_a_contribution_to_a_reopened_period_credits_a_fee_of_a_later_one_there(
    estate: Estate, period: ServicePeriod
) -> None:
    rule(estate, grace_days=5, fixed_fee="10.00")
    asked(estate, period, "1000", first_due_on=date(2026, 6, 28))
    estate.close(period)
    third = estate.period("Third quarter", date(2026, 7, 1), date(2026, 9, 30))
    assert len(run(estate, third, 4, month=7)) == 3
    estate.reopen(period)
    estate.contribution(period, "Ann", "450.00", date=date(2026, 6, 20))
    credit = ServiceCharge.objects.get(period=period)
    assert (credit.amount, credit.date) == (-10, period.end_date)
    assert (fees_of(estate), estate.balance("Ann")) == (0, 450)
    estate.close(period)
    assert estate.closings(third)["Ann"] == 450
    assert_books_hold()


def test_interest_is_simple_by_days_and_up_to_the_cap(
    estate: Estate, period: ServicePeriod
) -> None:
    rule(estate, yearly_percent="36.5", cap="10.00")
    asked(estate, period, "1000")
    run(estate, period, 20)
    assert fees_of(estate) == Decimal("4.50")  # 450.00 for ten days at a thousandth a day
    run(estate, period, 30, month=6)
    assert fees_of(estate) == 10


def test_a_withdrawn_plan_asks_for_nothing_more(estate: Estate, period: ServicePeriod) -> None:
    rule(estate, fixed_fee="10.00")
    plan = asked(estate, period, "1000")[0].plan
    withdraw_instalments(actor=estate.actor("treasurer"), plan_id=plan.pk)
    assert run(estate, period, 20) == []


def test_the_daily_job_charges_where_today_lies_in_an_open_period(
    estate: Estate, period: ServicePeriod
) -> None:
    rule(estate, fixed_fee="10.00")
    asked(estate, period, "1000")
    job = Actor.system("late fees")
    assert charge_late_fees_of_today(actor=job, today=lambda company: date(2026, 7, 1)) == 0
    assert charge_late_fees_of_today(actor=job, today=lambda company: date(2026, 5, 20)) == 3
    assert charge_late_fees_of_today(actor=job, today=lambda company: date(2026, 5, 20)) == 0


@pytest.mark.parametrize(
    ("law", "statement"),
    [
        (
            "periods_instalment_sum",
            """
            INSERT INTO periods_instalment (id, number, due_on, amount, association_id, owner_id, plan_id)
            SELECT gen_random_uuid(), 99, due_on, 1, association_id, owner_id, plan_id
            FROM periods_instalment LIMIT 1
            """,
        ),
        ("permission denied", "UPDATE periods_instalment SET amount = 1"),
        ("permission denied", "DELETE FROM periods_instalmentplan"),
        ("frozen_columns", "UPDATE periods_instalmentplan SET amount = 1"),
    ],
)
def test_the_database_keeps_what_was_asked_for(
    estate: Estate, period: ServicePeriod, law: str, statement: str
) -> None:
    asked(estate, period, "1000")
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        connection.cursor().execute(statement)
    cause = refused.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert law in (cause.diag.constraint_name or str(cause))
