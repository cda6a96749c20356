"""XLSX files: weighed before they are opened, then read cell by cell as text. Pure: no ORM.

A workbook is a ZIP of XML. What it says about its own size is not believed: every part is unpacked once
against a limit, and entities, macros and cells far out are refused, before openpyxl sees the file.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MAGIC = b"PK\x03\x04"
MOST_PARTS = 200
LARGEST_UNPACKED = 40 * 1024 * 1024
PIECE = 1024 * 1024
MOST_COLUMNS = 26
LAST_ROW = 10_001
# A double keeps this many digits as they were typed.
EXACT_DIGITS = 15
ENTITIES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
FAR_COLUMN = re.compile(rb"""\br=["'][A-Z]{2,4}[0-9]+["']""")
ROW_NUMBER = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br=["']([0-9]{1,9})["']""")


class Unreadable(Exception):
    """This workbook is not read; ``code`` is the stable name of the reason."""

    def __init__(self, message: str, code: str = "file_unreadable") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, as text; ``fault`` says why it cannot be taken."""

    text: str
    fault: str = ""
    is_formula: bool = False


def is_workbook(data: bytes) -> bool:
    """Whether the file is a ZIP, by its first bytes; its name is not asked."""
    return data.startswith(MAGIC)


def records(data: bytes) -> Iterator[Sequence[Cell]]:
    """Yield the rows of the first sheet, empty ones included. Raises ``Unreadable``."""
    try:
        _weigh(data)
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        first: Any = book.worksheets[0]
        _require_small(data, first._worksheet_path)
        for row in first.iter_rows(max_col=MOST_COLUMNS):
            yield [_cell(cell) for cell in row]
    except (
        *(zipfile.BadZipFile, InvalidFileException, ParseError, zlib.error, EOFError),
        *(KeyError, ValueError, TypeError, AttributeError, IndexError, NotImplementedError),
        *(OverflowError, RuntimeError),
    ) as error:
        raise Unreadable("This XLSX file cannot be read.") from error


def _weigh(data: bytes) -> None:
    """Unpack every part against the limits, keeping none."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS:
            raise Unreadable("This workbook has too many parts.", "file_too_large")
        left = LARGEST_UNPACKED
        for part in parts:
            if "vbaProject" in part.filename:
                raise Unreadable("A workbook with macros is not taken.")
            left -= _weigh_part(packed, part, left)


def _weigh_part(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    content = bytearray()
    with packed.open(part) as stream:
        while piece := stream.read(PIECE):
            content += piece
            if len(content) > left:
                raise Unreadable("This workbook is too large when unpacked.", "file_too_large")
    if part.filename.endswith((".xml", ".rels")):
        _inspect(bytes(content))
    return len(content)


def _inspect(content: bytes) -> None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or ENTITIES.search(content):
        raise Unreadable("This workbook holds what no spreadsheet writes.")


def _require_small(data: bytes, part: str) -> None:
    """Refuse a first sheet with cells far out; what stands on the others is not read."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        content = packed.read(part)
    if FAR_COLUMN.search(content):
        raise Unreadable("The first sheet has more than 26 columns.", "unknown_column")
    if any(int(number) > LAST_ROW for number in ROW_NUMBER.findall(content)):
        message = "The first sheet goes on below line 10,001; delete the lines at its end, empty ones too."
        raise Unreadable(message, "too_many_rows")


def _cell(cell: Any) -> Cell:
    """Return the value as text: a number with the digits that were typed, a date as ISO 8601."""
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if kind == "f":
        return Cell("", is_formula=True)
    if kind == "e":
        return Cell("", "This cell holds an error.")
    if value is None:
        return Cell("")
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, bool):
        return Cell("", "This cell holds yes or no.")
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime) and value.time() == time():
        return Cell(value.date().isoformat())
    if isinstance(value, date) and not isinstance(value, datetime):
        return Cell(value.isoformat())
    return Cell("", "This cell is neither text nor a number nor a date.")


def _number(value: float) -> Cell:
    digits = Decimal(repr(value))
    if not digits.is_finite() or len(digits.normalize().as_tuple().digits) > EXACT_DIGITS:
        return Cell("", "This number has more digits than a spreadsheet keeps; write it as text.")
    if abs(digits) >= Decimal(10) ** EXACT_DIGITS:
        return Cell("", "This number is too large; write it as text.")
    return Cell(f"{digits.normalize():f}")
