"""PostgreSQL dies again and again under load: what was acknowledged is stored, and work goes on by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import postgres, processes
from config.embedded.home import ROOT
from config.embedded.postgres import DATABASE, OWNER, Postgres
from tests import database
from tests.outages.writer import PAYMENTS, THREADS

DEATHS = 5
PATIENCE_S = 180.0


class Server:
    """A cluster of the test's own, with durable commits."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Postgres(folder / "data", folder / "sockets")
        self.cluster.prepare()
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[str]:
        process = self.cluster.start(output=subprocess.DEVNULL)
        assert processes.wait_until(self.cluster.is_ready, seconds=60), "PostgreSQL does not answer"
        return process

    def die(self) -> None:
        """What `pg_ctl stop -m immediate` does: no goodbye, no checkpoint."""
        pid = int((self.cluster.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        self.process.wait(30)

    def rise(self) -> None:
        self.process = self._begin()

    def environment(self, role: str = postgres.RUNTIME) -> dict[str, str]:
        return {
            **os.environ,
            **database.HOME.secrets(),
            "DATABASE_URL": self.cluster.url(role=role),
            "DATABASE_OWNER_URL": self.cluster.url(role=OWNER),
            "BURSAR_TEST_FILES": str(self.cluster.data.parent),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
        }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.cluster.make_roles()
    server.cluster.make_database(DATABASE)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, cwd=ROOT, env=server.environment(OWNER), check=True)
    yield server
    server.process.send_signal(signal.SIGINT)
    server.process.wait(30)


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


@pytest.mark.full
def test_what_was_acknowledged_is_stored_and_the_rest_comes_through(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "acknowledged"
    command = [sys.executable, "-m", "tests.outages.writer", str(file)]
    writer = subprocess.Popen(
        command,
        cwd=ROOT,
        env=server.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for number in range(1, DEATHS + 1):
        wanted = number * PAYMENTS // (DEATHS + 2)
        assert processes.wait_until(lambda: len(lines(file)) >= wanted, seconds=PATIENCE_S)  # noqa: B023
        server.die()
        died_at = len(lines(file))
        time.sleep(0.2)
        assert len(lines(file)) - died_at <= THREADS  # what was on its way out of the process
        server.rise()
    said, complained = writer.communicate(timeout=PATIENCE_S)
    assert writer.returncode == 0, complained
    acknowledged = lines(file)
    assert len(acknowledged) == len(set(acknowledged)) == PAYMENTS
    with server.cluster.connect(DATABASE) as connection:
        stored = connection.execute("SELECT payment_id::text FROM treasury_paymentexecution")
        assert {row[0] for row in stored} == set(acknowledged)
    assert int(said.split()[0]) > 0  # somebody was asked again
