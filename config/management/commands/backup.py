"""``manage.py backup``: one archive with the database, the attachments and the anchor file; no keys."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.backups import BackupError
from config.backups.making import make_backup


class Command(BaseCommand):
    help = "Write a backup while everything goes on; keys are not in it and must be kept apart."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to", type=Path, help="The file to write; else a new one in BURSAR_HOME/backups."
        )

    def handle(self, *, to: Path | None, **_: Any) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        path = to or settings.BURSAR_HOME / "backups" / f"bursar-{stamp}.tar"
        if path.exists():
            raise CommandError(f"{path} is there already.")
        try:
            made = make_backup(path.absolute())
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{made.path}: {made.size} bytes, {made.entries} ledger entries.")
        for name in made.missing:
            self.stderr.write(self.style.WARNING(f"{name} is not on the disk as it was attached."))
