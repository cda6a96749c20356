"""The name of a request travels with the tasks that it causes, so that one search finds all its lines."""

import logging
import time
from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

from config import metrics
from ledger.tracing import LONGEST_ID, request_id

logger = logging.getLogger("bursar.tasks")

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
    """Measure the task, and log it where a request caused it: beat's would fill the log; then forget the request."""
    token, began = _running.pop(task_id, (None, 0.0))
    if token is None:
        return
    seconds = time.monotonic() - began
    if getattr(task.request, HEADER, None):
        facts = {"task": task.name, "status": state, "duration_ms": round(seconds * 1000, 1)}
        logger.info("task", extra=facts)
    request_id.reset(token)
    metrics.measure_task(str(task.name), state or "", seconds)
