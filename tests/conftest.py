"""What all tests share: real PostgreSQL and Redis, the run-time role, and ways around it for attackers."""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Task
from celery.result import AsyncResult
from django.core.cache import cache
from django.db import connection
from django.template import Template
from django.test import TransactionTestCase
from django.test.utils import _TestState
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from config.embedded import postgres, processes
from config.embedded.home import ROOT
from config.embedded.redis import Redis
from tests import database
from tests.settings import FILES

FULL = os.environ.get("BURSAR_TEST_FULL") == "1"
LONGEST_ID = 80

hypothesis_settings.register_profile(
    "bursar",
    deadline=None,
    max_examples=1000 if FULL else 60,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
hypothesis_settings.load_profile("bursar")


# --- The run ------------------------------------------------------------------------------------------


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start PostgreSQL once, before xdist starts its workers."""
    if not is_worker(session.config):
        session.config.stash[CLUSTER] = database.start()


CLUSTER = pytest.StashKey[ExitStack]()


def pytest_unconfigure(config: pytest.Config) -> None:
    if CLUSTER in config.stash:
        config.stash[CLUSTER].close()
    shutil.rmtree(FILES, ignore_errors=True)


# Processes that one test process starts once for all its tests, and that are long in starting.
STARTED_ONCE = ("web_process", "workers")


def shared_by(item: pytest.Item) -> str | None:
    """What the test shares with others: a process that was started for them, or what its file built."""
    found = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    for name in STARTED_ONCE:
        if name in found:
            return name
    built = any(one.scope == "module" for definitions in found.values() for one in definitions)
    return item.nodeid.partition("::")[0] if built else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long campaigns to `make test-full`; of the rest, those that share something run in one process."""
    if FULL:
        return
    for item in items:
        shared = shared_by(item)
        if shared and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(shared))
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all that they import stay to the end: let nobody look for garbage there."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A name that people can read, for values of megabytes too."""
    if isinstance(val, bytes | str) and len(val) > LONGEST_ID:
        return f"{argname} of {len(val)}"
    return None


# --- Services -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def database_name() -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"test_{worker}_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(
    database_name: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[database.Cleaner]:
    """A migrated database of this process's own; Django connects to it as the run-time role."""
    database.create(database_name)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = database_name
        connection.settings_dict["CONN_MAX_AGE"] = 0
    cleaner = database.Cleaner(database_name)
    TransactionTestCase._fixture_teardown = lambda self: cleaner.clean()  # type: ignore[attr-defined]
    yield cleaner
    cleaner.close()
    with django_db_blocker.unblock():
        connection.close()
    database.drop(database_name)


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[Redis]:
    """A Redis of this process's own."""
    server = Redis(data=FILES, socket=FILES / "redis.sock", careless=True)
    with (FILES / "redis.log").open("w") as log:
        process = server.start(output=log.fileno())
    assert processes.wait_until(server.is_ready, seconds=10), "Redis does not answer"
    yield server
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session", autouse=True)
def _plain_templates(django_test_environment: None) -> None:
    """Templates render as they do in production.

    For its own assertions Django's test client copies every context of every template, which is a tenth of
    what a page costs. These tests read pages, as their readers do.
    """
    Template._render = _TestState.saved_data.template_render  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _empty_cache(redis_server: Redis) -> None:
    cache.clear()


# --- Ways into the database -----------------------------------------------------------------------------


def connect_as(role: str, name: str) -> psycopg.Connection:
    socket = str(database.CLUSTER.sockets)
    return psycopg.connect(host=socket, dbname=name, user=role, autocommit=True)


@pytest.fixture
def runtime_connection(transactional_db: None, database_name: str) -> Iterator[psycopg.Connection]:
    """Raw SQL as the role that the application runs as; sees what was committed."""
    with connect_as(postgres.RUNTIME, database_name) as raw:
        yield raw


@pytest.fixture
def owner_connection(transactional_db: None, database_name: str) -> Iterator[psycopg.Connection]:
    """Raw SQL as the owner of the tables, who runs migrations."""
    with connect_as(postgres.OWNER, database_name) as raw:
        yield raw


@pytest.fixture
def superuser_connection(
    transactional_db: None, database_name: str
) -> Iterator[psycopg.Connection]:
    """Raw SQL as PostgreSQL's superuser, who can do anything and must be found out."""
    with connect_as(postgres.SUPERUSER, database_name) as raw:
        yield raw


def environment_of_children(name: str) -> dict[str, str]:
    """The environment for a process that is to work on this database and this session's Redis."""
    return {
        **os.environ,
        **database.HOME.secrets(),
        "DATABASE_URL": database.CLUSTER.url(database=name),
        "DATABASE_OWNER_URL": database.CLUSTER.url(role=postgres.OWNER, database=name),
        "BURSAR_TEST_FILES": str(FILES),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def child_environment(database_name: str, transactional_db: None) -> dict[str, str]:
    """The environment for a process that is to work on this test's database, Redis and files."""
    return environment_of_children(database_name)


# --- Celery and files -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A task that was sent to the broker."""

    task: Task
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass
class SentTasks:
    """The tasks that were sent and not delivered; they run when the test says so."""

    waiting: list[Sent] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [sent.task.name for sent in self.waiting]

    def run(self) -> int:
        """Do what a worker would, until nothing is left; returns how many tasks ran."""
        done = 0
        while self.waiting:
            sent = self.waiting.pop(0)
            sent.task.apply(args=sent.args, kwargs=sent.kwargs, throw=True)
            done += 1
        return done


def catch_tasks(patch: pytest.MonkeyPatch) -> SentTasks:
    """Catch tasks instead of sending them, until what was patched is undone."""
    sent = SentTasks()

    def catch(
        self: Task,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> AsyncResult:
        sent.waiting.append(Sent(self, tuple(args or ()), dict(kwargs or {})))
        return AsyncResult("caught")

    patch.setattr(Task, "apply_async", catch)
    return sent


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> SentTasks:
    return catch_tasks(monkeypatch)


@pytest.fixture
def files() -> Path:
    """Where this process keeps media, mail and the anchor."""
    return FILES
