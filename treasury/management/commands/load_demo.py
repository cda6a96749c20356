"""``manage.py load_demo``: two companies with six weeks of history, into an empty instance."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from treasury.demo.loader import Surroundings, load


class Command(BaseCommand):
    help = "Load the demo data, unless there are companies already; needs the gateway simulator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--postbox",
            type=int,
            default=settings.PORT,
            help="the port at which callbacks are taken meanwhile; the web's own without it",
        )

    def handle(self, *_: Any, postbox: int, **__: Any) -> None:
        where = Surroundings(
            owner_url=settings.DATABASE_OWNER_URL,
            port=postbox,
            simulator_url=settings.BURSAR_SIMULATOR_URL,
            simulator_home=settings.BURSAR_HOME / "simulator",
        )
        loaded = load(where)
        self.stdout.write("The demo is loaded." if loaded else "The demo was there already.")
