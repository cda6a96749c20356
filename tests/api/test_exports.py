"""Exports: exactly what is filtered, of one moment, and nothing that a spreadsheet would run."""

import csv
import io
import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ledger import exports
from ledger.exports import Column, Export, harmless
from ledger.models import Company
from ledger.money import Money
from tests.admin.office import Office, list_url, make_office, signed_in
from tests.api.caller import Caller
from tests.treasury.factories import acting
from treasury.models import Payment, Requisition
from treasury.services.replenishment import replenish

LISTS = (
    "/api/requisitions/",
    "/api/payments/",
    "/api/variances/",
    "/api/replenishments/",
    "/api/ledger/",
    "/api/audit/",
)


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def csv_at(office: Office, path: str) -> list[dict[str, str]]:
    mark = "&" if "?" in path else "?"
    return rows_of(body(Caller(office.auditor).client.get(f"{path}{mark}format=csv")))


def one_of_each(office: Office) -> None:
    office.variance(office.paid(), "900.00")
    office.request()
    replenish(actor=acting(office.treasurer), fund_id=office.fund.pk, amount="10", reason="Low")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("wanted", ["csv", "xlsx"])
def test_a_list_comes_as_a_file(office: Office, path: str, wanted: str) -> None:
    one_of_each(office)
    answer = Caller(office.auditor).client.get(f"{path}?format={wanted}")
    data = body(answer)
    shown = Caller(office.auditor).results(f"{path}?page_size=200")
    if wanted == "csv":
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert len(rows_of(data)) == len(shown)
    else:
        sheet = load_workbook(io.BytesIO(data)).active
        assert sheet.max_row - 1 == len(shown)
    assert answer["Content-Disposition"].endswith(f'.{wanted}"')


def test_it_has_what_the_filters_leave_in_their_order(office: Office) -> None:
    for amount in ("30.00", "10.00", "20.00"):
        office.request(amount=amount)
    office.approved(amount="40.00")
    found = csv_at(office, "/api/requisitions/?status=submitted&amount_min=15&ordering=amount")
    assert [row["amount"] for row in found] == ["20.00", "30.00"]


def test_it_has_every_page(office: Office) -> None:
    for _ in range(5):
        office.request()
    assert len(csv_at(office, "/api/requisitions/?page_size=2")) == 5


def test_another_company_s_rows_are_not_in_it(office: Office) -> None:
    make_office().request()
    assert csv_at(office, "/api/requisitions/") == []


def test_amounts_are_numbers_in_the_workbook(office: Office) -> None:
    office.request(amount="1234.50")
    data = body(Caller(office.auditor).client.get("/api/requisitions/?format=xlsx"))
    sheet = load_workbook(io.BytesIO(data)).active
    headings = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, headings.index("amount") + 1)
    assert (cell.data_type, Decimal(str(cell.value))) == ("n", Decimal("1234.5"))
    assert cell.number_format == "#,##0.00"


def test_a_destination_is_masked(office: Office) -> None:
    office.request(method="mpesa", destination="0712345678")
    data = body(Caller(office.auditor).client.get("/api/requisitions/?format=csv"))
    assert b"712345" not in data


def test_too_many_rows_are_refused_before_anything_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 1)
    office.request()
    office.request()
    problem = Caller(office.auditor).get("/api/requisitions/?format=csv", expect=422)
    assert problem["code"] == "too_many_rows"


@pytest.mark.parametrize("path", ["/api/requisitions/?format=pdf", "/api/companies/?format=csv"])
def test_what_there_is_no_file_of_is_refused_by_name(office: Office, path: str) -> None:
    problem = Caller(office.auditor).get(path, expect=400)
    assert list(problem["errors"]) == ["format"]


@pytest.mark.parametrize("path", LISTS)
def test_more_rows_cost_no_more_queries(office: Office, path: str) -> None:
    one_of_each(office)
    few = queries(office, path)
    for _ in range(2):
        office.variance(office.paid(), "900.00")
        office.request()
    assert queries(office, path) == few


def queries(office: Office, path: str) -> int:
    client = Caller(office.auditor).client
    with CaptureQueriesContext(connection) as captured:
        body(client.get(f"{path}?format=csv"))
    return len(captured)


# --- The admin -------------------------------------------------------------------------------------------


def test_the_admin_exports_what_its_list_shows(office: Office) -> None:
    office.request(payee_name="Kept One", amount="10.00")
    office.approved(payee_name="Left Out", amount="20.00")
    client = signed_in(office.auditor)
    url = f"{list_url(Requisition)}export/csv/?status__exact=submitted"
    found = rows_of(body(client.get(url)))
    assert [row["payee_name"] for row in found] == ["Kept One"]
    page = client.get(f"{list_url(Requisition)}?status__exact=submitted").content.decode()
    assert "export/xlsx/?status__exact=submitted" in page


def test_the_admin_s_search_counts_too(office: Office) -> None:
    office.pending(payee_name="Found Ltd")
    office.pending(payee_name="Other Ltd")
    answer = signed_in(office.auditor).get(f"{list_url(Payment)}export/csv/?q=Found")
    assert [row["payee_name"] for row in rows_of(body(answer))] == ["Found Ltd"]


def test_the_admin_has_no_other_files(office: Office) -> None:
    client = signed_in(office.auditor)
    assert client.get(f"{list_url(Payment)}export/pdf/").status_code == 404
    assert client.get(f"{list_url(Company)}export/csv/").status_code in {302, 404}


# --- What a spreadsheet would run ---------------------------------------------------------------------------

FORMULAS = (
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_only_text(office: Office, text: str) -> None:
    office.request(payee_name="x", purpose="Something")
    Requisition.objects.filter(payee_name="x").update(rejection_reason=text)
    for wanted in ("csv", "xlsx"):
        data = body(Caller(office.auditor).client.get(f"/api/requisitions/?format={wanted}"))
        if wanted == "csv":
            assert rows_of(data)[0]["rejection_reason"].startswith("'")
        else:
            sheet = load_workbook(io.BytesIO(data)).active
            assert all(cell.data_type != "f" for row in sheet for cell in row)


RISKY = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠﹢﹣﹦﹫]")
TEXTS = st.text(max_size=40) | st.sampled_from(FORMULAS)


@given(TEXTS)
def test_no_text_begins_like_a_formula(text: str) -> None:
    kept = harmless(text)
    assert not RISKY.match(kept)
    assert kept.removeprefix("'") == text or "\ufffd" in kept or kept == text


@given(st.lists(st.tuples(TEXTS, st.integers(-(10**12), 10**12)), max_size=5))
def test_what_goes_into_a_file_comes_out_of_it(written: list[tuple[str, int]]) -> None:
    """CSV by RFC 4180, whatever the text; a workbook that opens, without a single formula."""
    export = Export(
        "rows",
        (
            Column("text", lambda row: row[0]),
            Column("amount", lambda row: Money(Decimal(row[1]), "KES")),
            Column("id", lambda row: uuid4()),
        ),
    )
    plain, book = io.BytesIO(), io.BytesIO()
    exports._write_csv(export, iter(written), plain)
    exports._write_xlsx(export, iter(written), book)
    data = plain.getvalue()
    assert data.endswith(b"\r\n")
    found = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))[1:]
    assert [row[:2] for row in found] == [[harmless(t), f"{n}.00"] for t, n in written]
    rows = list(load_workbook(io.BytesIO(book.getvalue())).active.iter_rows(min_row=2))
    assert [row[1].value for row in rows] == [n for _, n in written]
    assert all(cell.data_type != "f" for row in rows for cell in row)
