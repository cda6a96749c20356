"""The laws of periods, attacked with raw SQL: the database keeps them without Python."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from periods.models import Ownership, ServicePeriod
from periods.services.properties import transfer_property
from tests.periods.estate import Estate, build_estate


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@contextmanager
def refused(law: str) -> Iterator[None]:
    """The database refuses what is done inside, now or at commit, naming the law."""
    with pytest.raises(DatabaseError) as error, _to_the_end():
        yield
    cause = error.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert law in (cause.diag.constraint_name or str(cause))


@contextmanager
def _to_the_end() -> Iterator[None]:
    with transaction.atomic():
        yield
        run("SET CONSTRAINTS ALL IMMEDIATE")


def run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


COPY_PERIOD = """
    INSERT INTO periods_serviceperiod (id, association_id, name, start_date, end_date, previous_id,
                                       previous_end, status, version)
    SELECT %s, association_id, name || ' again', %s, %s, %s, %s, 'OPEN', 0
    FROM periods_serviceperiod WHERE id = %s
"""


def copied(
    period: ServicePeriod, start: date, end: date, previous: UUID | None, previous_end: date | None
) -> None:
    run(COPY_PERIOD, uuid4(), start, end, previous, previous_end, period.pk)


def test_an_association_has_one_first_period(estate: Estate) -> None:
    period = estate.period()
    with refused("periods_period_first"):
        copied(period, date(2027, 1, 1), date(2027, 3, 31), None, None)


def test_two_periods_never_share_a_day(estate: Estate) -> None:
    period = estate.period()
    with refused("periods_period_follows"):
        copied(period, date(2026, 3, 31), date(2026, 6, 30), period.pk, period.end_date)


def test_a_period_starts_the_day_after_the_one_before(estate: Estate) -> None:
    period = estate.period()
    with refused("periods_period_follows"):
        copied(period, date(2026, 4, 2), date(2026, 6, 30), period.pk, period.end_date)
    with refused("periods_period_previous_same"):
        copied(period, date(2026, 4, 2), date(2026, 6, 30), period.pk, date(2026, 4, 1))


def test_a_period_is_followed_by_one(estate: Estate) -> None:
    period = estate.period()
    estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    with refused("periods_serviceperiod_previous_id_key"):
        copied(period, date(2026, 4, 1), date(2026, 5, 31), period.pk, period.end_date)


def test_the_dates_of_a_period_never_change(estate: Estate) -> None:
    period = estate.period()
    with refused("frozen_columns"):
        run("UPDATE periods_serviceperiod SET end_date = '2026-04-30' WHERE id = %s", period.pk)


def test_a_period_never_goes_from_open_to_stale(estate: Estate) -> None:
    period = estate.period()
    with refused("periods_serviceperiod_guarded_status"):
        run("UPDATE periods_serviceperiod SET status = 'STALE' WHERE id = %s", period.pk)


@pytest.mark.parametrize(
    "table", ["contribution", "expense", "servicecharge", "budgetitem", "scopedproperty"]
)
def test_a_closed_period_does_not_change(estate: Estate, table: str) -> None:
    period = estate.period()
    item = estate.item(period, scope=[estate.units["Ann"].pk])
    estate.contribution(period, "Ann", "1.00")
    estate.expense(period, "1.00", item=item)
    estate.charge(period, "Ann", "1.00")
    estate.close(period)
    column = {"budgetitem": "payment_type", "scopedproperty": "property_id"}.get(table, "amount")
    with refused("periods_period_closed"):
        run(f"UPDATE periods_{table} SET {column} = {column}")


def test_a_record_is_dated_within_its_period(estate: Estate) -> None:
    estate.contribution(estate.period(), "Ann", "1.00")
    with refused("periods_date_in_period"):
        run("UPDATE periods_contribution SET date = '2026-04-01'")


def test_a_record_names_an_owner_of_its_own_association(estate: Estate) -> None:
    other = build_estate(scene=estate.scene, name="Baobab House")
    estate.contribution(estate.period(), "Ann", "1.00")
    with refused("periods_contribution_owner_same"):
        run("UPDATE periods_contribution SET owner_id = %s", other.owners["Ann"].pk)


def test_an_expense_names_a_budget_item_of_its_own_period(estate: Estate) -> None:
    estate.expense(estate.period(), "1.00")
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    item = estate.item(second)
    with refused("periods_expense_item_same"):
        run("UPDATE periods_expense SET budget_item_id = %s", item.pk)


def test_what_is_void_stays_so(estate: Estate) -> None:
    contribution = estate.contribution(estate.period(), "Ann", "1.00")
    run("UPDATE periods_contribution SET voided_at = now() WHERE id = %s", contribution.pk)
    with refused("voided_once"):
        run("UPDATE periods_contribution SET voided_at = NULL WHERE id = %s", contribution.pk)


@pytest.mark.parametrize("amount", ["0", "-1", "'NaN'"])
def test_a_contribution_is_more_than_nothing(estate: Estate, amount: str) -> None:
    estate.contribution(estate.period(), "Ann", "1.00")
    with refused("periods_contribution_amount"):
        run(f"UPDATE periods_contribution SET amount = {amount}")


def test_a_property_is_never_without_an_owner(estate: Estate) -> None:
    with refused("periods_ownership_follows"):
        run("UPDATE periods_ownership SET until_on = '2026-02-01'")


def test_a_property_never_has_two_owners_at_once(estate: Estate) -> None:
    unit = estate.units["Ann"]
    transfer_property(
        actor=estate.actor("treasurer"),
        property_id=unit.pk,
        owner_id=estate.owners["Bob"].pk,
        from_on=date(2026, 2, 1),
    )
    first = Ownership.objects.get(property=unit, until_on=date(2026, 2, 1))
    with refused("periods_ownership_last"):
        run("UPDATE periods_ownership SET until_on = NULL WHERE id = %s", first.pk)
    with refused("periods_ownership_follows"):
        run("UPDATE periods_ownership SET until_on = '2026-02-02' WHERE id = %s", first.pk)


def test_a_weight_is_never_negative(estate: Estate) -> None:
    with refused("periods_property_weight"):
        run("UPDATE periods_property SET share_weight = -1")


@pytest.mark.parametrize(
    "table",
    [
        "association",
        "owner",
        "property",
        "ownership",
        "serviceperiod",
        "contribution",
        "expense",
        "servicecharge",
        "budgetitem",
    ],
)
def test_nothing_is_ever_deleted(estate: Estate, table: str) -> None:
    period = estate.period()
    estate.contribution(period, "Ann", "1.00")
    estate.expense(period, "1.00", item=estate.item(period))
    estate.charge(period, "Ann", "1.00")
    with refused("permission denied"):
        run(f"DELETE FROM periods_{table}")
