"""Exports: exactly the rows that a list shows, as CSV (RFC 4180) or as a workbook (XLSX).

All rows are of one moment. What people wrote is text wherever it goes: a spreadsheet takes a cell that begins
with ``=`` and its kin for a formula, which could send what stands beside it elsewhere, so such text gets an
apostrophe before it. Amounts are numbers, in the workbook too.
"""

import csv
import io
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from ledger.clock import written_instant
from ledger.money import Money, format_amount, minor_unit
from ledger.refusals import RuleBroken
from ledger.reports import one_snapshot

MOST_ROWS = 50_000
AT_ONCE = 2_000
IN_MEMORY = 2 * 1024 * 1024
LONGEST_CELL = 32_767  # what a cell of a workbook holds
CONTENT_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# A formula begins with one of these, or with its full-width look-alike, or after a tab or a line's end.
BEGINS = frozenset("=+-@\t\r\n")
Value = str | int | bool | date | datetime | Money | None


class TooManyRows(RuleBroken):
    """More rows than one file may have: a narrower filter is needed."""

    code = "too_many_rows"
    title = "Too many rows"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and what of a row stands in it."""

    name: str
    of: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Export:
    """What a file of these rows is called and consists of, and which rows it reads along with each."""

    name: str
    columns: Sequence[Column]
    related: Sequence[str] = field(default=())


def of(*path: str) -> Callable[[Any], Any]:
    """What lies at the end of a path from a row; nothing where it breaks off."""

    def value(row: Any) -> Any:
        for name in path:
            row = getattr(row, name, None)
            if row is None:
                return None
        return row

    return value


def person(*path: str) -> Callable[[Any], str | None]:
    """The name of who stands at the end of a path, if anybody does."""
    found = of(*path)

    def name(row: Any) -> str | None:
        somebody = found(row)
        return str(somebody) if somebody else None

    return name


def money(name: str, *currency: str) -> Callable[[Any], Money]:
    """An amount of a row, in the currency at the end of a path: by default the row's own."""
    in_currency = of(*(currency or ("currency",)))
    return lambda row: Money(getattr(row, name), in_currency(row))


def write_export(export: Export, rows: QuerySet[Any], wanted: str) -> IO[bytes]:
    """Return a file, ready to be read, of all the rows in their order, read in one snapshot.

    It is written before anything is answered, so that a slow reader keeps no transaction open. Raises
    ``TooManyRows`` (422) beyond ``MOST_ROWS``.
    """
    rows = rows.prefetch_related(None).select_related(*export.related)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- whoever answers closes it
    with one_snapshot():
        if rows.order_by().values("pk")[: MOST_ROWS + 1].count() > MOST_ROWS:
            file.close()
            message = f"This is more than {MOST_ROWS:,} rows; narrow the filter."
            raise TooManyRows(message)
        WRITERS[wanted](export, rows.iterator(chunk_size=AT_ONCE), file)
    file.seek(0)
    return file


def harmless(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula, and every workbook can hold it."""
    clean = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[: LONGEST_CELL - 1]
    first = unicodedata.normalize("NFKC", clean.lstrip()[:1]) or clean[:1]
    return f"'{clean}" if first in BEGINS or clean[:1] in BEGINS else clean


def _write_csv(export: Export, rows: Iterator[Any], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in export.columns])
    for row in rows:
        writer.writerow([_written(column.of(row)) for column in export.columns])
    text.detach()


def _written(value: Value) -> str:
    """A value as text: amounts with exactly their currency's decimals, instants in UTC."""
    if isinstance(value, Money):
        return format_amount(value.amount, value.currency)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return written_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    return "" if value is None else harmless(str(value))


def _write_xlsx(export: Export, rows: Iterator[Any], file: IO[bytes]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(export.name[:31])
    sheet.freeze_panes = "A2"
    sheet.append([column.name for column in export.columns])
    for row in rows:
        sheet.append([_cell(sheet, column.of(row)) for column in export.columns])
    book.save(file)


def _cell(sheet: Any, value: Value) -> Any:
    """A cell of the value's own kind; text is always text, whatever it begins with."""
    if isinstance(value, Money):
        cell = WriteOnlyCell(sheet, value=Decimal(value.amount))
        unit = minor_unit(value.currency)
        cell.number_format = "#,##0." + "0" * unit if unit else "#,##0"
        return cell
    if isinstance(value, datetime):
        cell = WriteOnlyCell(sheet, value=value.astimezone(UTC).replace(tzinfo=None))
        cell.number_format = "yyyy-mm-dd hh:mm:ss"
        return cell
    if value is None or isinstance(value, bool | int | date):
        return value
    cell = WriteOnlyCell(sheet, value=harmless(str(value)))
    cell.data_type = "s"
    return cell


WRITERS: dict[str, Callable[[Export, Iterator[Any], IO[bytes]], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}

AUDIT = Export(
    "audit",
    (
        Column("at", lambda row: row.at),
        Column("company", lambda row: row.company and row.company.name),
        Column("actor", lambda row: row.actor_name),
        Column("action", lambda row: row.action),
        Column("subject", lambda row: row.subject),
        Column("outcome", lambda row: row.outcome),
        Column("code", lambda row: row.code),
        Column("detail", lambda row: row.detail),
        Column("ip_address", lambda row: row.ip_address),
        Column("request_id", lambda row: row.request_id),
        Column("event_id", lambda row: row.pk),
    ),
    ("company",),
)
