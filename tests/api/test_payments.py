"""Payments over the API: making, editing, cancelling, finding them."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.roles import Role
from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk, rival_of
from treasury.models import Payment


def make(desk: Desk, requisition: Any, expect: int = 201, **body: Any) -> Any:
    body = {"requisition": str(getattr(requisition, "pk", requisition)), **body}
    return Caller(desk.treasurer).post("/api/payments/", body, expect)


def test_a_treasurer_makes_a_payment_of_all_that_is_left(desk: Desk) -> None:
    requisition = desk.approved(amount="1000", method="mpesa", destination="0712345678")
    answer = make(desk, requisition)
    expected = {
        "requisition": str(requisition.pk),
        "fund": str(desk.fund.pk),
        "amount": "1000.00",
        "currency": "KES",
        "method": "mpesa",
        "destination": "+254712345678",
        "status": "pending",
        "requested_by": str(desk.requester.pk),
        "executor": None,
        "otp_required": False,
        "otp_sent_timestamp": None,
        "otp_verified": False,
        "otp_verified_timestamp": None,
        "retry_count": 0,
        "max_retries": 3,
        "last_error": "",
        "execution": None,
        "reconciliation": None,
        "resolution": None,
        "version": 1,
        "created_by": str(desk.treasurer.pk),
    }
    assert {name: answer[name] for name in expected} == expected
    left = Caller(desk.auditor).get(f"/api/requisitions/{requisition.pk}/")["amount_left"]
    assert left == "0.00"
    assert Caller(desk.auditor).get(f"/api/payments/{answer['payment_id']}/") == answer


def test_a_requisition_is_paid_in_parts_and_never_in_more_than_all(desk: Desk) -> None:
    requisition = desk.approved(amount="1000")
    assert make(desk, requisition, amount="400")["amount"] == "400.00"
    refused = make(desk, requisition, 409, amount="600.01")
    assert refused["code"] == "exceeds_approved_amount"
    assert make(desk, requisition)["amount"] == "600.00"
    assert make(desk, requisition, 409)["code"] == "exceeds_approved_amount"


def test_what_differs_from_the_approval_is_refused(desk: Desk) -> None:
    requisition = desk.approved(method="mpesa", destination="0712345678")
    same: dict[str, Any] = {"method": "mpesa", "destination": "254712345678", "amount": "10"}
    assert make(desk, requisition, **same)["destination"] == "+254712345678"
    changes: list[dict[str, Any]] = [{"method": "cash"}, {"destination": "0712345679"}]
    for change in changes:
        refused = make(desk, requisition, 422, **change)
        assert refused["code"] == "differs_from_approval"
        assert list(refused["errors"]) == list(change)


def test_a_clients_own_id_returns_the_first_payment(desk: Desk) -> None:
    requisition = desk.approved()
    own = str(uuid4())
    first = make(desk, requisition, payment_id=own, amount="10")
    assert first["payment_id"] == own
    assert make(desk, requisition, payment_id=own, amount="10") == first
    assert make(desk, requisition, 409, payment_id=own, amount="11")["code"] == "payment_exists"
    assert Payment.objects.count() == 1


def test_what_is_not_approved_is_not_paid(desk: Desk) -> None:
    assert make(desk, desk.request(), 409)["code"] == "requisition_not_approved"


def test_a_requisition_out_of_sight_is_refused_like_one_that_does_not_exist(desk: Desk) -> None:
    another, nowhere = make(desk, make_desk().approved(), 400), make(desk, uuid4(), 400)
    assert another == nowhere
    assert list(another["errors"]) == ["requisition"]


def test_only_a_treasurer_makes_payments(desk: Desk) -> None:
    requisition = desk.approved()
    for user in (desk.requester, desk.approver, desk.cfo, desk.reconciler, desk.auditor):
        body = {"requisition": str(requisition.pk), "amount": "junk"}
        assert Caller(user).post("/api/payments/", body, 403)["code"] == "role_required"


def test_a_pending_payment_is_edited_which_makes_its_next_version(desk: Desk) -> None:
    path = f"/api/payments/{desk.pending().pk}/"
    answer = Caller(desk.treasurer).patch(path, {"amount": 900, "max_retries": 5})
    assert (answer["amount"], answer["max_retries"], answer["version"]) == ("900.00", 5, 2)
    refused = Caller(desk.treasurer).patch(path, {"amount": "1000.01"}, 409)
    assert refused["code"] == "exceeds_approved_amount"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"method": "cash"}, "method"),
        ({"max_retries": "3"}, "max_retries"),
        ({"max_retries": 0}, "max_retries"),
        ({"max_retries": 11}, "max_retries"),
        ({"max_retries": True}, "max_retries"),
        ({"max_retries": 2.5}, "max_retries"),
        ({"amount": "0"}, "amount"),
        ({"status": "success"}, "status"),
    ],
)
def test_an_edit_that_cannot_be_names_the_field(
    desk: Desk, body: dict[str, Any], field: str
) -> None:
    payment = desk.pending()
    refused = Caller(desk.treasurer).patch(f"/api/payments/{payment.pk}/", body, 400)
    assert list(refused["errors"]) == [field]
    payment.refresh_from_db()
    assert payment.version == 1


def test_a_payment_that_went_out_is_not_edited(desk: Desk) -> None:
    path = f"/api/payments/{desk.paid().pk}/"
    refused = Caller(desk.treasurer).patch(path, {"amount": "1"}, 409)
    assert refused["code"] == "illegal_transition"


def test_a_pending_payment_is_cancelled_and_its_amount_is_free_again(desk: Desk) -> None:
    payment = desk.pending()
    answer = Caller(desk.treasurer).post(f"/api/payments/{payment.pk}/cancel/")
    assert answer["status"] == "cancelled"
    assert make(desk, payment.requisition)["amount"] == "1000.00"
    refused = Caller(desk.treasurer).post(f"/api/payments/{payment.pk}/cancel/", None, 409)
    assert refused["code"] == "illegal_transition"


def test_a_payment_of_another_company_is_not_found(desk: Desk) -> None:
    path = f"/api/payments/{make_desk().pending().pk}/"
    Caller(desk.treasurer).get(path, 404)
    Caller(desk.treasurer).patch(path, {"junk": 1}, 404)
    for verb in ("execute", "send_otp", "cancel", "retry", "reconcile", "resolve"):
        Caller(desk.treasurer).post(f"{path}{verb}/", {"junk": 1}, 404)


def test_payments_are_filtered_and_ordered(desk: Desk) -> None:
    paid, pending = desk.paid(amount="100"), desk.pending(amount="2000")
    caller = Caller(desk.auditor)

    def found(query: str) -> list[str]:
        return [row["payment_id"] for row in caller.results(f"/api/payments/?{query}")]

    assert found("") == [str(pending.pk), str(paid.pk)]
    assert found("status=success") == found("amount_max=100") == [str(paid.pk)]
    assert found("status=pending") == found("amount_min=100.01") == [str(pending.pk)]
    assert found("status=success&status=pending&ordering=amount") == [
        str(paid.pk),
        str(pending.pk),
    ]
    assert found(f"executor={desk.treasurer.pk}") == [str(paid.pk)]
    assert found(f"requisition={pending.requisition_id}") == [str(pending.pk)]
    assert len(found(f"fund={desk.fund.pk}&requested_by={desk.requester.pk}&method=cash")) == 2
    assert found("method=mpesa") == found("otp_required=true") == found("currency=UGX") == []
    assert len(found("created_from=2020-01-01&company=" + str(desk.company.pk))) == 2
    assert found("created_to=2020-01-01") == []


def test_what_awaits_me_is_what_i_can_move_on(desk: Desk) -> None:
    desk.pending()
    paid = desk.paid()

    def awaiting(user: Any) -> list[str]:
        return [row["payment_id"] for row in Caller(user).results("/api/payments/?awaiting=me")]

    assert len(awaiting(desk.treasurer)) == 1
    assert awaiting(desk.reconciler) == [str(paid.pk)]
    assert awaiting(desk.auditor) == awaiting(desk.requester) == []
    executor = desk.treasurer
    executor.memberships.create(company=desk.company, role=Role.RECONCILER)
    assert str(paid.pk) not in awaiting(executor)
    assert awaiting(rival_of(desk, Role.OWNER)) == []
