"""`manage.py run`: listed here for `manage.py help`; `manage.py` itself calls the same, without Django."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.embedded import instance


class Command(BaseCommand):
    help = "Run web, worker, beat and, with demo data, the gateway simulator; start what they need."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("arguments", nargs="*")

    def handle(self, *, arguments: list[str], **_: Any) -> None:
        raise SystemExit(instance.main(arguments))
