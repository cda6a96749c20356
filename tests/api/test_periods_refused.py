"""What service periods refuse, and that the same key records once."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.models import JournalEntry, Membership
from ledger.roles import Role
from periods.models import Expense
from tests.api.caller import Caller
from tests.api.village import Village
from tests.scene import build_scene


@pytest.mark.parametrize(
    ("nested", "change", "field", "code"),
    [
        ("contributions", {"owner_id": str(uuid4())}, "owner_id", "invalid_input"),
        ("contributions", {"owner_id": None}, "owner_id", "invalid_input"),
        ("contributions", {"amount": "0"}, "amount", "amount_not_positive"),
        ("contributions", {"amount": "-5"}, "amount", "amount_not_positive"),
        ("contributions", {"amount": "1.005"}, "amount", "amount_precision"),
        ("contributions", {"amount": "9" * 30}, "amount", "amount_too_large"),
        ("contributions", {"date": "2026-04-01"}, "date", "date_outside_period"),
        ("contributions", {"date": "31/12/2026"}, "date", "invalid_input"),
        ("contributions", {"comment": "x" * 501}, "comment", "invalid_input"),
        ("contributions", {"colour": "red"}, "colour", "invalid_input"),
        ("expenses", {"payment_type": " "}, "payment_type", "invalid_input"),
        ("expenses", {"paid_by": str(uuid4())}, "paid_by", "invalid_input"),
        ("expenses", {"budget_item": str(uuid4())}, "budget_item", "invalid_input"),
        ("expenses", {"refund_of": str(uuid4())}, "refund_of", "invalid_input"),
        ("expenses", {"kind": "gift"}, "kind", "invalid_input"),
        ("expenses", {"amount": "NaN"}, "amount", "amount_invalid"),
        ("expenses", {"date": "2025-12-31"}, "date", "date_outside_period"),
        ("charges", {"owner_id": str(uuid4())}, "owner_id", "invalid_input"),
        ("charges", {"description": ""}, "description", "invalid_input"),
        ("charges", {"amount": "0.00"}, "amount", "amount_not_positive"),
        ("budget-items", {"allocation_strategy": "FAIR"}, "allocation_strategy", "invalid_input"),
        ("budget-items", {"base_percent": "30"}, "base_percent", "invalid_input"),
        ("budget-items", {"scope": [str(uuid4())]}, "scope", "invalid_input"),
        ("budget-items", {"budgeted_cost": "-1"}, "budgeted_cost", "amount_not_positive"),
    ],
)
def test_bad_input_names_the_field_and_writes_nothing(
    village: Village, period: str, nested: str, change: dict[str, Any], field: str, code: str
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "contributions": {"owner_id": village.owners["Ann"], "amount": "1", "date": "2026-01-01"},
        "expenses": {"payment_type": "Security", "amount": "1", "date": "2026-01-01"},
        "charges": {"owner_id": village.owners["Ann"], "amount": "1", "description": "A key"},
        "budget-items": {"payment_type": "Water", "allocation_strategy": "NONE"},
    }
    refused = village.treasurer.post(f"{period}/{nested}/", bodies[nested] | change, 400)
    assert (refused["code"], list(refused["errors"])) == (code, [field])
    assert village.treasurer.results(f"{period}/{nested}/") == []
    assert not JournalEntry.objects.exists()


def test_what_is_missing_is_named(village: Village, period: str) -> None:
    for nested, missing in (
        ("contributions", {"amount", "date"}),
        ("expenses", {"payment_type", "amount", "date"}),
        ("charges", {"description", "amount"}),
        ("budget-items", {"payment_type", "allocation_strategy"}),
    ):
        refused = village.treasurer.post(f"{period}/{nested}/", {}, 400)
        assert set(refused["errors"]) == missing, nested
    body = {"amount": "1", "date": "2026-01-01"}
    refused = village.treasurer.post(f"{period}/contributions/", body, 400)
    assert list(refused["errors"]) == ["owner_id"]


def test_what_is_not_there_is_404(village: Village) -> None:
    for path in ("periods", "associations", "owners", "properties", "contributions", "expenses"):
        for text in (str(uuid4()), "1", "x" * 300, "%00"):
            village.treasurer.get(f"/api/{path}/{text}/", 404)
    nowhere = f"/api/periods/{uuid4()}"
    for nested in ("contributions", "expenses", "charges", "budget-items"):
        village.treasurer.get(f"{nowhere}/{nested}/", 404)
        village.treasurer.post(f"{nowhere}/{nested}/", {}, 404)


def test_an_approver_records_nothing_and_a_reconciler_does(village: Village, period: str) -> None:
    body = {"owner_id": village.owners["Ann"], "amount": "1", "date": "2026-01-01"}
    for name in ("approver", "cfo", "auditor", "requester"):
        refused = village.by(name).post(f"{period}/contributions/", body, 403)
        assert refused["code"] == "role_required", name
    village.by("reconciler").post(f"{period}/contributions/", body, 201)


@pytest.mark.parametrize("nested", ["contributions", "expenses", "charges"])
def test_the_same_key_records_once(village: Village, period: str, nested: str) -> None:
    body: dict[str, Any] = {"amount": "10"}
    if nested == "expenses":
        body |= {"payment_type": "Security", "date": "2026-01-01"}
    else:
        body |= {"owner_id": village.owners["Ann"]}
        body |= {"date": "2026-01-01"} if nested == "contributions" else {"description": "A key"}
    key = {"Idempotency-Key": "one"}
    first = village.treasurer.post(f"{period}/{nested}/", body, 201, key)
    again = village.treasurer.client.post(f"{period}/{nested}", body, headers=key)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == first
    assert len(village.treasurer.results(f"{period}/{nested}/")) == 1
    other = village.treasurer.post(f"{period}/{nested}/", body | {"amount": "11"}, 422, key)
    assert other["code"] == "idempotency_mismatch"


def bodies_of(village: Village) -> dict[str, dict[str, Any]]:
    ann = village.owners["Ann"]
    return {
        "contributions": {"owner_id": ann, "amount": "1", "date": "2026-01-01"},
        "expenses": {"payment_type": "Security", "amount": "1.50", "date": "2026-01-01"},
        "charges": {"owner_id": ann, "amount": "1", "description": " A key "},
    }


@pytest.mark.parametrize("nested", ["contributions", "expenses", "charges"])
def test_what_is_answered_is_what_is_read_afterwards(
    village: Village, period: str, nested: str
) -> None:
    made = village.treasurer.post(f"{period}/{nested}/", bodies_of(village)[nested], 201)
    assert village.treasurer.get(f"/api/{nested}/{made['id']}/") == made
    assert village.treasurer.results(f"{period}/{nested}/") == [made]


@pytest.mark.parametrize("body", [{}, {"payment_type": "x", "amount": "1", "date": "2026-01-01"}])
def test_a_period_out_of_sight_is_refused_as_if_there_were_none(
    village: Village, period: str, body: dict[str, str]
) -> None:
    stranger = Caller(build_scene(opening=0, code="other").people["treasurer"])
    unseen = stranger.post(f"{period}/expenses/", body, 404)
    nothing = stranger.post(f"/api/periods/{uuid4()}/expenses/", body, 404)
    assert unseen == nothing
    assert village.by("auditor").post(f"{period}/expenses/", body, 403)["code"] == "role_required"


def test_a_kept_answer_is_not_given_to_whoever_may_not_record_any_more(
    village: Village, period: str
) -> None:
    body, key = bodies_of(village)["expenses"], {"Idempotency-Key": "once"}
    made = village.treasurer.post(f"{period}/expenses/", body, 201, key)
    assert village.treasurer.post(f"{period}/expenses/", body, 201, key) == made
    Membership.objects.filter(user=village.scene.people["treasurer"]).update(role=Role.AUDITOR)
    village.treasurer.post(f"{period}/expenses/", body, 403, key)
    assert village.treasurer.post(f"{period}/expenses/", body, 403, {"Idempotency-Key": " "})
    assert Expense.objects.count() == 1
