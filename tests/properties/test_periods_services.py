"""Seeded campaigns through the services: whatever is recorded, closed, reopened and corrected, the sheets are
those of plain books kept from the first record on."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from periods.models import BudgetItem, ServicePeriod
from periods.sheets import balance_sheet_of
from tests.conftest import FULL
from tests.periods.estate import Estate, build_estate
from tests.periods.reference import Period, closings_from_scratch
from tests.scene import assert_books_hold

pytestmark = pytest.mark.django_db

WEIGHTS = {"Ann": "333.333", "Bob": "333.333", "Cy": "333.334", "Di": "0"}
OWNERS = tuple(WEIGHTS)
SHARED = {owner: Fraction(weight) for owner, weight in WEIGHTS.items()}
EQUAL = dict.fromkeys(OWNERS, Fraction(1))
STRATEGIES = {"PROPORTIONAL": SHARED, "FIXED_FEE": EQUAL, "NONE": None}
SEEDS = range(25 if FULL else 1)
PERIODS = 3


class Campaign:
    """Records the same in the services and on paper."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        rule = self.random.choice(["LARGEST_REMAINDER", "LARGEST_HOLDER"])
        self.to_the_largest = rule == "LARGEST_HOLDER"
        self.estate: Estate = build_estate(WEIGHTS, remainder_rule=rule)
        self.periods: list[ServicePeriod] = []
        self.items: list[dict[str, BudgetItem]] = []
        self.paper: list[Period] = []

    def open(self) -> None:
        number = len(self.periods)
        start = date(2026, 1, 1) + timedelta(days=30 * number)
        period = self.estate.period(f"P{number}", start, start + timedelta(days=29))
        self.periods.append(period)
        self.items.append(
            {
                strategy: self.estate.item(period, strategy, allocation_strategy=strategy)
                for strategy in STRATEGIES
            }
        )
        self.paper.append(Period())

    def record(self, number: int) -> None:
        """Something of every kind."""
        period, paper = self.periods[number], self.paper[number]
        for _ in range(2):
            owner, units = self.random.choice(OWNERS), self.units()
            self.estate.contribution(period, owner, written(units))
            paper.contributions.append((owner, units))
        for strategy, weights in STRATEGIES.items():
            paid_by, units = self.random.choice([None, *OWNERS]), self.units()
            item = self.items[number][strategy]
            self.estate.expense(period, written(units), item=item, paid_by=paid_by)
            paper.expenses.append((units, paid_by, weights, 0))
        owner, units = self.random.choice(OWNERS), self.units()
        self.estate.charge(period, owner, written(units))
        paper.charges.append((owner, units))

    def units(self) -> int:
        return self.random.choice([1, 2, self.random.randint(1, 10**8)])

    def require_same(self) -> None:
        """Every sheet is what the paper says, every tie-out holds, and so do the books."""
        on_paper = closings_from_scratch(self.paper, OWNERS, to_the_largest=self.to_the_largest)
        for period, closings in zip(self.periods, on_paper, strict=True):
            sheet = balance_sheet_of(ServicePeriod.objects.get(pk=period.pk))
            assert [tie.name for tie in sheet.ties if not tie.holds] == []
            assert {line.name: line.closing * 100 for line in sheet.owners} == closings
        assert_books_hold()


def written(units: int) -> str:
    return str(Decimal(units).scaleb(-2))


@pytest.mark.parametrize("seed", SEEDS)
def test_sheets_are_those_of_plain_books_before_and_after_a_correction(seed: int) -> None:
    campaign = Campaign(seed)
    for number in range(PERIODS):
        campaign.open()
        campaign.record(number)
        campaign.periods[number] = campaign.estate.close(campaign.periods[number])
    campaign.require_same()
    corrected = campaign.random.randrange(PERIODS)
    campaign.estate.reopen(campaign.periods[corrected])
    campaign.record(corrected)
    campaign.estate.close(campaign.periods[corrected])
    campaign.require_same()
