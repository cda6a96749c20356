"""Bursar as it runs in production: a PostgreSQL of somebody else's, two roles, production settings."""

import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from config.embedded import postgres, processes
from config.embedded.home import ROOT
from config.embedded.instance import free_port
from config.embedded.redis import Redis
from tests import servers
from tests.servers import Deployment, Server


def unit(name: str, **options: str) -> list[str]:
    """The command of a unit of docs/operations.md with this environment's program and other options."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(rf"# bursar-{name}\.service\nExecStart=(.+)", text)
    assert found is not None
    program, *arguments = shlex.split(found[1].replace("%%", "%"))
    for option, value in options.items():
        arguments[arguments.index(option) + 1] = value
    return [str(Path(sys.executable).parent / Path(program).name), *arguments]


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
    (home / "static").mkdir()
    deployed = Deployment(server, home, redis_server.url(5))
    deployed.managed("prepare_database")
    deployed.managed("migrate", "--verbosity=0", DATABASE_ADMIN_URL="")
    return deployed


@pytest.fixture(scope="session")
def shop(deployment: Deployment) -> Deployment:
    """The same with a company that has some money."""
    opened = "from tests.operations.business import open_shop; open_shop()"
    deployment.managed("shell", "--no-imports", "-c", opened)
    return deployment


@pytest.fixture(scope="session")
def replica(server: Server) -> Iterator[Server]:
    """A real streaming replica of the server."""
    folder = Path(tempfile.mkdtemp(prefix="by-"))
    following = Server(folder, passwords=server.passwords)
    following.follow(server)
    following.start()
    yield following
    following.stop()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Site:
    """Two web processes in production, and what they log."""

    client: httpx.Client
    token: str
    log: Path

    def monitor(self, path: str) -> httpx.Response:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.token}"})

    def log_of(self, word: str) -> list[str]:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if word in line]


@pytest.fixture(scope="session")
def site(
    shop: Deployment, replica: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The web of the shop behind a proxy that speaks HTTPS, with a replica for its reports."""
    token, port = secrets.token_urlsafe(16), free_port()
    told = shop.environment() | {
        "DATABASE_REPLICA_URL": replica.url(postgres.RUNTIME),
        "BURSAR_REPLICA_LAG": "1",
        "BURSAR_MONITORING_TOKEN": token,
    }
    command = unit("web", **{"--port": str(port), "--workers": "2"})
    log = tmp_path_factory.mktemp("site") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=output, stderr=output)
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    # A new connection each time, so that both processes are asked.
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers=headers,
        limits=limits,
        trust_env=False,
        timeout=60,
    )

    def is_up() -> bool:
        try:
            return client.get("/health/").status_code == 200
        except httpx.TransportError:
            return False

    try:
        assert processes.wait_until(is_up, seconds=120, every=0.1), log.read_text()
        yield Site(client, token, log)
    finally:
        client.close()
        process.terminate()
        process.wait(20)
