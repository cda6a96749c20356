"""Sheets of payees as people make them: what is read, and what is refused by name."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from ledger.refusals import InvalidInput
from treasury.sheets import Line, read_sheet
from treasury.texts import optional_text, same_name

HEADER = ("payee_name", "method", "destination", "amount", "purpose")
GOOD = ("Amina Traders", "cash", "Gate", 50, "Paper")


def workbook(*rows: tuple[Any, ...], change: Callable[[Workbook], Any] | None = None) -> bytes:
    """The bytes of a workbook whose first sheet has these rows, and what ``change`` does to it."""
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    if change:
        change(book)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def csv(*lines: str) -> bytes:
    return "\n".join((",".join(HEADER), *lines)).encode()


def only(data: bytes) -> Line:
    [line] = read_sheet(data)
    return line


def refusal(data: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_sheet(data)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (712345678, "712345678"),
        (7.12345678e08, "712345678"),
        (1234.56, "1234.56"),
        ("007", "007"),
        (date(2026, 12, 1), "2026-12-01"),
        (datetime.fromisoformat("2026-12-01"), "2026-12-01"),
        (None, ""),
    ],
)
def test_a_cell_of_a_workbook_is_read_as_it_was_typed(typed: Any, read: str) -> None:
    line = only(workbook(HEADER, (*GOOD[:2], typed, *GOOD[3:])))
    assert (line.cells["destination"], line.fault) == (read, None)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("=A1", "formula"),
        ("@SUM(A1)", "formula"),
        (True, "invalid_input"),
        ("#N/A", "invalid_input"),
        (datetime.fromisoformat("2026-12-01T12:00"), "invalid_input"),
        (1e300, "invalid_input"),
        (12345678901234567, "invalid_input"),
        ("x" * 1001, "too_long"),
    ],
)
def test_a_cell_that_says_nothing_certain_is_a_fault_of_its_line_alone(
    typed: Any, code: str
) -> None:
    first, second = read_sheet(workbook(HEADER, (*GOOD[:2], typed, *GOOD[3:]), GOOD))
    assert first.fault
    assert (first.fault.field, first.fault.code, second.fault) == ("destination", code, None)


def test_what_stands_on_other_sheets_does_not_matter() -> None:
    def add_notes(book: Workbook) -> None:
        book.create_sheet("Notes").cell(20_000, 60, "far out")

    assert only(workbook(HEADER, GOOD, change=add_notes)).cells["payee_name"] == GOOD[0]


@pytest.mark.parametrize(
    ("row", "column", "code"), [(15_000, 1, "too_many_rows"), (2, 60, "unknown_column")]
)
def test_a_first_sheet_with_cells_far_out_is_refused_saying_so(
    row: int, column: int, code: str
) -> None:
    def reach_out(book: Workbook) -> None:
        sheet: Any = book.active
        sheet.cell(row, column).number_format = "@"

    refused = refusal(workbook(HEADER, GOOD, change=reach_out))
    assert refused.code == code
    assert "The first sheet" in refused.detail


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/worksheets/more.xml"])
def test_macros_and_what_unpacks_to_too_much_are_refused(name: str) -> None:
    data = io.BytesIO(workbook(HEADER, GOOD))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, b" " * 41 * 1024 * 1024)
    assert refusal(data.getvalue()).code in {"file_unreadable", "file_too_large"}


@pytest.mark.parametrize("number", ["7.12E+08", "2,54712E+11", "7e8"])
def test_a_number_that_a_spreadsheet_shortened_is_named_as_that(number: str) -> None:
    line = only(csv(f'A,mpesa,"{number}",50,Fare'))
    assert line.fault
    assert "shortened" in line.fault.message


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ("\t".join(HEADER).encode() + b"\nA\tcash\tGate\t5\tx", "tabs"),
        (csv("Zoë,cash,Gate,5,x").decode().encode("cp1252"), "CSV UTF-8"),
        (csv("Zoë,cash,Gate,5,x").decode().encode("utf-16"), "CSV UTF-8"),
    ],
)
def test_a_csv_of_another_kind_is_refused_with_what_to_do(data: bytes, hint: str) -> None:
    refused = refusal(data)
    assert hint in refused.detail
    assert list(refused.errors) == ["file"]


def test_a_csv_as_spreadsheets_write_it_is_read() -> None:
    text = "\ufeff" + ";".join(HEADER) + "\r\n\r\n;;;;\r\nA;cash;Gate;5;x\r\n\r\n"
    line = only(text.encode())
    assert (line.number, line.cells["amount"], line.fault) == (4, "5", None)


@pytest.mark.parametrize("turning", ["\u202e", "\u2066", "\x00", "\ue000"])
def test_a_text_holds_nothing_that_makes_it_read_as_another(turning: str) -> None:
    with pytest.raises(InvalidInput):
        optional_text(f"Amina {turning}sredarT", field="payee_name")


def test_names_that_look_the_same_are_the_same_payee() -> None:
    assert same_name("Amina\u200b  TRADERS\ufeff") == same_name("Amina Traders")
    assert optional_text("مؤسسة\u200cعلي", field="payee_name")
