"""What a payment's page says of money that came back, and of a success after a failure."""

from collections.abc import Iterable

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell, Tone
from ledger.admin.pages import Panel, Table
from treasury.models import LateSuccess, Payment, Reversal

HEADINGS = ("Finding", "Proposed by", "Evidence", "Confirmed by", "Further evidence")


def findings_panels(payment: Payment) -> list[Panel]:
    """A panel for each kind of finding that there is."""
    returns = payment.reversals.select_related("proposed_by", "confirmed_by")
    late = payment.late_successes.select_related("proposed_by", "confirmed_by")
    panels = (
        _panel("Money that came back", [_row(row, "Came back") for row in returns]),
        _panel("Success after failure", [_row(row, row.get_outcome_display()) for row in late]),
    )
    return [panel for panel in panels if not panel.is_empty]


def _panel(title: str, rows: Iterable[tuple[Cell, ...]]) -> Panel:
    return Panel(title, table=Table(HEADINGS, list(rows)))


def _row(row: Reversal | LateSuccess, said: str) -> tuple[Cell, ...]:
    withdrawn = row.withdrawn_at is not None
    tone: Tone = "quiet" if withdrawn else "good" if row.confirmed_at else "busy"
    return (
        Badge(said, tone),
        cells.text(row.proposed_by, note="withdrawn" if withdrawn else ""),
        cells.text(row.evidence),
        cells.text(row.confirmed_by),
        cells.text(row.confirming_evidence),
    )
