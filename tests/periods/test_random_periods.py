"""Whatever is recorded, a chain of periods ties, and its balances are those of plain books."""

from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest

from periods.models import ServicePeriod
from periods.sheets import balance_sheet_of
from periods.units import from_units, to_units
from tests.conftest import FULL
from tests.periods.estate import Estate, build_estate
from tests.periods.reference import Period, closings_from_scratch
from tests.scene import assert_books_hold

SEEDS = range(40) if FULL else range(3)
OWNERS = ("Ann", "Bob", "Cy")
WEIGHTS = {"Ann": "450.5", "Bob": "300", "Cy": "0.000001"}
PERIODS = 3


def recorded(estate: Estate, period: ServicePeriod, random: Random) -> Period:
    """Record some of everything, and note it down for the plain books."""
    plain = Period()
    by_weight = {name: Fraction(weight) for name, weight in WEIGHTS.items()}
    items = {
        "PROPORTIONAL": by_weight,
        "FIXED_FEE": dict.fromkeys(OWNERS, Fraction(1)),
        "NONE": None,
    }
    known = {
        strategy: estate.item(period, strategy, allocation_strategy=strategy) for strategy in items
    }
    for _ in range(random.randrange(4)):
        strategy, paid_by = random.choice(list(items)), random.choice([None, *OWNERS])
        amount = random.randrange(1, 10**6)
        refund = random.random() < 0.3
        estate.expense(
            period,
            str(from_units(amount, "KES")),
            item=known[strategy],
            paid_by=paid_by,
            kind="refund" if refund else "expense",
        )
        plain.expenses.append((-amount if refund else amount, paid_by, items[strategy], 0))
    for _ in range(random.randrange(3)):
        owner, amount = random.choice(OWNERS), random.randrange(1, 10**6)
        estate.contribution(period, owner, str(from_units(amount, "KES")))
        plain.contributions.append((owner, amount))
    if random.random() < 0.5:
        owner, amount = random.choice(OWNERS), random.randrange(1, 10**4)
        estate.charge(period, owner, str(from_units(amount, "KES")))
        plain.charges.append((owner, amount))
    return plain


def closings(estate: Estate, periods: list[ServicePeriod]) -> list[dict[str, int]]:
    return [
        {name: to_units(closing, "KES") for name, closing in estate.closings(period).items()}
        for period in periods
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chain_of_random_periods_is_that_of_plain_books(db: None, seed: int) -> None:
    random = Random(seed)
    rule = random.choice(("LARGEST_REMAINDER", "LARGEST_HOLDER"))
    largest = rule == "LARGEST_HOLDER"
    estate = build_estate(WEIGHTS, remainder_rule=rule)
    periods, plain = [], []
    start = date(2026, 1, 1)
    for number in range(PERIODS):
        period = estate.period(f"P{number}", start, start + timedelta(days=29))
        plain.append(recorded(estate, period, random))
        periods.append(estate.close(period))
        start = period.end_date + timedelta(days=1)
    assert closings(estate, periods) == closings_from_scratch(plain, OWNERS, to_the_largest=largest)
    corrected = random.randrange(PERIODS)
    estate.reopen(periods[corrected])
    amount = random.randrange(1, 10**6)
    estate.contribution(periods[corrected], "Bob", str(from_units(amount, "KES")))
    plain[corrected].contributions.append(("Bob", amount))
    estate.close(periods[corrected])
    expected = closings_from_scratch(plain, OWNERS, to_the_largest=largest)
    assert closings(estate, periods) == expected
    for period in periods:
        period.refresh_from_db()
        assert all(tie.holds for tie in balance_sheet_of(period).ties)
    for name, balance in expected[-1].items():
        assert to_units(estate.balance(name), "KES") == balance
    assert_books_hold()
