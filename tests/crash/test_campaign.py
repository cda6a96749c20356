"""The long campaigns: a death around every COMMIT, and deaths at random instants."""

import random

import pytest

from tests.crash.faults import FAULTS
from tests.crash.stage import Stage, assert_books_agree, assert_one_payout_at_most, told

COMMITS = 16
SWEPT = ("nothing", "500 after accept", "500 before accept", "refused", "QueueTimeOut")
RANDOM_KILLS = 500


def assert_ends_well(stage: Stage, fault: str, **kill: object) -> None:
    payment = stage.play_to_the_end(FAULTS[fault], **kill)
    assert_one_payout_at_most(stage, payment)
    assert_books_agree(stage, payment)
    assert payment.status in FAULTS[fault].ends, told(stage, payment)


@pytest.mark.full
@pytest.mark.parametrize("fault", SWEPT)
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_a_death_around_any_commit_loses_and_doubles_nothing(
    stage: Stage, number: int, side: str, fault: str
) -> None:
    assert_ends_well(stage, fault, commit=number, side=side)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(RANDOM_KILLS))
def test_a_death_at_a_random_instant_loses_and_doubles_nothing(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    stage.chance = chance
    fault = chance.choice(sorted(FAULTS))
    assert_ends_well(stage, fault, kill_after_s=chance.uniform(0, 0.2), step=chance.randrange(6))
