"""Bursar as it runs in production: a PostgreSQL of somebody else's, two roles, production settings."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.redis import Redis
from tests import servers
from tests.servers import Deployment, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that nothing of Bursar's was done to yet; its path is short, for its socket."""
    folder = Path(tempfile.mkdtemp(prefix="bx-"))
    with servers.running(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def deployment(
    server: Server, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """Prepared and migrated by the documented commands; empty otherwise."""
    home = tmp_path_factory.mktemp("deployment")
    deployed = Deployment(server, home, redis_server.url(5))
    deployed.managed("prepare_database")
    deployed.managed("migrate", "--verbosity=0", DATABASE_ADMIN_URL="")
    return deployed
