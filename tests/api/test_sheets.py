"""Closing, balance sheets and statements through the API."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.roles import Role
from tests.api.village import SECOND, Village
from tests.ledger.factories import MembershipFactory
from tests.scene import assert_books_hold


@pytest.fixture
def shared(village: Village, period: str) -> str:
    """A period in which Ann paid in, Cy laid 100.00 out for all, and Bob is charged a key."""
    item = village.item(period)
    village.contribution(period, "Ann", "450.00")
    village.expense(period, "100.00", paid_by="Cy", budget_item=item)
    body = {"owner_id": village.owners["Bob"], "description": "A key", "amount": "15"}
    village.treasurer.post(f"{period}/charges/", body, 201)
    return period


def close(village: Village, period: str, expect: int = 200) -> Any:
    return village.cfo.post(f"{period}/close", None, expect)


def lines(sheet: Any) -> dict[str, list[str]]:
    """Each owner's columns by his name."""
    columns = (
        "opening", "contributions", "expenses_paid", "allocated", "service_charges", "closing",
    )  # fmt: skip
    return {line["name"]: [line[column] for column in columns] for line in sheet["owners"]}


EXPECTED = {
    "Ann": ["0.00", "450.00", "0.00", "45.00", "0.00", "405.00"],
    "Bob": ["0.00", "0.00", "0.00", "30.00", "15.00", "-45.00"],
    "Cy": ["0.00", "0.00", "100.00", "25.00", "0.00", "75.00"],
}


def test_a_period_closes_and_takes_no_more(village: Village, shared: str) -> None:
    closed = close(village, shared)
    assert (closed["status"], closed["version"]) == ("CLOSED", 1)
    assert closed["closed_by"] == str(village.scene.people["cfo"].pk)
    assert village.treasurer.get(shared) == closed
    for nested, body in (
        ("contributions", {"owner_id": village.owners["Ann"], "amount": "1", "date": "2026-01-01"}),
        ("expenses", {"payment_type": "Security", "amount": "1", "date": "2026-01-01"}),
        ("charges", {"owner_id": village.owners["Ann"], "amount": "1", "description": "A key"}),
        ("budget-items", {"payment_type": "Water", "allocation_strategy": "NONE"}),
    ):
        refused = village.treasurer.post(f"{shared}/{nested}/", body, 409)
        assert refused["code"] == "period_closed", nested
    (his,) = village.treasurer.results(f"{shared}/contributions/")
    path = f"/api/contributions/{his['id']}/"
    assert village.treasurer.patch(path, {"amount": "1"}, 409)["code"] == "period_closed"
    refused = village.treasurer.post(f"{path}void/", {"reason": "Wrong"}, 409)
    assert refused["code"] == "period_closed"
    assert close(village, shared, 409)["code"] == "period_closed"
    assert_books_hold()


def test_the_sheet_is_a_preview_first_and_the_same_once_closed(
    village: Village, shared: str
) -> None:
    preview = village.treasurer.get(f"{shared}/balance-sheet")
    assert (preview["status"], preview["provisional"]) == ("OPEN", True)
    assert (preview["version"], preview["hash"], preview["generated_at"]) == (None, None, None)
    assert lines(preview) == EXPECTED
    close(village, shared)
    sheet = village.by("auditor").get(f"{shared}/balance-sheet")
    assert (sheet["status"], sheet["provisional"], sheet["version"]) == ("CLOSED", False, 1)
    assert len(sheet["hash"]) == 64
    assert (sheet["currency"], sheet["rule"]) == ("KES", "LARGEST_REMAINDER")
    assert lines(sheet) == EXPECTED
    assert [(item["payment_type"], item["actual"]) for item in sheet["items"]] == [
        ("Security", "100.00")
    ]
    assert (sheet["totals"]["allocated"], sheet["totals"]["closing"]) == ("100.00", "435.00")
    assert len(sheet["ties"]) == 8
    assert all(tie["holds"] for tie in sheet["ties"])
    for name, line in EXPECTED.items():
        assert village.balance(name) == line[-1]
    assert village.treasurer.get(f"{shared}/balance-sheet/?version=1") == sheet
    village.treasurer.get(f"{shared}/balance-sheet/?version=2", 404)
    refused = village.treasurer.get(f"{shared}/balance-sheet/?version=none", 400)
    assert list(refused["errors"]) == ["version"]


def test_one_owners_balance_is_his_line(village: Village, shared: str) -> None:
    path = f"{shared}/balances/{village.owners['Cy']}"
    preview = village.treasurer.get(path)
    assert (preview["closing"], preview["status"], preview["version"]) == ("75.00", "OPEN", None)
    close(village, shared)
    line = village.treasurer.get(path)
    assert (line["owner_id"], line["name"]) == (village.owners["Cy"], "Cy")
    assert (line["expenses_paid"], line["allocated"], line["version"]) == ("100.00", "25.00", 1)
    village.treasurer.get(f"{shared}/balances/{uuid4()}", 404)


