"""The whole of Bursar in one foreground process group: what `manage.py run` starts, in which order."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import processes, session
from config.embedded.home import ROOT, Home, HomeError
from config.embedded.postgres import Postgres, PostgresError
from config.embedded.supervisor import Program, ProgramFailed, Stopped, Supervisor, write_whole

MARK = "BURSAR_SUPERVISED"
DEMO_USERS = {
    "first company": "requester approver treasurer reconciler cfo auditor admin owner",
    "second company": "other_requester other_approver other_treasurer other_cfo other_owner",
}
DEMO_PASSWORD = "bursar-demo"  # noqa: S105 -- printed for everyone to see
WEB_READY_WITHIN = 180.0
# Of each web process. One computes while others wait for PostgreSQL; a thread more is another session there,
# and many that take turns find their caches cold: eight cost a tenth more CPU for each payment than four.
WEB_THREADS = 4


class AlreadyRunning(Exception):
    """Another instance uses the same home; the message says where it answers."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Plan:
    """What one start of an instance is about."""

    home: Home
    host: str
    port: int
    demo: bool
    web_workers: int = 2
    worker_processes: int = 2
    simulator_port: int = field(default_factory=free_port)
    postbox_port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        shown = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{shown}:{self.port}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"

    def environment(self) -> Mapping[str, str]:
        """What every child is told."""
        told = {
            "BURSAR_HOME": str(self.home.path),
            "BURSAR_DEMO": "1" if self.demo else "0",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.home.path),
        }
        if self.demo:
            told["BURSAR_SIMULATOR_URL"] = self.simulator_url
        return {**os.environ, **told}


