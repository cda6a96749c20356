"""What the journeys share: one running office per file."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.journeys.office import Office, running
from tests.scene import Scene, build_scene
from tests.simulator import Simulator, simulator, simulator_process

__all__ = ["simulator", "simulator_process"]


@pytest.fixture(scope="module")
def office_process(
    django_db_setup: Any,
    django_db_blocker: DjangoDbBlocker,
    database_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Office]:
    with running(tmp_path_factory.mktemp("office"), database_name) as office:
        yield office


@pytest.fixture
def scene(transactional_db: None, simulator: Simulator) -> Scene:
    """A fund with KES 100,000 that asks to be filled below 50,000; codes above 1,000; two tiers."""
    scene = build_scene(opening=100_000, reorder_level=50_000, one_approval_up_to=50_000)
    scene.require_codes(above=1000)
    scene.add_provider(simulator)
    return scene


@pytest.fixture
def office(office_process: Office, scene: Scene) -> Office:
    return office_process
