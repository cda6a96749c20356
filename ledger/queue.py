"""Waking a worker: what must happen stands in the database, this only makes it happen sooner."""

from typing import Any

from celery import current_app, signature
from django.db import connection

from ledger.commands import after_commit


def wake(task: str, **arguments: Any) -> None:
    """Hand ``ledger.<task>`` to a worker once; raises when the broker cannot be reached."""
    call = signature(f"ledger.{task}", kwargs=arguments, app=current_app)
    call.apply_async(retry=False, ignore_result=True)


def wake_fan_out() -> None:
    wake("fan_out")


def wake_fan_out_after_commit() -> None:
    """Have the outbox looked at once the transaction has committed; once, however many events it told."""
    if not any(hook[1] is wake_fan_out for hook in connection.run_on_commit):
        after_commit(wake_fan_out)
