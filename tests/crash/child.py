"""A warm Django process that forks a worker for each step and tells what became of it.

It reads one step per line from its input: ``{"task", "kwargs"}``, ``{"execute", "user"}`` or
``{"close", "user"}``, with ``kill`` (a name in ``points.POINTS``), ``commit`` and ``side``, ``statement`` (its
number), or ``kill_after_s``; ``passed`` counts how often the place to die was passed before, ``limited`` names
the calls that must not wait long. It writes a line for every message that the worker sent, one for every such
passing, and last ``{"ended": "done" | "killed" | error}``.
"""

import json
import os
import signal
import sys
import time
import traceback
from functools import partial
from typing import Any
from uuid import UUID

import django

Step = dict[str, Any]
OUT = 1


def say(**line: Any) -> None:
    """One write to the pipe: what was said stays said, however the process ends."""
    os.write(OUT, json.dumps(line, default=str).encode() + b"\n")


def prepare() -> None:
    """Load everything once; connect to nothing, so that each fork has its own connections."""
    django.setup()
    from celery import Task

    from config.celery import app
    from payments.gateways import http
    from tests.crash import points

    assert points.POINTS
    app.finalize()
    app.loader.import_default_modules()
    # A call to a closed port loads what the first call would.
    http._perform(http.Call(UUID(int=0), "", "", "GET", "http://127.0.0.1:9", {}))

    def send(self: Task, args: Any = None, kwargs: Any = None, **_: Any) -> None:
        say(task=self.name, kwargs=kwargs or {})

    setattr(Task, "apply_async", send)  # noqa: B010 -- mypy knows that this is a method


def work(step: Step) -> None:
    """Do the step in this, the forked process."""
    from django.conf import settings

    from tests.crash import deadlines, points

    settings.BURSAR_TOKEN_WAIT_S = 1
    deadlines.limit(step["limited"])
    count = {"passed": step["passed"], "say_passed": partial(say, passed=1)}
    if "kill" in step:
        points.arm(points.POINTS[step["kill"]], **count)
    if "commit" in step:
        points.arm_commit(step["commit"], step["side"], **count)
    if "statement" in step:
        points.arm_statement(step["statement"])
    if "close" in step:
        close(UUID(step["close"]), UUID(step["user"]))
    elif "execute" in step:
        execute(UUID(step["execute"]), UUID(step["user"]))
    else:
        from config.celery import app

        app.tasks[step["task"]].apply(kwargs=step["kwargs"], throw=True)


def execute(payment_id: UUID, user_id: UUID) -> None:
    from ledger.actor import Actor
    from ledger.clock import today
    from ledger.models import User
    from treasury.services.execution import execute_payment

    actor = Actor.of(User.objects.get(pk=user_id))
    execute_payment(actor=actor, payment_id=payment_id, today=today)


def close(period_id: UUID, user_id: UUID) -> None:
    from ledger.actor import Actor
    from ledger.models import User
    from periods.services.closing import close_period

    close_period(actor=Actor.of(User.objects.get(pk=user_id)), period_id=period_id)


def fork(step: Step) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work(step)
    except BaseException as error:  # noqa: BLE001 -- the parent is told, whatever it was
        say(problem=repr(error), trace=traceback.format_exc())
        os._exit(1)
    os._exit(0)


def main() -> None:
    prepare()
    say(ready=True)
    for line in sys.stdin:
        step: Step = json.loads(line)
        status = end_of(fork(step), step.get("kill_after_s"))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        say(ended="killed" if killed else "done" if status == 0 else "failed")
    # It keeps nothing that must be put away, and taking an interpreter down takes a busy machine long.
    os._exit(0)


def end_of(pid: int, seconds: float | None) -> int:
    """Wait for the worker's end, which comes after so many seconds at the latest; returns its status."""
    if seconds is not None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    main()
