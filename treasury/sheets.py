"""Sheets of payees: a CSV or XLSX file, read strictly into lines of text. Pure: no ORM.

A file that cannot be read, or that is more than it seems, is refused as a whole; a line with a wrong cell
is kept with what is wrong with it, so that it can be shown beside the others. ``workbooks.py`` reads XLSX.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ledger.refusals import InvalidInput
from treasury import workbooks

LARGEST = 5 * 1024 * 1024
MOST_ROWS = 10_000
LONGEST_CELL = 1_000
PAYEE = ("payee_name", "method", "destination", "amount", "purpose")
COLUMNS = (*PAYEE, "requisition", "reference", "currency", "scheduled_for")
ALIASES = {"requisition_id": "requisition"}
# What a spreadsheet made of a long number: its last digits are gone.
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]{1,3}", re.ASCII)
# What a spreadsheet would calculate; a phone number may begin with a plus, an amount with a minus.
FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9 ])")


class BadFile(InvalidInput):
    """The file cannot be read as a sheet of payees; ``code`` says why."""

    code = "file_unreadable"
    title = "Unreadable file"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line: the column, a stable code, and a sentence for people."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line under the header: its number as a spreadsheet counts, and its cells by column."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


def read_sheet(data: bytes) -> list[Line]:
    """Return the lines of a CSV (UTF-8) or XLSX file that are not empty.

    Raises ``BadFile`` on ``file``: ``file_too_large``, ``file_unreadable``, ``unknown_column``,
    ``missing_column``, ``too_many_rows``, or when it has no line.
    """
    if len(data) > LARGEST:
        raise _bad(f"A file has at most {LARGEST // 1024 // 1024} MB.", code="file_too_large")
    try:
        records = workbooks.records(data) if workbooks.is_workbook(data) else _csv_records(data)
        lines = list(_lines(records))
    except workbooks.Unreadable as error:
        raise _bad(str(error), code=error.code) from error
    if not lines:
        raise _bad("This file has no line under its header.")
    return lines


def _csv_records(data: bytes) -> Iterator[Sequence[workbooks.Cell]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = 'A CSV file is written in UTF-8; a spreadsheet saves it as "CSV UTF-8".'
        raise _bad(message) from error
    if "\0" in text:
        raise _bad("This is neither a CSV nor an XLSX file.")
    first = text.partition("\n")[0]
    if "\t" in first and not {",", ";"} & set(first):
        raise _bad("Write commas or semicolons between the columns, not tabs.")
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for record in reader:
            yield [workbooks.Cell(cell) for cell in record]
    except csv.Error as error:
        raise _bad(f"Line {reader.line_num} cannot be read: {error}.") from error


def _lines(records: Iterable[Sequence[workbooks.Cell]]) -> Iterator[Line]:
    found = 0
    columns: list[str] | None = None
    for number, record in enumerate(records, start=1):
        if columns is None:
            columns = _columns([cell.text for cell in record])
            continue
        if all(not cell.text.strip() and not cell.fault for cell in record):
            continue
        found += 1
        if found > MOST_ROWS:
            raise _bad(f"A file has at most {MOST_ROWS:,} lines.", code="too_many_rows")
        yield _line(number, columns, record)
    if columns is None:
        raise _bad("This file is empty.")


def _columns(header: Sequence[str]) -> list[str]:
    """Return the columns by name; "Payee name" is ``payee_name``."""
    names = ["_".join(name.casefold().split()) for name in header]
    while names and not names[-1]:
        names.pop()
    names = [ALIASES.get(name, name) for name in names]
    for name in names:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            message = f"There is no column {name[:40]!r}; there are {known}."
            raise _bad(message, code="unknown_column")
    if len(set(names)) < len(names):
        raise _bad("A column stands here twice.", code="unknown_column")
    missing = [name for name in PAYEE if name not in names]
    if missing and "requisition" not in names:
        raise _bad(f"The column {missing[0]} is missing.", code="missing_column")
    return names


def _line(number: int, columns: Sequence[str], record: Sequence[workbooks.Cell]) -> Line:
    cells: dict[str, str] = {}
    fault: Fault | None = None
    for place, cell in enumerate(record):
        if place >= len(columns):
            if cell.text.strip() or cell.fault:
                fault = fault or Fault(
                    "row", "invalid_input", "This line is longer than the header."
                )
            continue
        name = columns[place]
        cells[name] = cell.text.strip()
        fault = fault or _fault(name, cell)
    return Line(number, cells, fault)


def _fault(name: str, cell: workbooks.Cell) -> Fault | None:
    if cell.is_formula or FORMULA.match(cell.text):
        return Fault(name, "formula", "A formula is not taken; write the value itself.")
    if cell.fault:
        return Fault(name, "invalid_input", cell.fault)
    if name == "destination" and SHORTENED.fullmatch(cell.text.strip()):
        message = (
            "A spreadsheet has shortened this number; format the column as text, and write it anew."
        )
        return Fault(name, "invalid_input", message)
    if len(cell.text) > LONGEST_CELL:
        return Fault(name, "too_long", f"A cell has at most {LONGEST_CELL:,} characters.")
    return None


def _bad(message: str, *, code: str | None = None) -> BadFile:
    return BadFile.on("file", message, code=code)
