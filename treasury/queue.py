"""Waking a worker: what must happen stands in the database, this only makes it happen sooner.

Tasks are called by name, because services do not import what imports them. A broker that is down costs
nothing but time: the sweeper finds the row.
"""

from typing import Any

from celery import current_app, signature


def wake(task: str, **arguments: Any) -> None:
    """Hand ``treasury.<task>`` to a worker once; raises when the broker cannot be reached."""
    call = signature(f"treasury.{task}", kwargs=arguments, app=current_app)
    call.apply_async(retry=False, ignore_result=True)
