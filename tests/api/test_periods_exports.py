"""What is recorded in a period as files: what the list shows, of one moment, and nothing to be run."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from periods.models import Contribution
from tests.admin.office import list_url
from tests.api.caller import Caller
from tests.api.village import Village, build_village

LISTS = ("contributions", "expenses", "charges", "late-fees")
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def recorded(village: Village, period: str) -> str:
    """A period with one of everything, each with a text that a spreadsheet would take for a formula."""
    ann = {"owner_id": village.owners["Ann"]}
    paid = ann | {"amount": "1234.50", "date": "2026-01-05", "comment": FORMULA}
    village.treasurer.post(f"{period}/contributions/", paid, 201)
    village.expense(period, "40.00", paid_by="Cy", vendor=FORMULA, description=FORMULA)
    charge = ann | {"amount": "15.00", "date": "2026-02-01", "description": FORMULA}
    village.treasurer.post(f"{period}/charges/", charge, 201)
    return period


def data_of(caller: Caller, path: str) -> bytes:
    answer: Any = caller.client.get(path)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows_of(caller: Caller, path: str) -> list[dict[str, str]]:
    text = data_of(caller, f"{path}{'&' if '?' in path else '?'}format=csv").decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheet_of(caller: Caller, path: str) -> Any:
    return load_workbook(io.BytesIO(data_of(caller, f"{path}?format=xlsx"))).active


@pytest.mark.parametrize("name", LISTS)
def test_a_list_comes_as_a_file(village: Village, recorded: str, name: str) -> None:
    path = f"{recorded}/{name}/"
    shown = village.treasurer.results(path)
    rows = rows_of(village.treasurer, path)
    assert [next(iter(row.values())) for row in rows] == [one["id"] for one in shown]
    assert sheet_of(village.treasurer, path).max_row == 1 + len(shown)


def test_each_says_what_it_is_whose_and_where(village: Village, recorded: str) -> None:
    (paid,) = rows_of(village.treasurer, f"{recorded}/contributions/")
    assert (paid["association"], paid["period"], paid["owner"]) == (
        "Acacia Court",
        "First quarter",
        "Ann",
    )
    assert (paid["amount"], paid["currency"], paid["date"]) == ("1234.50", "KES", "2026-01-05")
    assert paid["voided_at"] == ""
    (spent,) = rows_of(village.treasurer, f"{recorded}/expenses/")
    assert (spent["kind"], spent["paid_by"], spent["paid"]) == ("expense", "Cy", "true")
    (charged,) = rows_of(village.treasurer, f"{recorded}/charges/")
    assert (charged["kind"], charged["owner"], charged["amount"]) == ("charge", "Ann", "15.00")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("contributions", ["comment"]),
        ("expenses", ["vendor", "description"]),
        ("charges", ["description"]),
    ],
)
def test_a_formula_is_only_text(
    village: Village, recorded: str, name: str, columns: list[str]
) -> None:
    path = f"{recorded}/{name}/"
    (row,) = rows_of(village.treasurer, path)
    sheet = sheet_of(village.treasurer, path)
    headings = [cell.value for cell in sheet[1]]
    for column in columns:
        assert row[column] == f"'{FORMULA}"
        cell = sheet.cell(2, headings.index(column) + 1)
        assert (cell.value, cell.data_type) == (f"'{FORMULA}", "s")


def test_amounts_are_numbers_in_the_workbook(village: Village, recorded: str) -> None:
    sheet = sheet_of(village.treasurer, f"{recorded}/contributions/")
    headings = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, headings.index("amount") + 1)
    assert (cell.data_type, Decimal(str(cell.value))) == ("n", Decimal("1234.5"))
    assert cell.number_format == "#,##0.00"


def test_it_has_what_the_filters_leave_in_their_order(village: Village, period: str) -> None:
    for owner, amount in (("Ann", "30.00"), ("Bob", "99.00"), ("Ann", "10.00"), ("Ann", "20.00")):
        village.contribution(period, owner, amount)
    asked = f"owner_id={village.owners['Ann']}&amount_min=15&ordering=-amount&page_size=1"
    rows = rows_of(village.treasurer, f"{period}/contributions/?{asked}")
    assert [row["amount"] for row in rows] == ["30.00", "20.00"]


def test_an_owner_s_file_is_of_his_own_alone(village: Village, recorded: str) -> None:
    village.contribution(recorded, "Bob", "7.00")
    ann = village.signed_in("Ann")
    assert [row["owner"] for row in rows_of(ann, f"{recorded}/contributions/")] == ["Ann"]
    assert rows_of(ann, f"{recorded}/expenses/") == []
    other = build_village(scene=village.scene, name="Baobab House")
    assert other.signed_in("Bob").client.get(f"{recorded}/charges/?format=csv").status_code == 404


@pytest.mark.parametrize("name", LISTS[:3])
def test_more_rows_cost_no_more_queries(village: Village, recorded: str, name: str) -> None:
    path = f"{recorded}/{name}/"
    few = cost(village, path)
    village.contribution(recorded, "Bob", "7.00")
    village.expense(recorded, "41.00", budget_item=village.item(recorded))
    charge = {"owner_id": village.owners["Bob"], "amount": "1", "description": "Key"}
    village.treasurer.post(f"{recorded}/charges/", charge | {"date": "2026-01-01"}, 201)
    assert len(rows_of(village.treasurer, path)) == 2
    assert cost(village, path) == few


def cost(village: Village, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        rows_of(village.treasurer, path)
    return len(captured)


def test_the_admin_has_the_same_files(village: Village, recorded: str) -> None:
    auditor = village.scene.people["auditor"]
    auditor.is_staff = True
    auditor.save(update_fields=["is_staff"])
    client = village.by("auditor").client
    client.force_login(auditor)
    answer: Any = client.get(f"{list_url(Contribution)}export/csv/")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["owner"] for row in rows] == ["Ann"]
