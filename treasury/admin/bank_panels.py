"""What a payment's page says of the bank file that holds it, and of what the bank reported."""

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell, Tone
from ledger.admin.pages import Panel, Table
from payments.gateways.iso20022 import in_words
from treasury.models import BankFileLine, BankReportRow, Payment, PaymentAttempt

EFFECT: dict[str, Tone] = {
    "waiting": "busy",
    "settled": "good",
    "failed": "bad",
    "accepted": "busy",
    "doubted": "careful",
    "review": "bad",
    "incident": "bad",
    "unchanged": "quiet",
    "unmatched": "careful",
}


def effect_badge(row: BankReportRow) -> Badge:
    return Badge(row.get_effect_display(), EFFECT.get(row.effect, "quiet"))


def said_cell(row: BankReportRow) -> Cell:
    """What the bank says in a row, with what it means and what speaks against it."""
    said = " ".join(filter(None, (row.status, row.reasons)))
    meaning = in_words(row.status, row.reasons.split())
    note = ". ".join(filter(None, (meaning, row.text, row.objection)))
    return cells.text(said or "nothing", note=note)


def filed_panels(payment: Payment, attempt: PaymentAttempt) -> list[Panel]:
    """The file that holds an attempt, and every report row about it, oldest first."""
    title = f"Attempt {attempt.number}"
    lines = (
        BankFileLine.objects.filter(attempt=attempt).select_related("file").defer("file__content")
    )
    line = lines.first()
    if line is None:
        return [Panel(f"{title}: in no file", empty="It waits for the next bank file.")]
    link = cells.Link(
        f"File {line.file.message_id}, number {line.number}", cells.page_of(line.file)
    )
    rows = BankReportRow.objects.filter(attempt=attempt).select_related("report")
    rows = rows.defer("report__content").order_by("report__uploaded_at", "number")
    table = Table(
        ("Report", "Brought", "The bank says", "Came of it"),
        [
            (
                cells.link(row.report),
                cells.instant(row.report.uploaded_at, payment.company),
                said_cell(row),
                effect_badge(row),
            )
            for row in rows
        ],
    )
    empty = "The bank has reported nothing about it yet."
    return [Panel(f"{title}: in a file", table=table, links=(link,), empty=empty)]