def main(arguments: Sequence[str]) -> int:
    """`manage.py run`, without Django: its parts load it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="manage.py run", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("BIND", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--web-workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    embedded = not os.environ.get("DATABASE_URL")
    plan = Plan(
        home=Home.from_environment(),
        host=chosen.host,
        port=chosen.port,
        demo=_is_true(os.environ.get("BURSAR_DEMO") or str(embedded)),
        web_workers=chosen.web_workers,
        worker_processes=int(os.environ.get("WORKER_CONCURRENCY") or 2),
    )
    try:
        return run(plan)
    except (AlreadyRunning, HomeError, PostgresError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1


def _is_true(word: str) -> bool:
    return word.lower() in {"1", "true", "yes", "on"}


def run(plan: Plan) -> int:
    """Run until asked to stop. Returns the exit code."""
    plan.home.make()
    stack = ExitStack()
    try:
        _take(plan.home, stack)
        end_leftovers(plan.home)
        # What processes of an earlier run measured; nobody adds to it any more.
        shutil.rmtree(plan.home.path / "metrics", ignore_errors=True)
        return _supervise(plan)
    finally:
        stack.close()


def _supervise(plan: Plan) -> int:
    supervisor = Supervisor()
    supervisor.listen()
    try:
        _start(plan, supervisor)
        supervisor.watch()
    except Stopped:
        supervisor.say("stopping")
        return 0
    except ProgramFailed as failure:
        supervisor.say(str(failure))
        return 1
    finally:
        supervisor.stop()
        plan.home.instance_file.unlink(missing_ok=True)
        supervisor.say("stopped")


def _take(home: Home, stack: ExitStack) -> None:
    """Be the only instance of this home; a command that uses it is waited for."""
    if session.take(home, stack):
        return
    if not home.instance_file.exists():
        sys.stderr.write("Waiting for a command that uses this BURSAR_HOME …\n")
        if processes.wait_until(lambda: session.take(home, stack), seconds=60, every=0.2):
            return
    raise AlreadyRunning(f"Bursar already runs from {home.path}: {_told(home)}")


def _told(home: Home) -> str:
    try:
        told = json.loads(home.instance_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "see that terminal."
    return f"{told['address']} (process {told['pid']})."


def end_leftovers(home: Home) -> None:
    """End what a killed instance of this home may have left; its locks went with it."""
    for pid in processes.marked(f"{MARK}={home.path}"):
        processes.end(pid, signals=(signal.SIGTERM, signal.SIGKILL), patience=3)
    home.instance_file.unlink(missing_ok=True)


def _start(plan: Plan, supervisor: Supervisor) -> None:
    """Start everything in its order.

    The first time, a doorman answers at the web's port until the web does, and hands the gateway's callbacks
    to the loader of the demo's history. Later the web's own start-up runs beside the work on the database;
    /health/ says "starting" until the instance file is there.
    """
    began = time.monotonic()
    _check_port(plan)
    demo = DemoStamp(plan)
    is_new = demo.may_be_new() if plan.demo else _is_new(plan)
    doorman = supervisor.begin(_doorman(plan)) if is_new else None
    for service in session.needed(plan.home):
        supervisor.say(f"starting {service.name}")
        supervisor.launch(_program_of(service))
        service.settle()
    if plan.demo:
        supervisor.launch(_simulator(plan))
    first = not demo.is_there() if plan.demo else is_new
    if first and doorman is None:
        doorman = supervisor.begin(_doorman(plan))
    web = None if first else supervisor.begin(_web(plan))
    supervisor.say("bringing the database up to date")
    supervisor.run_once("migrate", _managed(plan, "migrate", "--verbosity=0", "--skip-checks"))
    if plan.demo:
        _load_demo(plan, supervisor, first=first)
        demo.put()
    told = {"pid": os.getpid(), "address": plan.address, "simulator": plan.simulator_url}
    write_whole(plan.home.instance_file, json.dumps(told))
    supervisor.wait_for(web or supervisor.begin(_web(plan)))
    if doorman:
        supervisor.finish(doorman)
    supervisor.launch(_worker(plan))
    supervisor.launch(_beat(plan))
    _welcome(plan, supervisor, time.monotonic() - began)


def _load_demo(plan: Plan, supervisor: Supervisor, *, first: bool) -> None:
    if first:
        supervisor.say("loading the demo's history; this happens once")
    postbox = ("--postbox", str(plan.postbox_port)) if first else ()
    supervisor.run_once("demo", _managed(plan, "load_demo", *postbox))
    if first:
        supervisor.run_once("estate", _managed(plan, "load_estate"))


def _is_new(plan: Plan) -> bool:
    """Whether this start makes the embedded cluster."""
    return not os.environ.get("DATABASE_URL") and not plan.home.postgres_data.exists()


@dataclass(frozen=True)
class DemoStamp:
    """A note that the embedded cluster has its demo data; it does not outlive the cluster."""

    plan: Plan

    def may_be_new(self) -> bool:
        """What can be told before PostgreSQL runs: whether the demo may still have to be loaded."""
        return bool(os.environ.get("DATABASE_URL")) or not self._file.exists()

    def is_there(self) -> bool:
        cluster = self._cluster()
        return bool(cluster) and self._file.exists() and self._file.read_text() == cluster

    def put(self) -> None:
        write_whole(self._file, self._cluster())

    @property
    def _file(self) -> Path:
        return self.plan.home.path / "demo-loaded"

    def _cluster(self) -> str:
        given = os.environ.get("DATABASE_URL")
        return "" if given else Postgres.of(self.plan.home).identity()


def _check_port(plan: Plan) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((plan.host, plan.port))
        except OSError as error:
            message = f"Port {plan.port} cannot be used ({error.strerror}): PORT=8001 make run"
            raise ProgramFailed(message) from error


def _program_of(service: session.Service) -> Program:
    return Program(
        name=service.name,
        start=lambda: service.start(subprocess.PIPE),
        is_ready=service.is_ready,
        stop_signals=service.signals,
    )


def _managed(plan: Plan, *arguments: str) -> Callable[[], subprocess.Popen[str]]:
    return _python(plan, "manage.py", *arguments)


def _python(plan: Plan, *arguments: str) -> Callable[[], subprocess.Popen[str]]:
    command = [sys.executable, *arguments]
    return lambda: processes.start(command, environment=plan.environment(), folder=ROOT)


def _doorman(plan: Plan) -> Program:
    return Program(
        name="doorman",
        start=_python(
            plan,
            *("-m", "config.embedded.doorman", "--host", plan.host, "--port", str(plan.port)),
            *("--postbox", str(plan.postbox_port)),
        ),
    )


def _simulator(plan: Plan) -> Program:
    home = plan.home.path / "simulator"
    port = str(plan.simulator_port)
    return Program(
        name="simulator",
        start=_python(plan, "-m", "payments.simulator", "--port", port, "--home", str(home)),
        is_ready=lambda: _listens(plan.simulator_port),
    )


def _worker(plan: Plan) -> Program:
    return Program(
        name="worker",
        start=_python(
            plan,
            *("-W", "ignore:You're running the worker with superuser privileges"),
            *("-m", "celery", "-q", "-A", "config.celery", "worker", "--hostname", "bursar@%h"),
            *("--concurrency", str(plan.worker_processes), "--without-gossip", "--without-mingle"),
        ),
        patience=30,
    )


def _beat(plan: Plan) -> Program:
    return Program(
        name="beat",
        start=_python(
            plan,
            *("-m", "celery", "-q", "-A", "config.celery", "beat", "--pidfile="),
            *("--schedule", str(plan.home.run / "beat.schedule")),
        ),
    )


def _web(plan: Plan) -> Program:
    return Program(
        name="web",
        start=_python(
            plan,
            *("-m", "granian", "--interface", "wsgi", "--host", plan.host),
            *("--port", str(plan.port), "--workers", str(plan.web_workers)),
            *("--blocking-threads", str(WEB_THREADS), "--no-ws", "--respawn-failed-workers"),
            *("--log-level", "error", "config.wsgi:application"),
        ),
        is_ready=lambda: _is_healthy(plan.address),
        ready_within=WEB_READY_WITHIN,
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _welcome(plan: Plan, supervisor: Supervisor, seconds: float) -> None:
    lines = [f"Bursar is ready after {seconds:.1f} s: {plan.address}"]
    lines += [f"admin {plan.address}/admin/   API {plan.address}/api/docs/"]
    if plan.demo:
        lines += [f"{company}: {users}" for company, users in DEMO_USERS.items()]
        lines += [f"password of all: {DEMO_PASSWORD}   mail: {plan.address}/demo/inbox/"]
    else:
        lines += [
            "first company and administrator: .venv/bin/python manage.py create_company --help"
        ]
    for line in [*lines, "Ctrl-C stops everything."]:
        supervisor.say(line)
