"""Services for one command: it joins the running instance, or starts what is missing for its own time.

Two locks in the home keep order. `bursar.lock` belongs to whoever runs the services. `users.lock` is
shared by the commands that use them: a command that started the services ends them only when no other
command uses them any more.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO

from config.embedded import processes
from config.embedded.home import Home, HomeError
from config.embedded.postgres import Postgres
from config.embedded.redis import Redis

# These speak to no database, or look after the services themselves.
WITHOUT_SERVICES = frozenset(
    {
        "run",
        "help",
        "version",
        "check",
        "collectstatic",
        "makemigrations",
        "diffsettings",
        "findstatic",
        "prepare_database",
        "--help",
        "-h",
        "--version",
    }
)
AS_OWNER = frozenset({"migrate", "backup", "restore"})
READY_WITHIN = 120.0


@dataclass(frozen=True)
class Service:
    """A server that the commands need: how it starts, how one knows that it answers, how it ends."""

    name: str
    start: Callable[[int], Popen[str]]
    is_ready: Callable[[], bool]
    settle: Callable[[], None]
    signals: tuple[int, ...]


def needed(home: Home) -> list[Service]:
    """The servers whose address the environment does not name."""
    services = []
    if not os.environ.get("DATABASE_URL"):
        services.append(database_service(Postgres.of(home)))
    if not os.environ.get("REDIS_URL"):
        services.append(redis_service(Redis.of(home)))
    return services


def database_service(postgres: Postgres) -> Service:
    """PostgreSQL, with its roles and its database once it answers."""

    def start(output: int) -> Popen[str]:
        postgres.prepare()
        return postgres.start(output=output)

    def settle() -> None:
        postgres.make_roles()
        postgres.make_database()

    return Service(
        name="postgres",
        start=start,
        is_ready=postgres.is_ready,
        settle=settle,
        signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
    )


def redis_service(redis: Redis) -> Service:
    return Service(
        name="redis",
        start=lambda output: redis.start(output=output),
        is_ready=redis.is_ready,
        settle=lambda: None,
        signals=(signal.SIGTERM, signal.SIGKILL),
    )


@contextmanager
def services_for(arguments: Sequence[str]) -> Iterator[None]:
    """What `manage.py` wraps around a command: the right role and the services it needs."""
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in AS_OWNER:
        os.environ.setdefault("BURSAR_DATABASE_ROLE", "owner")
    if command in WITHOUT_SERVICES or "--help" in arguments:
        yield
        return
    home = Home.from_environment()
    wanted = needed(home)
    if not wanted:
        yield
        return
    with lent(home, wanted):
        yield


@contextmanager
def lent(home: Home, wanted: Sequence[Service]) -> Iterator[None]:
    """Lend the services to the caller: those that run, or ones started for it."""
    home.make()
    with ExitStack() as stack:
        users = stack.enter_context((home.path / "users.lock").open("a"))
        owned = _join_or_own(home, wanted, users, stack)
        if owned:
            stack.enter_context(_started(home, wanted, users))
        yield


def _join_or_own(home: Home, wanted: Sequence[Service], users: IO[str], stack: ExitStack) -> bool:
    """Wait until the services answer (False) or the right to start them is ours (True)."""
    own: list[bool] = []

    def decided() -> bool:
        fcntl.flock(users, fcntl.LOCK_SH)  # as long as we hold it, nobody ends the services
        if all(service.is_ready() for service in wanted):
            return True
        fcntl.flock(users, fcntl.LOCK_UN)
        own.extend([True] if take(home, stack) else [])
        return bool(own)

    if not processes.wait_until(decided, seconds=READY_WITHIN, every=0.1):
        raise HomeError(f"{home.path} is in use, but its services do not answer.")
    return bool(own)


def take(home: Home, stack: ExitStack) -> bool:
    """Take the right to run the home's services, for as long as ``stack`` lives; False if taken."""
    lock = (home.path / "bursar.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    stack.enter_context(lock)
    return True


@contextmanager
def _started(home: Home, wanted: Sequence[Service], users: IO[str]) -> Iterator[None]:
    running: list[tuple[Service, Popen[str]]] = []
    try:
        for service in wanted:
            process = _start(service, home.run / f"{service.name}.log")
            running.append((service, process))
        fcntl.flock(users, fcntl.LOCK_SH)
        yield
    finally:
        _wait_for_users(users)
        for service, process in reversed(running):
            processes.end(process.pid, signals=service.signals, patience=10)
            process.wait()


def _start(service: Service, log: Path) -> Popen[str]:
    with log.open("w") as output:
        process = service.start(output.fileno())
    answers = processes.wait_until(
        lambda: service.is_ready() or process.poll() is not None, seconds=READY_WITHIN
    )
    if not answers or process.poll() is not None:
        process.kill()
        words = log.read_text(encoding="utf-8", errors="replace")
        raise HomeError(f"{service.name} does not start:\n{words[-2000:]}")
    service.settle()
    return process


def _wait_for_users(users: IO[str]) -> None:
    """Wait until no other command uses the services that we are about to end."""
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("Waiting for other commands that use this database …\n")
        fcntl.flock(users, fcntl.LOCK_EX)
