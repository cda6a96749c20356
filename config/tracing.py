"""The name of a request travels with the tasks that it causes, so that one search finds all its lines."""

import time
from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

from config import metrics
from ledger.tracing import LONGEST_ID, request_id

HEADER = "bursar_request_id"
_running: dict[str, tuple[Token[str], float]] = {}


@before_task_publish.connect
def take_along(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Write the request's name on the message."""
    if headers is not None and (name := request_id.get()):
        headers[HEADER] = name


@task_prerun.connect
def begin(task_id: str, task: Task, **_: Any) -> None:
    """Go on under the request's name; a task that nobody asked for goes by its own."""
    name = str(getattr(task.request, HEADER, None) or request_id.get() or task_id)
    _running[task_id] = (request_id.set(name[:LONGEST_ID]), time.monotonic())


@task_postrun.connect
def end(task_id: str, task: Task, state: str | None = None, **_: Any) -> None:
    """Forget the request, and measure the task."""
    token, began = _running.pop(task_id, (None, 0.0))
    if token is None:
        return
    request_id.reset(token)
    metrics.measure_task(str(task.name), state or "", time.monotonic() - began)
