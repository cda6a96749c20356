"""``manage.py verify_ledger``: prove that the books are as they were written."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.services.operation import keep_proof
from ledger.services.verification import verify


class Command(BaseCommand):
    help = "Recompute every balance and seal from the ledger entries; exit 1 and name what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="Say nothing when all agrees.")
        parser.add_argument(
            "--record",
            action="store_true",
            help="Keep the result as a proof, as the hourly job does; for ledgers too large for a job.",
        )
        parser.add_argument(
            "--seal", action="append", default=[], help="A seal from a mail that was kept."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began_at = database_now()
        report = verify(options["seal"])
        if options["record"]:
            keep_proof(actor=Actor.system("verify_ledger"), began_at=began_at, report=report)
        for fault in report.faults:
            self.stderr.write(self.style.ERROR(f"{fault.check}: {fault.place}: {fault.detail}"))
        if not report.holds:
            sys.exit(1)
        if not options["quiet"]:
            self.stdout.write(
                f"{report.entries} entries in {report.accounts} accounts agree;"
                f" {report.anchored} published heads agree."
            )
