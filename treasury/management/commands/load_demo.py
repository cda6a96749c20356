"""``manage.py load_demo``: two companies with six weeks of history, into an empty instance."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from treasury.demo.loader import Surroundings, load


class Command(BaseCommand):
    help = "Load the demo data, unless there are companies already; needs the gateway simulator."

    def handle(self, *_: Any, **__: Any) -> None:
        where = Surroundings(
            owner_url=settings.DATABASE_OWNER_URL,
            port=settings.PORT,
            simulator_url=settings.BURSAR_SIMULATOR_URL,
            simulator_home=settings.BURSAR_HOME / "simulator",
        )
        loaded = load(where)
        self.stdout.write("The demo is loaded." if loaded else "The demo was there already.")
