"""What banks report about files: kept as it came, and then acted on row by row.

Keeping a report and its rows is one transaction; each row is then a command of its own, so that one that
fails holds up no other, and a process that dies leaves rows that the next pass meets again. Nothing is
settled or released but through ``outcomes``, as with any other gateway.
"""

import hashlib
import logging
from dataclasses import dataclass
from uuid import UUID

from ledger.actor import Actor
from ledger.clock import DatabaseClock
from ledger.commands import after_commit, command
from ledger.models import User
from ledger.refusals import Conflict, InvalidInput
from payments.gateways import iso20022
from payments.gateways.iso20022 import Report
from payments.gateways.outcome import OutcomeClass
from payments.models import Provider
from payments.services.providers import mark_stopped
from treasury import duties, locks
from treasury.dates import Today
from treasury.models import BankFile, BankReport, BankReportRow, Incident, PaymentAttempt
from treasury.queue import wake
from treasury.services import outcomes
from treasury.services.bank_files import bank_of
from treasury.services.bank_rows import rows_of
from treasury.services.noting import note
from treasury.services.passes import for_each
from treasury.states import AttemptState
from treasury.texts import readable

alerts = logging.getLogger("treasury.alerts")
Effect = BankReportRow.Effect
FAILURES = frozenset({OutcomeClass.FAILED_FINAL, OutcomeClass.RETRYABLE, OutcomeClass.CONFIG})
AT_ONCE = 500


class ReportDiffers(Conflict):
    """The bank's id of this report stands for other content; ask the bank which one holds."""

    code = "report_differs"
    title = "Another report has this id"


@dataclass(frozen=True, slots=True)
class Kept:
    """A report, and whether it is new."""

    report: BankReport
    is_new: bool


@command("bank_report.keep")
def import_bank_report(*, actor: Actor, provider_id: UUID, data: bytes) -> Kept:
    """Keep a bank's report (pain.002) with every row of it; a worker acts on the rows after the commit.

    The same report again changes nothing and returns the first. By a treasurer or reconciler. Raises
    ``RoleRequired``, ``InvalidInput`` on ``file`` (``report_unreadable``, ``report_too_large``),
    ``ReportDiffers`` for a known message id with other content.
    """
    provider = bank_of(provider_id)
    user = duties.may_bring_bank_report(actor, provider)
    locks.lock_company(provider.company_id)
    sha256 = hashlib.sha256(data).hexdigest()
    if known := BankReport.objects.filter(provider=provider, sha256=sha256).first():
        return Kept(known, is_new=False)
    parsed = _read(data)
    if BankReport.objects.filter(provider=provider, message_id=parsed.message_id).exists():
        message = f"Report {parsed.message_id} was brought before with other content."
        raise ReportDiffers(message)
    report = _keep(provider, parsed, data, sha256, user)
    facts = {
        "message_id": report.message_id,
        "original_message_id": report.original_message_id,
        "sha256": sha256,
        "rows": report.rows.count(),
    }
    note(actor, "bank_report.keep", report, facts)
    report_id = str(report.pk)
    after_commit(lambda: wake("apply_bank_report", report_id=report_id))
    return Kept(report, is_new=True)


def apply_bank_report(*, actor: Actor, report_id: UUID, today: Today) -> int:
    """Act on the rows of one report that nobody has acted on yet; returns how many."""
    rows = BankReportRow.objects.filter(report=report_id, applied_at=None).order_by("number")
    ids = list(rows.values_list("pk", flat=True))
    return for_each(ids, lambda pk: apply_row(actor=actor, row_id=pk, today=today))


def apply_waiting_rows(*, actor: Actor, today: Today) -> int:
    """Act on rows whose worker was not woken or died; returns how many."""
    rows = BankReportRow.objects.filter(applied_at=None)
    ids = list(rows.order_by("report", "number").values_list("pk", flat=True)[:AT_ONCE])
    return for_each(ids, lambda pk: apply_row(actor=actor, row_id=pk, today=today))


@command("bank_report.apply_row")
def apply_row(*, actor: Actor, row_id: UUID, today: Today) -> bool:
    """Act on one row, once, and return whether that was now."""
    named = BankReportRow.objects.get(pk=row_id).attempt_id
    attempt = None if named is None else locks.lock_attempt(named)
    row = BankReportRow.objects.select_related("report__provider").get(pk=row_id)
    if row.applied_at is not None:
        return False
    effect = Effect.UNMATCHED if attempt is None else _judge(attempt, row, today, actor)
    changed = BankReportRow.objects.filter(pk=row_id, applied_at=None)
    return bool(changed.update(effect=effect, applied_at=DatabaseClock()))


