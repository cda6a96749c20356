"""Requisitions over the API."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.models import AuditEvent
from ledger.roles import Role
from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk, rival_of
from treasury.models import Requisition


def body_for(desk: Desk, **changes: Any) -> dict[str, Any]:
    body = {
        "fund": str(desk.fund.pk),
        "amount": "1500.00",
        "purpose": "Paper for the office",
        "payee_name": "Amina Traders",
        "method": "mpesa",
        "destination": "0712345678",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def create(desk: Desk, expect: int = 201, **changes: Any) -> Any:
    return Caller(desk.requester).post("/api/requisitions/", body_for(desk, **changes), expect)


def test_a_requester_asks_for_money(desk: Desk) -> None:
    answer = create(desk)
    shown = Caller(desk.auditor).get(f"/api/requisitions/{answer['requisition_id']}/")
    assert shown == answer
    expected = {
        "fund": str(desk.fund.pk),
        "company": str(desk.company.pk),
        "amount": "1500.00",
        "currency": "KES",
        "amount_left": "0.00",
        "method": "mpesa",
        "destination": "+254712345678",
        "status": "submitted",
        "version": 1,
        "requested_by": str(desk.requester.pk),
        "approvals": [],
        "approved_at": None,
    }
    assert {name: answer[name] for name in expected} == expected
    assert answer["requested_at"].endswith("Z")
    assert answer["payee_note"]


@pytest.mark.parametrize("written", ["0712345678", "254712345678", "+254712345678"])
def test_phones_are_taken_as_people_write_them(desk: Desk, written: str) -> None:
    assert create(desk, destination=written)["destination"] == "+254712345678"


@pytest.mark.parametrize("amount", ["1500", 1500, "1500.00", "01500.0"])
def test_amounts_are_taken_as_strings_and_integers(desk: Desk, amount: Any) -> None:
    assert create(desk, amount=amount)["amount"] == "1500.00"


def test_the_funds_own_currency_may_be_named_and_no_other(desk: Desk) -> None:
    assert create(desk, currency="KES")["currency"] == "KES"
    refused = create(desk, 400, currency="RWF")
    assert list(refused["errors"]) == ["currency"]


def test_a_fund_out_of_sight_is_refused_like_one_that_does_not_exist(desk: Desk) -> None:
    another, nowhere = (
        create(desk, 400, fund=str(make_desk().fund.pk)),
        create(desk, 400, fund=str(uuid4())),
    )
    assert another == nowhere
    assert list(another["errors"]) == ["fund"]


def test_only_a_requester_asks_for_money_and_is_told_before_his_input_is_read(desk: Desk) -> None:
    for user in (desk.approver, desk.cfo, desk.treasurer, desk.reconciler, desk.auditor):
        refused = Caller(user).post("/api/requisitions/", {"amount": "junk"}, 403)
        assert refused["code"] == "role_required"


def test_a_requester_elsewhere_is_refused_before_his_input_is_read(desk: Desk) -> None:
    elsewhere = rival_of(make_desk(), Role.REQUESTER)
    auditor_here = elsewhere
    auditor_here.memberships.create(company=desk.company, role=Role.AUDITOR)
    body = body_for(desk, amount="junk")
    assert Caller(elsewhere).post("/api/requisitions/", body, 403)["code"] == "role_required"


def test_a_requester_edits_his_own_and_approvals_are_void(desk: Desk) -> None:
    requisition = desk.approved()
    path = f"/api/requisitions/{requisition.pk}/"
    answer = Caller(desk.requester).patch(path, {"amount": "900", "purpose": "Less paper"})
    assert (answer["amount"], answer["purpose"]) == ("900.00", "Less paper")
    assert (answer["status"], answer["version"], answer["approvals"]) == ("submitted", 2, [])


def test_nobody_else_edits_a_requisition(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}/"
    for user in (rival_of(desk, Role.REQUESTER), desk.approver, desk.treasurer):
        assert Caller(user).patch(path, {"amount": "1"}, 403)["code"] == "role_required"


@pytest.mark.parametrize("body", [{}, {"status": "approved"}, {"fund": "x"}, {"amount": None}])
def test_an_edit_changes_something_that_can_be_changed(desk: Desk, body: dict[str, Any]) -> None:
    path = f"/api/requisitions/{desk.request().pk}/"
    refused = Caller(desk.requester).patch(path, body, 400)
    assert list(refused["errors"]) == (list(body) or ["body"])


def test_an_edit_is_refused_once_a_payment_has_left_pending(desk: Desk) -> None:
    payment = desk.paid()
    path = f"/api/requisitions/{payment.requisition_id}/"
    assert Caller(desk.requester).patch(path, {"purpose": "x"}, 409)["code"] in {
        "payment_started",
        "illegal_transition",
    }


def test_one_approval_is_enough_for_a_small_amount(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}/approve/"
    answer = Caller(desk.approver).post(path, {"comment": "Fine."})
    assert (answer["status"], answer["amount_left"]) == ("approved", "1000.00")
    (approval,) = answer["approvals"]
    assert approval["approver"] == str(desk.approver.pk)
    assert (approval["role"], approval["comment"]) == ("approver", "Fine.")


@pytest.mark.parametrize("order", [("approver", "cfo"), ("cfo", "approver")])
def test_above_a_tier_an_approver_and_a_cfo_agree(desk: Desk, order: tuple[str, str]) -> None:
    path = f"/api/requisitions/{desk.request(amount='50000.01').pk}/approve/"
    first, second = (Caller(getattr(desk, name)) for name in order)
    assert first.post(path)["status"] == "submitted"
    assert first.post(path, None, 409)["code"] == "already_approved"
    assert second.post(path)["status"] == "approved"


def test_nobody_approves_or_rejects_his_own(desk: Desk) -> None:
    desk.requester.memberships.create(company=desk.company, role=Role.CFO)
    path = f"/api/requisitions/{desk.request().pk}"
    for verb in ("approve", "reject"):
        refused = Caller(desk.requester).post(f"{path}/{verb}/", {"junk": 1}, 403)
        assert refused["code"] == "segregation_of_duties"


def test_a_superuser_is_held_to_segregation_too(desk: Desk) -> None:
    desk.requester.is_superuser = True
    desk.requester.save()
    path = f"/api/requisitions/{desk.request().pk}/approve/"
    assert Caller(desk.requester).post(path, None, 403)["code"] == "segregation_of_duties"


def test_a_rejection_has_a_reason_and_is_final(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}"
    refused = Caller(desk.approver).post(f"{path}/reject/", {}, 400)
    assert list(refused["errors"]) == ["reason"]
    answer = Caller(desk.approver).post(f"{path}/reject/", {"reason": "Too dear"})
    assert (answer["status"], answer["rejection_reason"]) == ("rejected", "Too dear")
    assert answer["rejected_by"] == str(desk.approver.pk)
    assert Caller(desk.approver).post(f"{path}/approve/", None, 409)["code"] == "illegal_transition"


def test_a_requester_withdraws_his_own(desk: Desk) -> None:
    path = f"/api/requisitions/{desk.request().pk}/cancel/"
    assert Caller(desk.treasurer).post(path, None, 403)["code"] == "role_required"
    assert Caller(desk.requester).post(path)["status"] == "cancelled"
    assert Caller(desk.requester).post(path, None, 409)["code"] == "illegal_transition"


def test_history_tells_what_happened_and_what_was_refused(desk: Desk) -> None:
    requisition = desk.approved()
    path = f"/api/requisitions/{requisition.pk}"
    Caller(desk.requester).post(f"{path}/approve/", None, 403)
    events = Caller(desk.auditor).results(f"{path}/history/")
    told = [(event["action"], event["outcome"], event["code"]) for event in events]
    assert told == [
        ("requisition.create", "done", ""),
        ("requisition.approve", "done", ""),
        ("requisition.approve", "refused", "role_required"),
    ]
    assert "+2547" not in str(events)


def test_an_attempt_from_another_company_is_404_and_told_to_the_owner(desk: Desk) -> None:
    stranger = make_desk().approver
    requisition = desk.request()
    Caller(stranger).post(f"/api/requisitions/{requisition.pk}/approve/", None, 404)
    event = AuditEvent.objects.get(outcome="refused")
    assert (event.code, event.company, event.actor) == ("not_found", desk.company, stranger)
    assert event.subject == requisition.reference


def test_requisitions_are_filtered_and_ordered(desk: Desk) -> None:
    small = desk.request(amount="10")
    large = desk.approved(amount="5000", payee_name="Baraka Hardware")
    caller = Caller(desk.auditor)

    def found(query: str) -> list[str]:
        return [row["requisition_id"] for row in caller.results(f"/api/requisitions/?{query}")]

    assert found("") == [str(large.pk), str(small.pk)]
    assert found("status=submitted") == [str(small.pk)]
    assert found("status=submitted&status=approved&ordering=amount") == [
        str(small.pk),
        str(large.pk),
    ]
    assert found("amount_min=10.01") == found("payee_name=baraka") == [str(large.pk)]
    assert found("amount_max=10") == [str(small.pk)]
    assert found(f"fund={desk.fund.pk}&company={desk.company.pk}&method=cash&currency=KES")
    assert found(f"fund={uuid4()}") == found("method=mpesa") == found("currency=RWF") == []
    assert found(f"requested_by={desk.cfo.pk}") == found("requested_to=2020-01-01") == []
    assert len(found("requested_from=2020-01-01T00:00:00Z")) == 2
    for query in ("status=paid_out", "method=coins", "amount_min=NaN", "amount_max=1e999999"):
        caller.get(f"/api/requisitions/?{query}", 400)
    caller.get("/api/requisitions/?awaiting=you", 400)


def test_what_awaits_me_is_what_i_can_decide(desk: Desk) -> None:
    first = desk.request(amount="60000")
    Caller(desk.approver).post(f"/api/requisitions/{first.pk}/approve/")

    def awaiting(user: Any) -> int:
        return len(Caller(user).results("/api/requisitions/?awaiting=me"))

    assert awaiting(desk.cfo) == 1
    for user in (desk.approver, desk.requester, desk.treasurer, desk.auditor):
        assert awaiting(user) == 0
    assert Requisition.objects.count() == 1
