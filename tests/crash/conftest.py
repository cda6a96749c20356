"""What the crash tests share: one fork server and one web server per session, a fresh stage per test."""

import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker, Settings
from pytest_django.live_server_helper import LiveServer

from tests.clock import Clock, clock
from tests.conftest import SentTasks, environment_of_children
from tests.crash.stage import Stage, told
from tests.crash.workers import Workers, running
from tests.scene import build_scene
from tests.simulator import Simulator, simulator, simulator_process

__all__ = ["clock", "simulator", "simulator_process"]


@pytest.fixture(scope="session")
def workers(
    django_db_setup: Any,
    django_db_blocker: DjangoDbBlocker,
    database_name: str,
    live_server: LiveServer,
) -> Iterator[Workers]:
    told = {"BURSAR_PUBLIC_URL": live_server.url}
    with running({**environment_of_children(database_name), **told}) as workers:
        yield workers


@pytest.fixture
def stage(
    transactional_db: None,
    live_server: LiveServer,
    simulator: Simulator,
    clock: Clock,
    workers: Workers,
    sent_tasks: SentTasks,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """A company with KES 500,000 and an account at the simulator; callbacks come over HTTP.

    What happened is printed, for pytest to show beside whatever failed.
    """
    settings.BURSAR_PUBLIC_URL = live_server.url
    settings.BURSAR_TOKEN_WAIT_S = 1
    scene = build_scene()
    scene.add_provider(simulator)
    chance = random.Random(1)
    stage = Stage(scene, simulator, clock, workers, sent_tasks, monkeypatch, chance)
    yield stage
    if stage.payment:
        sys.stdout.write(told(stage, stage.payment))
