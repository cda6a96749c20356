"""``manage.py rotate_keys``: everything encrypted under the newest key, while Bursar runs."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ledger.actor import Actor
from ledger.encryption import Undecryptable
from ledger.services.key_rotation import Found, count_keys, rotate_keys
from ledger.services.keys import forget_keys


class Command(BaseCommand):
    help = (
        "Encrypt anew, under the first of BURSAR_ENCRYPTION_KEYS, what is under another; say which keys"
        " are still needed, and by what. Exit 1 when something that could be rewritten is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only count; change nothing.")
        parser.add_argument("--chunk", type=int, default=500, help="Rows read at a time.")

    def handle(self, *, check: bool, chunk: int, **_: Any) -> None:
        if chunk < 1:
            raise CommandError("--chunk is at least 1.")
        actor = Actor.system("rotate_keys")
        try:
            if not check:
                for found in rotate_keys(actor=actor, chunk=chunk):
                    if found.rewritten:
                        self.stdout.write(f"{found.column}: {found.rewritten} written anew")
            counted = count_keys(chunk=chunk)
            if not check:
                forget_keys(actor=actor, numbers=_unused(counted))
        except Undecryptable as error:
            raise CommandError(f"{error} Nothing was lost; put the missing key back.") from error
        self._tell(counted)
        if any(found.left for found in counted if found.column.rewritable):
            sys.exit(1)

    def _tell(self, counted: list[Found]) -> None:
        for number in _numbers():
            users = [
                f"{found.under[number]} of {found.column}"
                + ("" if found.column.rewritable else " (kept as written)")
                for found in counted
                if found.under[number]
            ]
            nobody = "nothing yet" if number == 1 else "not needed any more"
            self.stdout.write(f"Key {number}: {', '.join(users) or nobody}")
        lost = [f"{found.under[0]} of {found.column}" for found in counted if found.under[0]]
        if lost:
            self.stderr.write(self.style.ERROR(f"Under no key of these: {', '.join(lost)}"))


def _numbers() -> range:
    return range(1, len(settings.BURSAR_ENCRYPTION_KEYS) + 1)


def _unused(counted: list[Found]) -> list[int]:
    """The keys behind the first that nothing is under any more."""
    return [n for n in _numbers()[1:] if not any(found.under[n] for found in counted)]
