"""The running instance: it starts again what dies, ends without a trace, and survives being killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from config.embedded import processes
from config.embedded.home import ROOT
from config.embedded.postgres import DATABASE, Postgres
from tests.config.instances import PATIENCE, Instance

pytestmark = pytest.mark.xdist_group("instance")

STARTED = "SELECT pg_postmaster_start_time()::text"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that the tests of this file share; each leaves it up."""
    shared = Instance(tmp_path_factory.mktemp("instance"))
    shared.begin()
    yield shared
    shared.end()


@pytest.fixture
def up(running: Instance) -> Instance:
    if running.process is None or running.process.poll() is not None:
        running.begin()
    running.wait_until_up()
    return running


def ask(instance: Instance, statement: str) -> str:
    """The one value of a statement, asked of the instance's PostgreSQL by its superuser."""
    with Postgres.of(instance.home).connect(DATABASE) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def remember(instance: Instance, word: str) -> None:
    """Commit a word to the instance's database."""
    with Postgres.of(instance.home).connect(DATABASE) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS remembered (word text)")
        connection.execute("INSERT INTO remembered VALUES (%s)", [word])


REMEMBERED = "SELECT count(*) FROM remembered"


def test_who_comes_before_it_is_ready_is_told_so(running: Instance) -> None:
    """The first test: the instance that the others share is just being made."""
    said: list[httpx.Response] = []

    def answered() -> bool:
        with suppress(httpx.TransportError):
            said.append(httpx.get(f"http://127.0.0.1:{running.port}/"))
        return bool(said)

    assert processes.wait_until(answered, seconds=PATIENCE, every=0.1), running.log
    assert (said[0].status_code, "Bursar is starting" in said[0].text) == (503, True)
    running.wait_until_up()
    assert processes.wait_until(lambda: not running.find("doorman"), seconds=PATIENCE)
    assert httpx.get(f"http://127.0.0.1:{running.port}/").status_code == 200


def test_a_command_joins_the_running_instance(up: Instance) -> None:
    code = f"from django.db import connection as c; k = c.cursor(); k.execute('{STARTED}')"
    told = up.manage("shell", "--no-imports", "-c", f"{code}; print(k.fetchone()[0])")
    assert told.strip() == ask(up, STARTED)


def test_a_second_start_from_the_same_home_is_refused(up: Instance) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env=up.environment() | {"PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"already runs from {up.home.path}: http://127.0.0.1:{up.port}" in done.stderr


@pytest.mark.parametrize("words", ["granian", "config.celery worker", "config.celery beat"])
def test_a_killed_program_is_started_again(up: Instance, words: str) -> None:
    (killed, *_) = up.find(words)
    os.kill(killed, signal.SIGKILL)
    assert processes.wait_until(
        lambda: bool(up.find(words)) and killed not in up.find(words) and up.is_healthy(),
        seconds=PATIENCE,
        every=0.1,
    ), up.log


def test_a_worker_finds_its_way_back_to_a_killed_redis(up: Instance) -> None:
    os.kill(up.find("redis-server")[0], signal.SIGKILL)
    assert processes.wait_until(up.worker_answers, seconds=PATIENCE, every=0.5), up.log


def test_a_killed_postgres_comes_back_with_what_was_committed(up: Instance) -> None:
    remember(up, "before the kill")
    before = ask(up, REMEMBERED)
    file = up.home.postgres_data / "postmaster.pid"
    killed = int(file.read_text().splitlines()[0])
    os.kill(killed, signal.SIGKILL)
    assert processes.wait_until(
        lambda: not processes.is_alive(killed) and up.is_healthy(), seconds=PATIENCE, every=0.1
    ), up.log
    assert ask(up, REMEMBERED) == before


def test_two_instances_live_side_by_side(up: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path)
    other.begin()
    try:
        other.wait_until_up()
        assert up.is_healthy()
        assert ask(other, STARTED) != ask(up, STARTED)
    finally:
        other.end()
    assert other.living() == set()


def test_after_a_kill_of_the_whole_group_the_next_start_recovers(up: Instance) -> None:
    remember(up, "survivor")
    before = ask(up, REMEMBERED)
    up.signal_group(signal.SIGKILL)
    assert up.process is not None
    up.process.wait(10)
    up.begin()
    up.wait_until_up()
    assert ask(up, REMEMBERED) == before


def test_after_a_kill_of_the_supervisor_alone_nothing_goes_on_by_itself(up: Instance) -> None:
    assert up.process is not None
    up.process.kill()
    up.process.wait(10)
    assert processes.wait_until(lambda: not up.living(), seconds=PATIENCE), up.living()


def test_control_c_leaves_no_process(up: Instance) -> None:
    up.signal_group(signal.SIGINT)
    assert up.process is not None
    assert up.process.wait(PATIENCE) == 0, up.log
    assert up.living() == set()
    assert "stopped" in up.log


def test_a_command_without_an_instance_starts_the_services_for_itself(tmp_path: Path) -> None:
    alone = Instance(tmp_path)
    alone.manage("migrate", "ledger", "0001", "--verbosity=0")
    assert alone.living() == set()
