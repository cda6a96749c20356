"""``manage.py prepare_database``: roles, database and grants on a server of your own."""

import os
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.preparation import Login, PreparationError, prepare, prepare_grants


class Command(BaseCommand):
    help = (
        "Make the two roles of DATABASE_OWNER_URL and DATABASE_URL, the database they name, and what each"
        " may do there. May be repeated."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--grants-only",
            action="store_true",
            help="Roles and database are there; do only what the owner can do himself.",
        )

    def handle(self, *, grants_only: bool, **_: Any) -> None:
        if settings.EMBEDDED_DATABASE:
            raise CommandError("Without DATABASE_URL Bursar prepares its own database.")
        owner_url, runtime_url = settings.DATABASE_OWNER_URL, settings.DATABASE_URL
        try:
            owner = Login.of(owner_url, variable="DATABASE_OWNER_URL")
            runtime = Login.of(runtime_url, variable="DATABASE_URL")
            if grants_only:
                done = prepare_grants(owner_url=owner_url, owner=owner, runtime=runtime)
            else:
                done = prepare(admin_url=_admin_url(), owner=owner, runtime=runtime)
        except (PreparationError, psycopg.Error) as error:
            raise CommandError(str(error)) from error
        for line in done:
            self.stdout.write(line)


def _admin_url() -> str:
    address = os.environ.get("DATABASE_ADMIN_URL", "")
    if not address:
        raise PreparationError(
            "Set DATABASE_ADMIN_URL to an address of the server for a role that may create roles and"
            " databases, for this command only; or pass --grants-only where both are there."
        )
    return address