def test_what_opens_the_next_period_is_what_closed_the_last(village: Village, shared: str) -> None:
    close(village, shared)
    following = village.period(*SECOND)
    sheet = village.treasurer.get(f"{following}/balance-sheet")
    assert {name: line[0] for name, line in lines(sheet).items()} == {
        "Ann": "405.00",
        "Bob": "-45.00",
        "Cy": "75.00",
    }
    assert sheet["totals"]["cash_opening"] == "450.00"


def test_periods_close_in_their_order(village: Village, period: str) -> None:
    following = village.period(*SECOND)
    assert close(village, following, 409)["code"] == "previous_period_open"


def test_what_has_no_budget_item_stops_the_close_and_is_listed(
    village: Village, period: str
) -> None:
    expense = village.expense(period, "100.00")
    refused = close(village, period, 409)
    assert refused["code"] == "budget_item_missing"
    assert refused["errors"] == {"expenses": [expense["id"]]}
    assert village.treasurer.get(period)["status"] == "OPEN"


def test_what_nobody_has_a_weight_for_is_a_broken_rule(village: Village, period: str) -> None:
    for unit in village.units.values():
        village.treasurer.patch(f"/api/properties/{unit}/", {"share_weight": "0"})
    village.expense(period, "100.00", budget_item=village.item(period))
    assert close(village, period, 422)["code"] == "no_weight"


def test_only_a_cfo_closes(village: Village, period: str) -> None:
    for name in ("treasurer", "reconciler", "auditor", "approver"):
        refused = village.by(name).post(f"{period}/close/", None, 403)
        assert refused["code"] == "role_required", name
    body = {"why": "because"}
    assert list(village.cfo.post(f"{period}/close/", body, 400)["errors"]) == ["why"]


def test_an_owner_reads_his_balance_and_nobody_elses(village: Village, shared: str) -> None:
    ann = village.signed_in("Ann")
    close(village, shared)
    assert ann.get(f"{shared}/balances/{village.owners['Ann']}")["closing"] == "405.00"
    ann.get(f"{shared}/balances/{village.owners['Bob']}", 404)
    assert ann.get(f"{shared}/balance-sheet", 403)["code"] == "role_required"
    (his,) = ann.results(f"{shared}/statements/")
    assert (his["owner_id"], his["closing"]) == (village.owners["Ann"], "405.00")
    ann.get(f"{shared}/statements/{village.owners['Bob']}/", 404)
    text: Any = ann.client.get(f"{shared}/statements/?format=csv")
    rows = b"".join(text.streaming_content).decode().splitlines()
    assert len(rows) == 2
    ann.post(f"{shared}/statements/", None, 403)
    ann.post(f"{shared}/close/", None, 403)


def test_who_is_owner_and_staff_sees_as_staff(village: Village, shared: str) -> None:
    ann = village.signed_in("Ann")
    user = village.scene.company.memberships.get(role=Role.OWNER).user
    MembershipFactory.create(user=user, company=village.scene.company, role=Role.AUDITOR)
    assert len(ann.get(f"{shared}/balance-sheet")["owners"]) == 3


def test_statements_are_sent_once_a_version(village: Village, shared: str) -> None:
    path = f"{shared}/statements"
    assert village.treasurer.post(path, None, 409)["code"] == "period_not_closed"
    close(village, shared)
    before = village.treasurer.results(path)
    assert [row["number"] for row in before] == [None, None, None]
    sent = village.treasurer.post(path, None, 201)
    assert (sent["version"], len(sent["results"])) == (1, 3)
    assert village.treasurer.post(path, None, 201) == sent
    listed = village.treasurer.results(path)
    assert listed == sent["results"]
    assert [row["number"] for row in listed] == ["000001", "000002", "000003"]
    assert all(row["issued_at"] for row in listed)
    assert village.treasurer.get(shared)["statements_sent_at"]


def test_statements_come_as_a_file(village: Village, shared: str) -> None:
    close(village, shared)
    village.treasurer.post(f"{shared}/statements/", None, 201)
    answer: Any = village.treasurer.client.get(f"{shared}/statements/?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    heading, *rows = b"".join(answer.streaming_content).decode().splitlines()
    assert heading.split(",")[:3] == ["owner_id", "name", "opening"]
    assert len(rows) == 3
    assert any("Bob" in row and "-45.00" in row for row in rows)
    village.treasurer.get(f"{shared}/statements/?format=pdf", 400)


def test_a_statement_is_printed(village: Village, shared: str) -> None:
    close(village, shared)
    path = f"{shared}/statements/{village.owners['Ann']}/"
    answer = village.treasurer.client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    village.treasurer.get(f"{shared}/statements/{uuid4()}/", 404)


def test_the_same_key_closes_once(village: Village, shared: str) -> None:
    key = {"Idempotency-Key": "one"}
    first = village.cfo.post(f"{shared}/close/", None, 200, key)
    assert village.cfo.post(f"{shared}/close/", None, 200, key) == first
