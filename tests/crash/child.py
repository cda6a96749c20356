"""A warm Django process that forks a worker for each step and tells what became of it.

It reads one step per line from its input: ``{"task", "kwargs"}`` or ``{"execute", "user"}``, with
``kill`` (a name in ``points.POINTS``), ``commit`` and ``side``, or ``kill_after_s``; ``passed`` counts how
often the place to die was passed before. It writes a line for every message that the worker sent, one for
every such passing, and last ``{"ended": "done" | "killed" | error}``.
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
    from django.conf import settings

    from config.celery import app
    from payments.gateways import http

    app.finalize()
    app.loader.import_default_modules()
    http._trust()
    settings.BURSAR_GATEWAY_DEADLINE_S = float(os.environ["BURSAR_TEST_DEADLINE_S"])
    settings.BURSAR_TOKEN_WAIT_S = 1

    def send(self: Task, args: Any = None, kwargs: Any = None, **_: Any) -> None:
        say(task=self.name, kwargs=kwargs or {})

    setattr(Task, "apply_async", send)  # noqa: B010 -- mypy knows that this is a method


def work(step: Step) -> None:
    """Do the step in this, the forked process."""
    from tests.crash import points

    count = {"passed": step["passed"], "say_passed": partial(say, passed=1)}
    if "kill" in step:
        points.arm(points.POINTS[step["kill"]], **count)
    if "commit" in step:
        points.arm_commit(step["commit"], step["side"], **count)
    if "execute" in step:
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
        pid = fork(step)
        if "kill_after_s" in step:
            time.sleep(step["kill_after_s"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        say(ended="killed" if killed else "done" if status == 0 else "failed")


if __name__ == "__main__":
    main()
