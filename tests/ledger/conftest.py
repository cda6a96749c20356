"""Who attacks, and how it is seen that he failed."""

from collections.abc import Iterator

import pytest
from django.db import connection

from config.embedded import postgres
from tests.clock import clock

__all__ = ["clock"]


@pytest.fixture(params=[postgres.RUNTIME, postgres.OWNER])
def attacker(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """Once the role that Bursar runs as, and once the owner of the tables, on Django's connection.

    The first is stopped by privileges and triggers, the second by triggers alone.
    """
    yield from _connected_as(request.param)


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[str]:
    """Let Django's connection be the owner's, whom no missing privilege stops."""
    yield from _connected_as(postgres.OWNER)


def _connected_as(role: str) -> Iterator[str]:
    runtime = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = role
    yield role
    connection.close()
    connection.settings_dict["USER"] = runtime