def _read(data: bytes) -> Report:
    if len(data) > iso20022.LARGEST:
        message = f"A report has at most {iso20022.LARGEST // 1024 // 1024} MB."
        raise InvalidInput.on("file", message, code="report_too_large")
    try:
        return iso20022.parse_report(data)
    except iso20022.UnreadableReport as problem:
        raise InvalidInput.on("file", str(problem), code="report_unreadable") from None


def _keep(provider: Provider, parsed: Report, data: bytes, sha256: str, user: User) -> BankReport:
    files = BankFile.objects.filter(provider=provider, message_id=parsed.original_message_id)
    report = BankReport.objects.create(
        company_id=provider.company_id,
        provider=provider,
        file=files.first(),
        message_id=readable(parsed.message_id, longest=140),
        original_message_id=readable(parsed.original_message_id, longest=140),
        status=readable(parsed.said.status, longest=140),
        content=data,
        sha256=sha256,
        size=len(data),
        uploaded_by=user,
    )
    BankReportRow.objects.bulk_create(rows_of(report, parsed), batch_size=1000)
    return report


def _judge(attempt: PaymentAttempt, row: BankReportRow, today: Today, actor: Actor) -> Effect:
    """Act on what the row says of a locked attempt, and return what came of it."""
    found = OutcomeClass(row.outcome) if row.outcome else None
    if row.objection:
        return _object(attempt, row.objection, actor)
    if found is None or _waits_for_people(attempt):
        return Effect.UNCHANGED
    if found is OutcomeClass.SUCCEEDED:
        return _succeed(attempt, row, today, actor)
    if found in FAILURES:
        return _fail(attempt, row, found, actor)
    if attempt.state != AttemptState.ACCEPTED:
        return Effect.UNCHANGED
    if found is OutcomeClass.ACCEPTED:
        outcomes.accept_again(attempt, said=said_in(row), actor=actor)
        return Effect.ACCEPTED
    outcomes.doubt(attempt, said=said_in(row), actor=actor)
    return Effect.DOUBTED


def _object(attempt: PaymentAttempt, objection: str, actor: Actor) -> Effect:
    """The report contradicts itself or what was sent: people look, nothing moves."""
    finished = attempt.state in outcomes.FINISHED
    outcomes.put_in_review(attempt, said=objection, kind=Incident.Kind.MISMATCH, actor=actor)
    return Effect.INCIDENT if finished else Effect.REVIEW


def _waits_for_people(attempt: PaymentAttempt) -> bool:
    """Whether the bank has contradicted itself about it: then two people end it, not the bank."""
    return attempt.state == AttemptState.REVIEW and attempt.incidents.exists()


def _succeed(attempt: PaymentAttempt, row: BankReportRow, today: Today, actor: Actor) -> Effect:
    before = attempt.state
    if before == AttemptState.SUCCEEDED:
        return Effect.UNCHANGED
    receipt = readable(row.bank_reference, longest=outcomes.LONGEST_ID)
    said = said_in(row)
    outcomes.conclude_success(attempt, receipt=receipt, said=said, today=today, actor=actor)
    return Effect.INCIDENT if before == AttemptState.FAILED else Effect.SETTLED


def _fail(attempt: PaymentAttempt, row: BankReportRow, found: OutcomeClass, actor: Actor) -> Effect:
    before, said = attempt.state, said_in(row)
    if before == AttemptState.FAILED:
        return Effect.UNCHANGED
    if found is OutcomeClass.CONFIG:
        mark_stopped(actor=actor, provider=attempt.provider, reason=said)
    if iso20022.OUR_FUNDS_SHORT in row.reasons.split():
        alerts.error("%s has too little: %s", attempt.provider.name, said)
    burns = found is OutcomeClass.FAILED_FINAL
    passes = iso20022.passes_after_s(row.reasons.split())
    outcomes.conclude_failure(
        attempt, said=said, burns_retry=burns, passes_after_s=passes, actor=actor
    )
    return Effect.INCIDENT if before == AttemptState.SUCCEEDED else Effect.FAILED


def said_in(row: BankReportRow) -> str:
    """Return what the bank said in a row, fit to be stored and shown."""
    meaning = iso20022.in_words(row.status, row.reasons.split())
    said = " ".join(filter(None, (row.status, row.reasons, f"({meaning})", row.text)))
    return readable(said, longest=outcomes.LONGEST_STATUS)
