"""Which of our attempts a report's rows are about, and what speaks against taking one at its word."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from payments.gateways import iso20022
from payments.gateways.iso20022 import Report, Verdict
from payments.gateways.outcome import OutcomeClass
from treasury.models import BankFileLine, BankReport, BankReportRow, PaymentAttempt
from treasury.texts import readable

# What a bank writes where it repeats no id.
NO_ID = frozenset({"", "NOTPROVIDED"})
FINEST = 4
OBJECTION_FILE = "the report is about another file than the one that holds this payment"
OBJECTION_IDS = "the ids of the row belong to different payments"
OBJECTION_BOTH = "one report says both that it was paid and that it was not"
DEFINITE = {
    OutcomeClass.SUCCEEDED: True,
    OutcomeClass.FAILED_FINAL: False,
    OutcomeClass.RETRYABLE: False,
    OutcomeClass.CONFIG: False,
}


def rows_of(report: BankReport, parsed: Report) -> list[BankReportRow]:
    """Return the report's rows, each with the attempt it is about and what speaks against it; not saved."""
    lines = BankFileLine.objects.filter(file=report.file_id, file__isnull=False)
    references = lines.order_by("number").values_list("attempt__reference", flat=True)
    sent = [iso20022.end_to_end_id(reference) for reference in references]
    verdicts = iso20022.verdicts_of(parsed, sent)
    known = _attempts_named(report, verdicts)
    rows = [
        _row(report, number, verdict, known) for number, verdict in enumerate(verdicts, start=1)
    ]
    _object_to_both(rows)
    return rows


def _attempts_named(report: BankReport, verdicts: Iterable[Verdict]) -> dict[str, PaymentAttempt]:
    """Return the attempts of this bank's files that the rows name, by each id that they have on the wire.

    Our references are of version 5; a UETR differs from its reference in the version's bits alone.
    """
    wanted = {name for verdict in verdicts for name in _names(verdict)}
    references = {UUID(name) for name in wanted if _is_uuid(name)}
    candidates = references | {UUID(bytes=one.bytes, version=5) for one in references}
    found = PaymentAttempt.objects.filter(
        reference__in=candidates, provider=report.provider_id, file_line__isnull=False
    ).select_related("file_line")
    named: dict[str, PaymentAttempt] = {}
    for attempt in found:
        named[iso20022.end_to_end_id(attempt.reference)] = attempt
        named[str(iso20022.uetr_of(attempt.reference))] = attempt
    return named


def _names(verdict: Verdict) -> set[str]:
    names = (verdict.end_to_end_id, verdict.instruction_id, verdict.uetr)
    return {name.lower() for name in names if name not in NO_ID}


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _row(
    report: BankReport, number: int, verdict: Verdict, known: dict[str, PaymentAttempt]
) -> BankReportRow:
    names = _names(verdict)
    found = {known[name].pk: known[name] for name in names if name in known}
    attempt = next(iter(found.values()), None)
    agreed = len(found) == 1 and names <= set(known)
    finest = verdict.amount is None or _fits(verdict.amount)
    return BankReportRow(
        report=report,
        number=number,
        listed=verdict.listed,
        end_to_end_id=readable(verdict.end_to_end_id, longest=140),
        uetr=readable(verdict.uetr, longest=140),
        status=readable(verdict.said.status, longest=140),
        reasons=readable(" ".join(verdict.said.reasons), longest=160),
        text=readable(verdict.said.text, longest=500),
        bank_reference=readable(verdict.bank_reference, longest=140),
        amount=verdict.amount if finest else None,
        currency=verdict.currency,
        outcome=verdict.outcome_class or "",
        attempt=attempt,
        objection=_objection(report, verdict, attempt, agreed=agreed),
    )


def _objection(
    report: BankReport, verdict: Verdict, attempt: PaymentAttempt | None, *, agreed: bool
) -> str:
    if attempt is None:
        return ""
    if not agreed:
        return OBJECTION_IDS
    if attempt.file_line.file_id != report.file_id:
        return OBJECTION_FILE
    if verdict.amount is not None:
        named, sent = (verdict.amount, verdict.currency), (attempt.amount, attempt.currency)
        if named != sent:
            return readable(
                f"the bank names {verdict.currency} {verdict.amount}, "
                f"{attempt.currency} {attempt.amount} was sent",
                longest=160,
            )
    return ""


def _fits(amount: Decimal) -> bool:
    """Whether the column holds the amount as it is."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -FINEST


def _object_to_both(rows: Iterable[BankReportRow]) -> None:
    """Where one report says yes and no of one payment, neither is taken at its word."""
    said: dict[UUID, set[bool]] = defaultdict(set)
    definite = [
        (row, row.attempt.pk, DEFINITE[OutcomeClass(row.outcome)])
        for row in rows
        if row.attempt is not None and row.outcome in DEFINITE
    ]
    for _, attempt_id, was_paid in definite:
        said[attempt_id].add(was_paid)
    for row, attempt_id, _ in definite:
        if len(said[attempt_id]) > 1 and not row.objection:
            row.objection = OBJECTION_BOTH
