"""Waking a worker: what must happen stands in the database, this only makes it happen sooner."""

from typing import Any

from celery import current_app, signature


def wake(task: str, **arguments: Any) -> None:
    """Hand ``periods.<task>`` to a worker once; raises when the broker cannot be reached."""
    call = signature(f"periods.{task}", kwargs=arguments, app=current_app)
    call.apply_async(retry=False, ignore_result=True)
