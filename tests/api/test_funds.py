"""Funds over the API."""

import pytest

from ledger.models import AuditEvent
from ledger.roles import Role
from tests.api.caller import Caller
from tests.ledger.factories import keep
from tests.treasury.desk import Desk, make_desk, rival_of
from treasury.models import ReplenishmentRequest


def test_a_fund_shows_what_it_holds(desk: Desk) -> None:
    keep(desk.account(), "500")
    assert Caller(desk.auditor).get(f"/api/funds/{desk.fund.pk}/") == {
        "fund_id": str(desk.fund.pk),
        "name": "Petty cash",
        "company": str(desk.company.pk),
        "region": None,
        "branch": None,
        "currency": "KES",
        "current_balance": "100000.00",
        "held": "500.00",
        "available_balance": "99500.00",
        "reorder_level": "0.00",
        "target_level": "0.00",
        "last_replenished": None,
    }


def test_a_balance_says_whether_the_fund_needs_to_be_filled(desk: Desk) -> None:
    low = make_desk(reorder_level="100000.01", target_level="200000")
    for one, needed in ((desk, False), (low, True)):
        answer = Caller(one.auditor).get(f"/api/funds/{one.fund.pk}/balance/")
        assert (answer["reorder_needed"], answer["available_balance"]) == (needed, "100000.00")


def test_funds_are_filtered(desk: Desk) -> None:
    make_desk()
    caller = Caller(desk.auditor)
    assert [fund["fund_id"] for fund in caller.results("/api/funds/")] == [str(desk.fund.pk)]
    assert len(caller.results("/api/funds/?currency=KES&name=petty")) == 1
    for query in ("currency=RWF", "name=vault", "reorder_needed=true"):
        assert caller.results(f"/api/funds/?{query}") == []
    assert len(caller.results("/api/funds/?reorder_needed=false")) == 1


def test_a_treasurer_asks_for_a_fund_to_be_filled(desk: Desk) -> None:
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    body = {"amount": "5000", "reason": "The week before Easter"}
    answer = Caller(desk.treasurer).post(path, body, 201)
    assert {name: answer[name] for name in ("status", "auto_triggered", "requested_amount")} == {
        "status": "pending",
        "auto_triggered": False,
        "requested_amount": "5000.00",
    }
    assert answer["requested_by"] == str(desk.treasurer.pk)
    assert answer["current_balance"] == "100000.00"
    again = Caller(desk.treasurer).post(path, body, 409)
    assert again["code"] == "replenishment_pending"
    assert ReplenishmentRequest.objects.count() == 1
    assert desk.account().balance == 100_000


def test_only_a_treasurer_asks_for_a_fund_to_be_filled(desk: Desk) -> None:
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    for user in (desk.requester, desk.cfo, desk.auditor, desk.reconciler):
        refused = Caller(user).post(path, {"amount": "junk"}, 403)
        assert refused["code"] == "role_required"
    assert AuditEvent.objects.filter(action="fund.replenish", outcome="refused").count() == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "More"}, "amount"),
        ({"amount": "10"}, "reason"),
        ({"amount": "10", "reason": "  "}, "reason"),
        ({"amount": "10", "reason": "More", "fund": "x"}, "fund"),
        ({"amount": "0", "reason": "More"}, "amount"),
    ],
)
def test_a_bad_body_names_the_field(desk: Desk, body: dict[str, str], field: str) -> None:
    path = f"/api/funds/{desk.fund.pk}/replenish/"
    refused = Caller(desk.treasurer).post(path, body, 400)
    assert list(refused["errors"]) == [field]
    assert not ReplenishmentRequest.objects.exists()


def test_an_owner_sees_no_fund(desk: Desk) -> None:
    owner = Caller(rival_of(desk, Role.OWNER))
    assert owner.results("/api/funds/") == []
    owner.get(f"/api/funds/{desk.fund.pk}/", 404)
