"""What a batch would be: the rows of a dry run, as they would be made, beside the form that makes it."""

from collections.abc import Sequence

from ledger.admin import cells
from ledger.admin.cells import Badge
from ledger.admin.pages import Fact, Panel, Table
from ledger.refusals import Refusal
from treasury.models import BatchRow
from treasury.services.batches import Draft
from treasury.states import BatchRowStatus

ROWS_SHOWN = 200


class Tried(Refusal):
    """A dry run: nothing was made, and ``draft`` says what would have been."""

    status = 200
    code = "dry_run"
    title = "Dry run"

    def __init__(self, draft: Draft) -> None:
        super().__init__("Nothing was made.")
        self.draft = draft


def preview(draft: Draft) -> tuple[Panel, ...]:
    """Return what the page of a dry run shows: the batch in short, its refused rows, and the others."""
    batch = draft.batch
    refused = [row for row in draft.rows if row.status == BatchRowStatus.REFUSED]
    payable = [row for row in draft.rows if row.status != BatchRowStatus.REFUSED]
    looked_at = sum(bool(row.warnings) for row in payable)
    short = Panel(
        "Dry run: nothing was made",
        facts=(
            Fact("Batch", cells.text(batch.name)),
            Fact("Fund", cells.text(batch.fund)),
            Fact("Payments", cells.text(f"{batch.count:,}")),
            Fact("Total", cells.amount(batch.total, batch.currency)),
            Fact("Rows refused", _many(len(refused), "bad")),
            Fact("Rows to be looked at", _many(looked_at, "careful")),
        ),
    )
    return (
        short,
        _rows("Refused rows", refused, "No row would be refused."),
        _rows("Rows that would be paid", payable, "None."),
    )


def _many(count: int, tone: cells.Tone) -> cells.Cell:
    return Badge(f"{count:,}", tone) if count else cells.text("0")


def _rows(title: str, rows: Sequence[BatchRow], empty: str) -> Panel:
    more = f"The first {ROWS_SHOWN} of {len(rows):,}." if len(rows) > ROWS_SHOWN else ""
    table = Table(
        ("Row", "Payee", "Amount", "Method", "Destination", "Goes out on", "Remarks"),
        [
            (
                cells.text(row.number),
                cells.text(row.payee_name or "—"),
                cells.amount(row.amount, row.currency),
                cells.text(row.get_method_display()),
                cells.text(row.destination_shown),
                cells.day(row.payment.due_on if row.payment else row.scheduled_for),
                cells.text(" ".join(remarks(row))),
            )
            for row in rows[:ROWS_SHOWN]
        ],
        frozenset({"Amount"}),
    )
    return Panel(title, table=table, note=more, empty=empty)


def remarks(row: BatchRow) -> list[str]:
    """Return why the row is refused, and what people should look at."""
    field = f"{row.error_field.replace('_', ' ')}: " if row.error_field else ""
    found = [f"{field}{row.error_message}"] if row.error_message else []
    return found + [str(warning["message"]) for warning in row.warnings]
