"""`manage.py run`: everything in the foreground until Ctrl-C."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.embedded import instance
from config.embedded.home import Home, HomeError
from config.embedded.postgres import PostgresError


class Command(BaseCommand):
    help = "Run web, worker, beat and, with demo data, the gateway simulator; start what they need."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST_ADDRESS", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--web-workers", type=int, default=2)

    def handle(self, *, host: str, port: int, web_workers: int, **_: Any) -> None:
        plan = instance.Plan(
            home=Home.from_environment(),
            host=host,
            port=port,
            demo=settings.BURSAR_DEMO,
            web_workers=web_workers,
            worker_processes=settings.CELERY_WORKER_CONCURRENCY,
        )
        try:
            code = instance.run(plan)
        except (instance.AlreadyRunning, HomeError, PostgresError) as refusal:
            raise CommandError(str(refusal)) from refusal
        if code:
            raise SystemExit(code)
