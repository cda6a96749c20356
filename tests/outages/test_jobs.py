"""Beat runs twice, a message comes late or again: each job has its effect once."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from config.celery import app, schedule
from tests.clock import Clock, clock
from tests.conftest import SentTasks
from tests.crowd import at_once, tally
from tests.scene import Scene, assert_books_hold, build_scene
from treasury.models import ReplenishmentRequest

__all__ = ["clock"]
JOBS = sorted({str(entry["task"]) for entry in schedule().values()})
LATE = timedelta(days=3)


@pytest.fixture
def scene(
    transactional_db: None, sent_tasks: SentTasks, settings: Settings, tmp_path: Path
) -> Scene:
    """A fund that is low, and payments in every stage that a job may look at."""
    settings.BURSAR_ANCHOR = tmp_path / "anchor.jsonl"
    scene = build_scene(opening=1000, reorder_level=2000)
    scene.payment(100)
    return scene


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_runs_twice_at_once_and_again_days_later_fails_never(
    scene: Scene, clock: Clock, sent_tasks: SentTasks, job: str
) -> None:
    run = partial(app.tasks[job].apply, throw=True)
    assert tally(at_once([run] * 2)) == {"done": 2}
    clock.advance(seconds=LATE.total_seconds())
    run()
    assert scene.balances().balance == Decimal(1000)
    assert_books_hold()


def test_two_beats_ask_for_money_once(scene: Scene, clock: Clock) -> None:
    run = partial(app.tasks["treasury.check_reorder_levels"].apply, throw=True)
    assert tally(at_once([run] * 4)) == {"done": 4}
    clock.advance(days=3)
    run()
    assert ReplenishmentRequest.objects.count() == 1
