"""Clean-up: what is over is marked as over, and what nobody needs any more goes."""

from datetime import timedelta

from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command
from treasury.models import BatchCode, FailedTries, OneTimeCode
from treasury.services.attachments import delete_orphans
from treasury.services.set_codes import void_expired

KEEP_FAILED_TRIES = timedelta(days=30)


def clean_up(*, actor: Actor) -> int:
    """Void codes that ran out, forget old counts of failed tries, delete files that no row names.

    Returns how many rows and files it touched; may run twice at once.
    """
    return _clean_rows(actor=actor) + delete_orphans()


@command("treasury.clean_up")
def _clean_rows(*, actor: Actor) -> int:
    voided = OneTimeCode.objects.filter(
        consumed_at=None, voided_at=None, expires_at__lte=DatabaseClock()
    ).update(voided_at=DatabaseClock())
    voided += BatchCode.objects.filter(
        consumed_at=None, voided_at=None, expires_at__lte=DatabaseClock()
    ).update(voided_at=DatabaseClock())
    oldest = (database_now() - KEEP_FAILED_TRIES).date()
    forgotten, _ = FailedTries.objects.filter(on__lt=oldest).delete()
    return voided + forgotten + void_expired()
