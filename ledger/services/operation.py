"""What keeps an eye on the installation: signs of life, and the regular proof of the books."""

import logging
from datetime import timedelta
from typing import Any

from ledger import audit
from ledger.actor import Actor
from ledger.alerts import mail_alert
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command
from ledger.models import LastDone, LedgerProof
from ledger.services.verification import Report, verify

logger = logging.getLogger(__name__)
PROVE_EVERY = timedelta(hours=1)
# A ledger so large that its proof takes minutes is proved less often: the proof takes a twentieth of the
# time at most.
REST = 20
LONGEST_FAULT = 2000


def note_done(name: str, **detail: Any) -> None:
    """Write that ``name`` has just happened, by the database's clock; one statement, the newest counts."""
    LastDone.objects.bulk_create(
        [LastDone(name=name, at=DatabaseClock(), detail=detail)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "detail"],
    )


def last_done(name: str) -> LastDone | None:
    """Return when ``name`` happened last, None when it never did."""
    return LastDone.objects.filter(name=name).first()


def newest_proof() -> LedgerProof | None:
    """Return the newest proof of the books, None before the first."""
    return LedgerProof.objects.order_by("-finished_at").first()


def prove_when_due(*, actor: Actor) -> LedgerProof | None:
    """Prove the books when the last proof is old enough; returns the new proof, or None."""
    last = newest_proof()
    if last is not None:
        rest = max(PROVE_EVERY, REST * (last.finished_at - last.began_at))
        if database_now() < last.began_at + rest:
            return None
    return prove_ledger(actor=actor)


def prove_ledger(*, actor: Actor) -> LedgerProof:
    """Recompute the whole ledger, keep what was found, and mail ``BURSAR_ALERT_MAIL`` when it does not hold.

    The mail goes out after the row is committed; should it be lost, the next proof finds and mails the same.
    """
    began_at = database_now()
    report = verify()
    proof = keep_proof(actor=actor, began_at=began_at, report=report)
    if proof.faults:
        logger.error("the ledger does not hold", extra={"code": "ledger_fault"})
        _alert(proof)
    return proof


@command("ledger.prove")
def keep_proof(*, actor: Actor, began_at: Any, report: Report) -> LedgerProof:
    """Write what a proof found; a failed one is in the audit trail too."""
    first = report.faults[0] if report.faults else None
    words = f"{first.check}: {first.place}: {first.detail}"[:LONGEST_FAULT] if first else ""
    proof = LedgerProof.objects.create(
        began_at=began_at,
        entries=report.entries,
        accounts=report.accounts,
        anchored=report.anchored,
        faults=len(report.faults),
        first_fault=words,
    )
    if first:
        audit.record(
            actor=actor,
            action="ledger.prove",
            subject=f"ledger.proof:{proof.pk}",
            after={"faults": len(report.faults), "first_fault": words},
        )
    proof.refresh_from_db()
    return proof


def _alert(proof: LedgerProof) -> None:
    mail_alert(
        "THE LEDGER DOES NOT HOLD",
        f"Proof {proof.pk} of {proof.finished_at:%Y-%m-%d %H:%M:%S} UTC found {proof.faults} faults.\n"
        f"The first: {proof.first_fault}\n\n"
        "Stop paying out, keep the database as it is, and run `manage.py verify_ledger`;"
        " docs/operations.md says what follows.\n",
    )
