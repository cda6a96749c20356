"""Many payments, a bank that misbehaves, deaths at any step, time that jumps: two hundred seeds, money conserved.

A failure names its seed: `BURSAR_TEST_SEED=<seed> make test ARGS=tests/simulation` plays it again.
"""

import os

import pytest

from payments.gateways import daraja
from payments.models import Provider
from tests.clock import Clock
from tests.conftest import FULL, SentTasks
from tests.scene import Scene, assert_books_hold, build_scene
from tests.simulation.play import Play

GIVEN = os.environ.get("BURSAR_TEST_SEED")
SEEDS = [int(GIVEN)] if GIVEN else list(range(2_000 if FULL else 200))
AT_ONCE = 25


@pytest.fixture
def scene(transactional_db: None, sent_tasks: SentTasks) -> Scene:
    scene = build_scene(opening=100_000_000)
    Provider.objects.create(
        company=scene.company,
        kind="mpesa",
        name="M-Pesa",
        base_url="http://127.0.0.1:9",
        short_code="600000",
        initiator_name="tests",
        credentials="{}",
        certificate="",
    )
    return scene


@pytest.mark.parametrize("first", range(0, len(SEEDS), AT_ONCE))
def test_money_is_conserved_whatever_happens(
    scene: Scene,
    clock: Clock,
    sent_tasks: SentTasks,
    monkeypatch: pytest.MonkeyPatch,
    first: int,
) -> None:
    for seed in SEEDS[first : first + AT_ONCE]:
        play = Play(seed, scene, clock, sent_tasks)
        monkeypatch.setattr(daraja, "send_b2c", play.bank.send_b2c)
        monkeypatch.setattr(daraja, "query_status", play.bank.query_status)
        play.run()
    assert_books_hold()
