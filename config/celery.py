"""Celery: one app, tasks found in each app's `tasks.py`, the schedule assembled from them.

Celery only wakes workers up. What must be done stands in PostgreSQL, where a sweeper finds it, so a lost
or doubled message loses or doubles nothing.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.databases import require_fit_database
from config.embedded import processes
from config.logs import configure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("bursar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def schedule() -> dict[str, Mapping[str, Any]]:
    """Every app's ``tasks.BEAT_SCHEDULE``; a name that two apps use is an error."""
    entries: dict[str, Mapping[str, Any]] = {}
    for installed in apps.get_app_configs():
        module = f"{installed.name}.tasks"
        if not installed.path.startswith(str(settings.BASE_DIR)) or find_spec(module) is None:
            continue
        for name, entry in getattr(import_module(module), "BEAT_SCHEDULE", {}).items():
            if name in entries:
                raise ValueError(f"Two apps schedule {name!r}.")
            entries[name] = entry
    return entries


@app.on_after_finalize.connect
def assemble_schedule(sender: Celery, **_: Any) -> None:
    sender.conf.beat_schedule = schedule()


@setup_logging.connect
def log_as_everywhere(**_: Any) -> None:
    """Celery leaves logging to us: its own format would show task arguments."""
    configure()


@worker_init.connect
@beat_init.connect
def start_with_the_right_database(**_: Any) -> None:
    """Celery goes on after an exception of a receiver; only this ends the process."""
    try:
        require_fit_database()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@worker_process_init.connect
def end_with_worker(**_: Any) -> None:
    """A pool process must not outlive a killed worker and go on by itself."""
    processes.die_with_parent()
