"""Replenishments over the API."""

from typing import Any

import pytest

from ledger.roles import Role
from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk


@pytest.fixture
def request_path(desk: Desk) -> str:
    """The address of a pending request for 5,000.00."""
    body = {"amount": "5000", "reason": "Running low"}
    answer = Caller(desk.treasurer).post(f"/api/funds/{desk.fund.pk}/replenish/", body, 201)
    return f"/api/replenishments/{answer['request_id']}"


def test_nothing_is_credited_before_it_is_funded(desk: Desk, request_path: str) -> None:
    approved = Caller(desk.cfo).post(f"{request_path}/approve/")
    assert (approved["status"], approved["approved_by"]) == ("approved", str(desk.cfo.pk))
    assert desk.account().balance == 100_000
    funded = Caller(desk.treasurer).post(f"{request_path}/fund/")
    assert (funded["status"], funded["funded_by"]) == ("funded", str(desk.treasurer.pk))
    assert desk.account().balance == 105_000
    fund = Caller(desk.auditor).get(f"/api/funds/{desk.fund.pk}/")
    assert fund["last_replenished"] == funded["funded_at"]
    again = Caller(desk.treasurer).post(f"{request_path}/fund/", None, 409)
    assert again["code"] == "illegal_transition"


def test_what_is_not_approved_is_not_funded(desk: Desk, request_path: str) -> None:
    refused = Caller(desk.treasurer).post(f"{request_path}/fund/", None, 409)
    assert refused["code"] == "illegal_transition"


def test_a_rejection_has_a_reason(desk: Desk, request_path: str) -> None:
    refused = Caller(desk.cfo).post(f"{request_path}/reject/", {"reason": " "}, 400)
    assert list(refused["errors"]) == ["reason"]
    answer = Caller(desk.cfo).post(f"{request_path}/reject/", {"reason": "Next month"})
    assert (answer["status"], answer["rejection_reason"]) == ("rejected", "Next month")


def test_the_approver_is_not_who_recorded_it(desk: Desk, request_path: str) -> None:
    desk.treasurer.memberships.create(company=desk.company, role=Role.CFO)
    for verb in ("approve", "reject"):
        refused = Caller(desk.treasurer).post(f"{request_path}/{verb}/", {"junk": 1}, 403)
        assert refused["code"] == "segregation_of_duties"


def test_whoever_approved_it_does_not_fund_it(desk: Desk, request_path: str) -> None:
    desk.cfo.memberships.create(company=desk.company, role=Role.TREASURER)
    Caller(desk.cfo).post(f"{request_path}/approve/")
    refused = Caller(desk.cfo).post(f"{request_path}/fund/", None, 403)
    assert refused["code"] == "segregation_of_duties"


def test_roles_are_asked_before_all_else(desk: Desk, request_path: str) -> None:
    nobody_else = {"approve": desk.treasurer, "reject": desk.approver, "fund": desk.cfo}
    for verb, user in nobody_else.items():
        refused = Caller(user).post(f"{request_path}/{verb}/", {"junk": 1}, 403)
        assert refused["code"] == "role_required"
        Caller(make_desk().cfo).post(f"{request_path}/{verb}/", {"junk": 1}, 404)


def test_a_low_fund_asks_by_itself(desk: Desk) -> None:
    low = make_desk(reorder_level="99500", target_level="150000")
    Caller(low.treasurer).post(f"/api/payments/{low.pending().pk}/execute/")
    (asked,) = Caller(low.auditor).results("/api/replenishments/?auto_triggered=true")
    assert (asked["requested_amount"], asked["requested_by"]) == ("51000.00", None)
    assert asked["status"] == "pending"


def test_replenishments_are_filtered_and_have_a_history(desk: Desk, request_path: str) -> None:
    def found(query: str, user: Any = None) -> int:
        return len(Caller(user or desk.auditor).results(f"/api/replenishments/?{query}"))

    assert found(f"status=pending&fund={desk.fund.pk}&amount_min=5000&amount_max=5000") == 1
    assert found("status=funded") == found("auto_triggered=true") == found("currency=RWF") == 0
    assert (found("awaiting=me", desk.cfo), found("awaiting=me", desk.treasurer)) == (1, 0)
    Caller(desk.cfo).post(f"{request_path}/approve/")
    assert (found("awaiting=me", desk.cfo), found("awaiting=me", desk.treasurer)) == (0, 1)
    events = Caller(desk.auditor).results(f"{request_path}/history/")
    assert events[-1]["action"] == "replenishment.approve"
