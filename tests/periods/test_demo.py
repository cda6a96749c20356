"""The demo's association: a year of periods, all of it through the services, and the books hold."""

from datetime import date

import pytest

from ledger.models import Membership, User
from ledger.roles import Role
from periods.demo.calendar import quarters_until
from periods.demo.estate import load_estate
from periods.models import Expense, Owner, Reading, ServicePeriod, Statement
from periods.sheets import balance_sheet_of
from tests.scene import Scene, assert_books_hold, build_scene


@pytest.fixture
def scene(db: None) -> Scene:
    scene = build_scene(opening=0)
    owner = User.objects.create(username="savanna_owner")
    Membership.objects.create(user=owner, company=scene.company, role=Role.OWNER)
    admin = User.objects.create(username="savanna_admin", is_superuser=True)
    scene.people |= {"owner": owner, "admin": admin}
    return scene


def test_the_demo_has_four_quarters_that_are_over_and_the_one_of_today() -> None:
    found = quarters_until(date(2026, 2, 10))
    assert [quarter.name for quarter in found] == [
        "Quarter 1 of 2025",
        "Quarter 2 of 2025",
        "Quarter 3 of 2025",
        "Quarter 4 of 2025",
        "Quarter 1 of 2026",
    ]
    assert found[0].end == date(2025, 3, 31)


def test_the_demo_has_a_year_of_periods_with_one_reopened(scene: Scene) -> None:
    association = load_estate(scene.company, scene.people)
    assert association is not None
    periods = ServicePeriod.objects.filter(association=association).order_by("start_date")
    assert [period.status for period in periods] == ["CLOSED", "OPEN", "STALE", "STALE", "OPEN"]
    assert Statement.objects.filter(owner__user=scene.people["owner"]).count() == 4
    kinds = set(Reading.objects.values_list("kind", flat=True))
    assert kinds == {"ACTUAL", "ESTIMATED", "CORRECTION"}
    assert Expense.objects.get(requisition__status="paid").vendor == "Tumaini Hardware"
    assert Owner.objects.get(name="Kevin Barasa").ownerships.count() == 1
    for period in periods:
        assert [tie for tie in balance_sheet_of(period).ties if not tie.holds] == [], period
    assert_books_hold()
    assert load_estate(scene.company, scene.people) is None
