"""``manage.py restore``: a backup into an empty database, and the proof that it is what was saved."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.backups import BackupError
from config.backups.restoring import restore_backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database and an empty MEDIA_ROOT, then prove the books."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--set-anchor-aside",
            action="store_true",
            help="Rename an anchor file that is there and differs; it may publish what is lost.",
        )

    def handle(self, *, file: Path, set_anchor_aside: bool, **_: Any) -> None:
        try:
            restored = restore_backup(file.absolute(), set_anchor_aside=set_anchor_aside)
        except BackupError as error:
            raise CommandError(str(error)) from error
        ledger, report = restored.manifest["ledger"], restored.report
        self.stdout.write(
            f"Restored what was saved at {restored.manifest['made_at']}:"
            f" {ledger['entries']} entries in {ledger['accounts']} accounts, the same heads."
        )
        if report is None:
            self.stdout.write("It is of an older version: run migrate, then verify_ledger.")
            return
        for fault in report.faults:
            self.stderr.write(self.style.ERROR(f"{fault.check}: {fault.place}: {fault.detail}"))
        if not report.holds:
            sys.exit(1)
        self.stdout.write(f"The ledger holds; {report.anchored} published heads agree.")
