"""Beat runs on several machines, and only one of them sends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery

from config.beat import ASK_AGAIN_S, BeatLock, SingleScheduler
from config.embedded.processes import wait_until
from ledger.models import LastDone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def locks() -> Iterator[tuple[BeatLock, BeatLock]]:
    pair = BeatLock(), BeatLock()
    yield pair
    for lock in pair:
        lock.release()


@pytest.fixture
def schedulers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[list[str], list[SingleScheduler]]]:
    """Two of them, each with a job that is due all the time, and what they send."""
    sent: list[str] = []

    def catch(self: SingleScheduler, entry: Any, *_: Any, **__: Any) -> None:
        sent.append(names[id(self)])
        self.reserve(entry)

    monkeypatch.setattr(SingleScheduler, "apply_async", catch)
    made = [scheduler(tmp_path / name) for name in ("first", "second")]
    names = dict(zip(map(id, made), ("first", "second"), strict=True))
    yield sent, made
    for each in made:
        each.close()


def scheduler(file: Path) -> SingleScheduler:
    app = Celery("tests", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"always": {"task": "tests.always", "schedule": 0}}
    return SingleScheduler(app, schedule_filename=str(file))


def end_holders(superuser: psycopg.Connection) -> None:
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


def test_one_holds_the_lock_until_it_lets_go(locks: tuple[BeatLock, BeatLock]) -> None:
    first, second = locks
    assert [first.held(), second.held(), first.held()] == [True, False, True]
    first.release()
    assert [second.held(), first.held()] == [True, False]


def test_a_lock_that_is_lost_with_its_connection_may_go_to_another(
    locks: tuple[BeatLock, BeatLock], superuser_connection: psycopg.Connection
) -> None:
    first, second = locks
    assert first.held()
    end_holders(superuser_connection)
    assert wait_until(second.held, seconds=60)
    assert not first.held()
    assert not first.held()


def test_of_two_beats_one_sends_and_the_other_goes_on_when_it_ends(
    schedulers: tuple[list[str], list[SingleScheduler]],
) -> None:
    sent, (first, second) = schedulers
    for _ in range(3):
        first.tick()
        assert second.tick() == ASK_AGAIN_S
    assert sent == ["first"] * len(sent)
    assert sent
    assert LastDone.objects.filter(name="beat").exists()
    first.close()
    second.tick()
    second.tick()
    assert sent[-1] == "second"
