"""Service periods: a large balance sheet, a correction that flows through ten years, an expense over HTTP.

Each beside the same in plain Python: fractions and dictionaries, no database.
"""

import http.client
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from urllib.parse import urlsplit

from django.db import connection
from knox.models import AuthToken

from ledger.actor import Actor
from ledger.models import User
from ledger.services.verification import verify
from periods.models import Association, BudgetItem, Expense, Owner, ServicePeriod
from periods.services.associations import create_association
from periods.services.budget_items import create_budget_item
from periods.services.closing import close_period
from periods.services.expenses import edit_expense, record_expense
from periods.services.opening import open_period
from periods.services.owners import add_owner
from periods.services.properties import add_property
from periods.services.reopening import reopen_period
from periods.sheets import balance_sheet_of
from tests.benchmarks.figures import Figure
from tests.conftest import environment_of_children
from tests.periods.reference import share_out
from tests.scene import Scene, build_scene
from tests.web import serving

OWNERS = 500
EXPENSES = 1_000
PERIODS = 120
OVER_HTTP = 100
FIRST = date(2020, 1, 1)
AMOUNT = "1234.57"
UNITS = 123_457
PATIENCE_S = 60


@dataclass
class House:
    """An association with as many owners as the aims speak of; weights from 1 to 37."""

    scene: Scene
    association: Association
    owners: list[Owner]

    @property
    def treasurer(self) -> Actor:
        return self.scene.actor("treasurer")

    @property
    def cfo(self) -> Actor:
        return self.scene.actor("cfo")

    def weights(self) -> dict[str, Fraction]:
        return {owner.name: Fraction(1 + owner.number % 37) for owner in self.owners}

    def period(self, number: int) -> tuple[ServicePeriod, BudgetItem]:
        """The n-th period, of four weeks, with its one budget item."""
        start = FIRST + timedelta(weeks=4 * number)
        period = open_period(
            actor=self.treasurer,
            association_id=self.association.pk,
            name=f"Period {number}",
            start_date=start,
            end_date=start + timedelta(days=27),
        )
        item = create_budget_item(
            actor=self.treasurer,
            period_id=period.pk,
            payment_type="Security",
            budgeted_cost="0",
            allocation_strategy="PROPORTIONAL",
        )
        return period, item

    def spend(self, period: ServicePeriod, item: BudgetItem) -> Expense:
        return record_expense(
            actor=self.treasurer,
            period_id=period.pk,
            payment_type="Security",
            amount=AMOUNT,
            date=period.start_date,
            budget_item=item.pk,
            paid_by=self.owners[0].pk,
        )


def measure(
    name: str, *, rounds: int, owners: int = OWNERS, periods: int = PERIODS
) -> Iterator[Figure]:
    """Seed, and yield how periods relate to plain Python."""
    chain = _house("chain", owners)
    first = _live_through(chain, periods)
    large = _house("large", owners)
    period, item = large.period(0)
    _spend_a_lot(large, period, item)
    _analyse()
    yield _sheet(large, period, rounds)
    yield _recalculation(chain, first, periods)
    yield _over_http(name, large, period, item)
    report = verify()
    assert report.holds, report.faults


def _house(code: str, owners: int) -> House:
    scene = build_scene(opening=0, code=code)
    association = create_association(
        actor=scene.actor("cfo"), company_id=scene.company.pk, name=code, currency="KES"
    )
    house = House(scene, association, [])
    for number in range(1, owners + 1):
        owner = add_owner(
            actor=house.treasurer, association_id=association.pk, name=f"Owner {number:03}"
        )
        add_property(
            actor=house.treasurer,
            association_id=association.pk,
            owner_id=owner.pk,
            label=f"Flat {number:03}",
            share_weight=1 + number % 37,
        )
        house.owners.append(owner)
    return house


def _live_through(house: House, periods: int) -> Expense:
    """Close so many periods with one expense each; returns the first one's."""
    first: Expense | None = None
    for number in range(periods):
        period, item = house.period(number)
        expense = house.spend(period, item)
        first = first or expense
        close_period(actor=house.cfo, period_id=period.pk)
    assert first is not None
    return first


def _spend_a_lot(house: House, period: ServicePeriod, item: BudgetItem) -> None:
    for _ in range(EXPENSES):
        house.spend(period, item)


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _sheet(house: House, period: ServicePeriod, rounds: int) -> Figure:
    """The preview of an open period: everything is shared and tied anew each time."""
    weights = house.weights()
    period = ServicePeriod.objects.select_related("association").get(pk=period.pk)

    def plain() -> dict[str, int]:
        owed = dict.fromkeys(weights, 0)
        for _ in range(EXPENSES):
            for owner, share in share_out(UNITS, weights, to_the_largest=False).items():
                owed[owner] += share
        return owed

    def ours() -> object:
        sheet = balance_sheet_of(period)
        assert all(tie.holds for tie in sheet.ties)
        return sheet

    this = statistics.median(_timed(ours) for _ in range(rounds))
    label = f"balance sheet of {len(weights)} owners and {EXPENSES:,} expenses / plain Python"
    return Figure.of(label, this=this, floor=_timed(plain), aim=None)


def _recalculation(house: House, first: Expense, periods: int) -> Figure:
    """A correction of the first period, until all the later ones are handed out again."""
    weights = house.weights()

    def plain() -> list[dict[str, int]]:
        closings: list[dict[str, int]] = []
        balance = dict.fromkeys(weights, 0)
        for _ in range(periods):
            shares = share_out(UNITS, weights, to_the_largest=False)
            balance = {owner: balance[owner] - shares[owner] for owner in weights}
            closings.append(balance)
        return closings

    reopen_period(actor=house.cfo, period_id=first.period_id, reason="One cent more")
    edit_expense(actor=house.treasurer, expense_id=first.pk, amount="1234.58")
    this = _timed(lambda: close_period(actor=house.cfo, period_id=first.period_id))
    versions = ServicePeriod.objects.filter(association=house.association, version=2)
    assert versions.count() == periods
    label = f"recalculation of {periods} periods of {len(weights)} owners / plain Python"
    return Figure.of(label, this=this, floor=_timed(plain), aim=None)


def _over_http(name: str, house: House, period: ServicePeriod, item: BudgetItem) -> Figure:
    """One expense after the other on one connection, beside the same service in process."""
    user = house.treasurer.user
    assert isinstance(user, User)
    _, token = AuthToken.objects.create(user=user)
    body = json.dumps(
        {
            "payment_type": "Security",
            "amount": AMOUNT,
            "date": period.start_date.isoformat(),
            "budget_item": str(item.pk),
        }
    )
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    with serving(environment_of_children(name), workers=1) as web:
        address = urlsplit(web.url)
        assert address.hostname
        caller = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)

        def record() -> None:
            caller.request("POST", f"/api/periods/{period.pk}/expenses/", body, headers)
            answer = caller.getresponse()
            told = answer.read()
            assert answer.status == 201, told.decode()

        record()
        times = [_timed(record) for _ in range(OVER_HTTP)]
        alone = [_timed(lambda: house.spend(period, item)) for _ in range(OVER_HTTP)]
        caller.close()
    label = "recording an expense over HTTP / the service in plain Python"
    return Figure.of(label, this=statistics.median(times), floor=statistics.median(alone), aim=None)
