"""What the concurrency tests share."""

import pytest

from tests.clock import clock
from tests.conftest import SentTasks
from tests.scene import Scene, build_scene
from tests.simulator import simulator, simulator_process
from tests.web import web, web_process

__all__ = ["clock", "simulator", "simulator_process", "web", "web_process"]


@pytest.fixture
def scene(transactional_db: None, sent_tasks: SentTasks) -> Scene:
    """A company whose fund holds KES 500,000; tasks are caught, not sent."""
    return build_scene()
