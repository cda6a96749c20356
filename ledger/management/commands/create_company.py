"""``manage.py create_company``: the first company of an empty instance, and who administers it."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from ledger.actor import Actor
from ledger.refusals import Refusal
from ledger.services.organisation import create_administrator, create_company


class Command(BaseCommand):
    help = "Create a company and, with --admin, an administrator who can sign in and grant roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help='Its full name, such as "Savannah Freight Ltd".')
        parser.add_argument(
            "--code", required=True, help="A short name for lists, such as savannah."
        )
        parser.add_argument("--currency", required=True, help="Its ISO 4217 code, such as KES.")
        parser.add_argument(
            "--time-zone", default="UTC", help="An IANA name, such as Africa/Nairobi."
        )
        parser.add_argument(
            "--admin",
            metavar="USERNAME",
            help="Also create this administrator; the password is asked for, or read from"
            " BURSAR_ADMIN_PASSWORD.",
        )
        parser.add_argument("--email", default="", help="The administrator's address.")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("create_company")
        password = self._password() if options["admin"] else ""
        try:
            company = create_company(
                actor=actor,
                name=options["name"],
                code=options["code"],
                currency=options["currency"].upper(),
                time_zone=options["time_zone"],
            )
            self.stdout.write(f"Created {company.name}.")
            if options["admin"]:
                create_administrator(
                    actor=actor,
                    username=options["admin"],
                    email=options["email"],
                    password=password,
                )
                self.stdout.write(
                    f"{options['admin']} can sign in at /admin/ and grant roles there."
                )
        except Refusal as refusal:
            raise CommandError(_in_words(refusal)) from refusal

    def _password(self) -> str:
        password = os.environ.get("BURSAR_ADMIN_PASSWORD") or _asked()
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return password


def _asked() -> str:
    try:
        return getpass.getpass("Password: ")
    except EOFError as error:
        raise CommandError(
            "There is nobody to ask for the password here: set BURSAR_ADMIN_PASSWORD."
        ) from error


def _in_words(refusal: Refusal) -> str:
    errors = [f"{field}: {' '.join(messages)}" for field, messages in refusal.errors.items()]
    return " ".join([refusal.detail, *errors])
