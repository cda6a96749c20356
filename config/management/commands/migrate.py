"""``manage.py migrate``: as the owner, and politely: a lock that is not free soon is asked for again later.

A statement that waits for a lock on a busy table makes every later one wait behind it. The owner's
``lock_timeout`` ends that after seconds; each migration is one transaction, so the next try goes on with the
first one that is not applied.
"""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError

from config.migrating import lean_states

LOCK_NOT_AVAILABLE = "55P03"
PAUSE_S = 2.0


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-tries",
            type=int,
            default=30,
            help="How often to ask for a lock that others hold before giving up.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tries = options.pop("lock_tries", 30)
        for number in range(1, tries + 1):
            try:
                with lean_states():
                    super().handle(*args, **options)
                return
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                    raise
                self.stderr.write(f"Others hold a lock that this needs ({number} of {tries}).")
            time.sleep(PAUSE_S)
        raise CommandError("The locks were not to be had. What was applied stays; run it again.")
