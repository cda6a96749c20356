"""Reconciliation and variances over the API."""

from typing import Any

import pytest

from ledger.roles import Role
from tests.api.caller import Caller
from tests.treasury.desk import Desk, make_desk
from treasury.models import Payment, VarianceAdjustment

CHANGE = {"original_amount": "1000.00", "adjusted_amount": "1010.00", "reason": "Rounded up"}


def record(desk: Desk, payment: Payment, expect: int = 201, **changes: Any) -> Any:
    path = f"/api/payments/{payment.pk}/record_variance/"
    return Caller(desk.reconciler).post(path, CHANGE | changes, expect)


def test_a_reconciler_reconciles_what_another_executed(desk: Desk) -> None:
    path = f"/api/payments/{desk.paid().pk}/reconcile/"
    answer = Caller(desk.reconciler).post(path, {"note": "Statement of March"})
    assert answer["status"] == "reconciled"
    assert answer["reconciliation"]["reconciled_by"] == str(desk.reconciler.pk)
    assert answer["reconciliation"]["note"] == "Statement of March"
    assert Caller(desk.reconciler).post(path, None, 409)["code"] == "illegal_transition"


def test_nobody_reconciles_what_he_executed(desk: Desk) -> None:
    desk.treasurer.memberships.create(company=desk.company, role=Role.RECONCILER)
    path = f"/api/payments/{desk.paid().pk}/reconcile/"
    refused = Caller(desk.treasurer).post(path, {"junk": 1}, 403)
    assert refused["code"] == "segregation_of_duties"


def test_only_a_reconciler_reconciles(desk: Desk) -> None:
    path = f"/api/payments/{desk.paid().pk}/reconcile/"
    for user in (desk.requester, desk.approver, desk.cfo, desk.treasurer, desk.auditor):
        assert Caller(user).post(path, None, 403)["code"] == "role_required"


def test_a_variance_is_recorded_and_posts_nothing_yet(desk: Desk) -> None:
    payment = desk.paid()
    answer = record(desk, payment)
    assert (answer["status"], answer["variance_amount"]) == ("pending", "10.00")
    assert answer["payment"] == str(payment.pk)
    assert answer["recorded_by"] == str(desk.reconciler.pk)
    assert (answer["journal_entry"], answer["approved_by"]) == (None, None)
    assert desk.account().balance == 99_000
    assert Caller(desk.auditor).get(f"/api/variances/{answer['variance_id']}/") == answer
    assert record(desk, payment, 409)["code"] == "variance_pending"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"adjusted_amount": "1000"}, "adjusted_amount"),
        ({"adjusted_amount": "-1"}, "adjusted_amount"),
        ({"adjusted_amount": "1.001"}, "adjusted_amount"),
        ({"adjusted_amount": "."}, "adjusted_amount"),
        ({"adjusted_amount": False}, "adjusted_amount"),
        ({"original_amount": "0"}, "original_amount"),
        ({"original_amount": None}, "original_amount"),
        ({"reason": ""}, "reason"),
        ({"approved": True}, "approved"),
    ],
)
def test_a_bad_variance_names_the_field(desk: Desk, changes: dict[str, Any], field: str) -> None:
    refused = record(desk, desk.paid(), 400, **changes)
    assert list(refused["errors"]) == [field]
    assert not VarianceAdjustment.objects.exists()


def test_what_the_books_say_comes_first(desk: Desk) -> None:
    assert record(desk, desk.paid(), 409, original_amount="999")["code"] == "stale_amount"
    assert record(desk, desk.pending(), 409)["code"] == "not_paid"


@pytest.mark.parametrize(("adjusted", "left"), [("1010", 98_990), ("900", 99_100), ("0", 100_000)])
def test_approval_lets_the_books_follow(desk: Desk, adjusted: str, left: int) -> None:
    payment = desk.paid()
    variance = record(desk, payment, adjusted_amount=adjusted)
    path = f"/api/variances/{variance['variance_id']}/approve/"
    answer = Caller(desk.cfo).post(path)
    assert (answer["status"], answer["approved_by"]) == ("approved", str(desk.cfo.pk))
    assert desk.account().balance == left
    entry = Caller(desk.auditor).get(f"/api/ledger/journal/{answer['journal_entry']}/")
    assert entry["reference"] == f"treasury.variance:{variance['variance_id']}"
    assert Caller(desk.auditor).get(f"/api/payments/{payment.pk}/")["status"] == "success"
    assert Caller(desk.cfo).post(path, None, 409)["code"] == "illegal_transition"


def test_a_variance_the_fund_cannot_pay_stays_pending(desk: Desk) -> None:
    variance = record(desk, desk.paid(), adjusted_amount="100000.01")
    path = f"/api/variances/{variance['variance_id']}"
    refused = Caller(desk.cfo).post(f"{path}/approve/", None, 409)
    assert refused["code"] == "insufficient_funds"
    assert Caller(desk.cfo).get(f"{path}/")["status"] == "pending"


def test_a_cfo_decides_and_never_on_what_he_recorded(desk: Desk) -> None:
    desk.reconciler.memberships.create(company=desk.company, role=Role.CFO)
    path = f"/api/variances/{record(desk, desk.paid())['variance_id']}"
    for verb in ("approve", "reject"):
        refused = Caller(desk.reconciler).post(f"{path}/{verb}/", {"junk": 1}, 403)
        assert refused["code"] == "segregation_of_duties"
        for user in (desk.approver, desk.treasurer, desk.auditor):
            refused = Caller(user).post(f"{path}/{verb}/", {"junk": 1}, 403)
            assert refused["code"] == "role_required"
        Caller(make_desk().cfo).post(f"{path}/{verb}/", None, 404)


def test_a_rejected_variance_changes_nothing(desk: Desk) -> None:
    path = f"/api/variances/{record(desk, desk.paid())['variance_id']}"
    assert list(Caller(desk.cfo).post(f"{path}/reject/", {}, 400)["errors"]) == ["reason"]
    answer = Caller(desk.cfo).post(f"{path}/reject/", {"reason": "No receipt"})
    assert (answer["status"], answer["rejection_reason"]) == ("rejected", "No receipt")
    assert desk.account().balance == 99_000
    events = Caller(desk.auditor).results(f"{path}/history/")
    assert [event["action"] for event in events] == ["variance.record", "variance.reject"]


def test_variances_are_filtered(desk: Desk) -> None:
    payment = desk.paid()
    variance = record(desk, payment)["variance_id"]

    def found(query: str, user: Any = None) -> list[str]:
        rows = Caller(user or desk.auditor).results(f"/api/variances/?{query}")
        return [row["variance_id"] for row in rows]

    assert found("status=pending") == found(f"payment={payment.pk}") == [variance]
    assert found(f"fund={desk.fund.pk}&amount_min=10&amount_max=10&currency=KES") == [variance]
    assert found("status=approved") == found("amount_min=11") == []
    assert found("awaiting=me", desk.cfo) == [variance]
    assert found("awaiting=me") == found("awaiting=me", desk.reconciler) == []
