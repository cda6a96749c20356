"""Reopening a period and closing it again, through the API; and what an association brings along."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.roles import Role
from tests.api.caller import Caller
from tests.api.village import SECOND, Village
from tests.ledger.factories import MembershipFactory, UserFactory
from tests.scene import assert_books_hold


@pytest.fixture
def item(village: Village, period: str) -> str:
    return village.item(period)


@pytest.fixture
def closed(village: Village, period: str, item: str) -> str:
    """A closed period with a contribution and a shared cost."""
    village.contribution(period, "Ann", "450.00")
    village.expense(period, "1000.00", budget_item=item)
    village.cfo.post(f"{period}/close/")
    return period


def reopen(village: Village, period: str, expect: int = 200) -> Any:
    body = {"status": "OPEN", "reason": "A bill came late"}
    return village.cfo.patch(period, body, expect)


def second_cfo(village: Village) -> Caller:
    user = UserFactory.create()
    MembershipFactory.create(user=user, company=village.scene.company, role=Role.CFO)
    return Caller(user)


def done_to(village: Village, period: str) -> list[str]:
    history = village.treasurer.results(f"{period}/history/")
    return [event["action"] for event in history if event["outcome"] == "done"]


def closings(village: Village, period: str) -> dict[str, str]:
    sheet = village.treasurer.get(f"{period}/balance-sheet")
    return {line["name"]: line["closing"] for line in sheet["owners"]}


def test_a_reopened_period_takes_records_again(village: Village, closed: str) -> None:
    opened = reopen(village, closed)
    assert (opened["status"], opened["version"], opened["reopening"]) == ("OPEN", 1, None)
    assert (opened["closed_at"], opened["closed_by"]) == (None, None)
    village.contribution(closed, "Bob", "300.00")
    assert village.cfo.post(f"{closed}/close/")["version"] == 2
    assert closings(village, closed) == {"Ann": "0.00", "Bob": "0.00", "Cy": "-250.00"}
    first = village.treasurer.get(f"{closed}/balance-sheet?version=1")
    assert {line["name"]: line["closing"] for line in first["owners"]}["Bob"] == "-300.00"
    assert_books_hold()


def test_nothing_changed_is_no_new_version(village: Village, closed: str) -> None:
    before = village.treasurer.get(f"{closed}/balance-sheet")
    reopen(village, closed)
    again = village.cfo.post(f"{closed}/close/")
    after = village.treasurer.get(f"{closed}/balance-sheet")
    assert (again["version"], after["hash"]) == (1, before["hash"])
    assert village.treasurer.results(f"{closed}/recalculations/") == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"status": "OPEN"}, "reason", "reason_required"),
        ({"status": "OPEN", "reason": " "}, "reason", "reason_required"),
        ({"status": "CLOSED", "reason": "x"}, "status", "invalid_input"),
        ({"status": "STALE", "reason": "x"}, "status", "invalid_input"),
        ({"status": "open", "reason": "x"}, "status", "invalid_input"),
        ({"reason": "x"}, "status", "invalid_input"),
        ({"status": "OPEN", "reason": "x", "name": "Other"}, "name", "invalid_input"),
    ],
)
def test_a_period_is_patched_for_nothing_else(
    village: Village, closed: str, body: dict[str, str], field: str, code: str
) -> None:
    refused = village.cfo.patch(closed, body, 400)
    assert (refused["code"], list(refused["errors"])) == (code, [field])
    assert village.treasurer.get(closed)["status"] == "CLOSED"


def test_an_open_period_is_not_opened(village: Village, period: str) -> None:
    assert reopen(village, period, 409)["code"] == "period_not_closed"
    for name in ("treasurer", "reconciler", "auditor"):
        village.by(name).patch(period, {"status": "OPEN", "reason": "x"}, 403)


def test_once_statements_were_sent_another_person_confirms(village: Village, closed: str) -> None:
    village.treasurer.post(f"{closed}/statements/", None, 201)
    waiting = reopen(village, closed, 202)
    assert waiting["status"] == "CLOSED"
    assert waiting["reopening"]["reason"] == "A bill came late"
    assert waiting["reopening"]["requested_by"] == str(village.scene.people["cfo"].pk)
    assert reopen(village, closed, 409)["code"] == "reopening_waits"
    other = second_cfo(village)
    assert other.results("/api/periods/?awaiting=me") == [waiting]
    assert village.cfo.results("/api/periods/?awaiting=me") == []
    assert village.treasurer.results("/api/periods/?awaiting=me") == []
    path = f"{closed}/reopen/approve"
    assert village.cfo.post(path, None, 403)["code"] == "segregation_of_duties"
    village.treasurer.post(path, None, 403)
    opened = other.post(path)
    assert (opened["status"], opened["reopening"]) == ("OPEN", None)
    other.post(path, None, 404)
    assert set(done_to(village, closed)[-4:]) == {
        "statements.send",
        "period.ask_to_reopen",
        "period.approve_reopening",
        "period.reopen",
    }


@pytest.mark.parametrize(
    ("verb", "by_another", "body", "status"),
    [
        ("withdraw", False, None, "CLOSED"),
        ("reject", True, {"reason": "It was right"}, "CLOSED"),
        ("approve", True, None, "OPEN"),
    ],
)
def test_what_becomes_of_a_request_to_reopen_is_told_once_under_a_key(
    village: Village, closed: str, verb: str, by_another: bool, body: Any, status: str
) -> None:
    village.treasurer.post(f"{closed}/statements/", None, 201)
    reopen(village, closed, 202)
    caller = second_cfo(village) if by_another else village.cfo
    path, key = f"{closed}/reopen/{verb}/", {"Idempotency-Key": "decided"}
    decided = caller.post(path, body, 200, key)
    assert (decided["status"], decided["reopening"]) == (status, None)
    assert decided == village.treasurer.get(closed)


def test_whoever_asked_to_reopen_takes_it_back(village: Village, closed: str) -> None:
    path = f"{closed}/reopen/withdraw/"
    village.cfo.post(path, None, 404)
    village.treasurer.post(f"{closed}/statements/", None, 201)
    reopen(village, closed, 202)
    other = second_cfo(village)
    assert other.post(path, None, 403)["code"] == "role_required"
    village.treasurer.post(path, None, 403)
    withdrawn = village.cfo.post(path)
    assert (withdrawn["status"], withdrawn["reopening"]) == ("CLOSED", None)
    assert other.results("/api/periods/?awaiting=me") == []
    other.post(f"{closed}/reopen/approve/", None, 404)
    village.cfo.post(path, None, 404)
    assert reopen(village, closed, 202)["reopening"]
    assert done_to(village, closed)[-3:] == [
        "period.ask_to_reopen",
        "period.withdraw_reopening",
        "period.ask_to_reopen",
    ]


def test_another_cfo_rejects_it_with_a_reason(village: Village, closed: str) -> None:
    path, body = f"{closed}/reopen/reject/", {"reason": "It belongs to the next quarter"}
    other = second_cfo(village)
    other.post(path, body, 404)
    village.treasurer.post(f"{closed}/statements/", None, 201)
    reopen(village, closed, 202)
    assert village.cfo.post(path, body, 403)["code"] == "segregation_of_duties"
    assert village.treasurer.post(path, body, 403)["code"] == "role_required"
    assert other.post(path, {"reason": " "}, 400)["code"] == "reason_required"
    assert list(other.post(path, {}, 400)["errors"]) == ["reason"]
    rejected = other.post(path, body)
    assert (rejected["status"], rejected["reopening"]) == ("CLOSED", None)
    assert other.results("/api/periods/?awaiting=me") == []
    told = village.cfo.results(f"{closed}/history/")[-1]
    assert (told["action"], told["outcome"]) == ("period.reject_reopening", "done")
    assert told["after"]["rejection_reason"] == body["reason"]
    village.cfo.post(f"{closed}/reopen/withdraw/", None, 404)
    assert reopen(village, closed, 202)["reopening"]


def test_an_owner_is_not_told_that_it_was_to_be_opened(village: Village, closed: str) -> None:
    village.treasurer.post(f"{closed}/statements/", None, 201)
    reopen(village, closed, 202)
    village.cfo.post(f"{closed}/reopen/withdraw/")
    told = village.signed_in("Ann").results(f"{closed}/history/")
    assert {event["action"] for event in told}.isdisjoint(
        {"period.ask_to_reopen", "period.withdraw_reopening"}
    )


def test_an_owner_is_not_told_why_it_is_opened(village: Village, closed: str) -> None:
    village.treasurer.post(f"{closed}/statements/", None, 201)
    reopen(village, closed, 202)
    assert village.signed_in("Ann").get(closed)["reopening"] is None


def test_a_correction_flows_through(village: Village, closed: str, item: str) -> None:
    following = village.period(*SECOND)
    village.contribution(following, "Cy", "250.00", "2026-04-01")
    village.cfo.post(f"{following}/close/")
    reopen(village, closed)
    stale = village.treasurer.get(f"{following}/balance-sheet")
    assert (stale["status"], stale["provisional"], stale["version"]) == ("STALE", True, 1)
    refused = village.treasurer.post(
        f"{following}/contributions/",
        {"owner_id": village.owners["Ann"], "amount": "1", "date": "2026-04-01"},
        409,
    )
    assert refused["code"] == "period_closed"
    village.expense(closed, "100.00", paid_by="Bob", budget_item=item)
    village.cfo.post(f"{closed}/close/")
    assert village.treasurer.get(following)["version"] == 2
    assert closings(village, following) == {"Ann": "-45.00", "Bob": "-230.00", "Cy": "-25.00"}
    (run,) = village.treasurer.results(f"{closed}/recalculations/")
    assert (run["policy"], run["reason"]) == ("RECALCULATE", "A bill came late")
    assert [(one["version_before"], one["version_after"]) for one in run["periods"]] == [
        (1, 2),
        (1, 2),
    ]
    assert {one["owner_id"]: one["difference"] for one in run["differences"]} == {
        village.owners["Ann"]: "-45.00",
        village.owners["Bob"]: "70.00",
        village.owners["Cy"]: "-25.00",
    }
    assert village.signed_in("Ann").results(f"{closed}/recalculations/") == []
    assert_books_hold()


def test_frozen_periods_keep_their_sheets(village: Village, closed: str, item: str) -> None:
    path = f"/api/associations/{village.association}/"
    village.cfo.patch(path, {"recalculation": "FREEZE_DOWNSTREAM"})
    following = village.period(*SECOND)
    village.cfo.post(f"{following}/close/")
    reopen(village, closed)
    village.expense(closed, "100.00", paid_by="Bob", budget_item=item)
    assert village.cfo.post(f"{closed}/close/", None, 409)["code"] == "no_open_period"
    third = village.period("Third quarter", "2026-07-01", "2026-09-30")
    village.cfo.post(f"{closed}/close/")
    assert village.treasurer.get(following)["version"] == 1
    adjustments = village.treasurer.results(f"{third}/charges/?kind=adjustment")
    assert {one["owner_id"]: one["amount"] for one in adjustments} == {
        village.owners["Ann"]: "45.00",
        village.owners["Bob"]: "-70.00",
        village.owners["Cy"]: "25.00",
    }


# Opening balances


def test_an_association_brings_its_balances_along(village: Village, period: str) -> None:
    path = f"/api/associations/{village.association}/opening-balances"
    village.treasurer.get(path, 404)
    balances = [
        {"owner_id": village.owners["Ann"], "amount": "100.00"},
        {"owner_id": village.owners["Bob"], "amount": "-50"},
    ]
    body = {"cash": "1050", "balances": balances}
    made = village.treasurer.post(path, body, 201)
    assert (made["cash"], made["equity"], made["on"]) == ("1050.00", "1000.00", "2025-12-31")
    assert [line["amount"] for line in made["balances"]] == ["100.00", "-50.00"]
    assert village.treasurer.get(path) == made
    assert village.treasurer.post(path, body, 409)["code"] == "openings_recorded"
    assert closings(village, period) == {"Ann": "100.00", "Bob": "-50.00", "Cy": "0.00"}
    village.signed_in("Ann").get(path, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cash": "NaN"}, "cash"),
        ({"cash": "0.001"}, "cash"),
        ({"balances": [{"owner_id": str(uuid4()), "amount": "1"}]}, "balances"),
        ({"balances": "none"}, "balances"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_openings_name_the_field(
    village: Village, period: str, change: dict[str, Any], field: str
) -> None:
    path = f"/api/associations/{village.association}/opening-balances/"
    refused = village.treasurer.post(path, {"cash": "0", "balances": []} | change, 400)
    assert field in next(iter(refused["errors"]))


def test_an_owner_stands_once_in_the_openings(village: Village, period: str) -> None:
    path = f"/api/associations/{village.association}/opening-balances/"
    line = {"owner_id": village.owners["Ann"], "amount": "1"}
    refused = village.treasurer.post(path, {"cash": "0", "balances": [line, line]}, 400)
    assert list(refused["errors"]) == ["balances"]
