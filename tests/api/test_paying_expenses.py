"""Having an expense paid by treasury, through the API."""

import pytest

from tests.api.village import Village, build_village
from tests.scene import Scene, build_scene

ASKED = {"payee_name": "Amina Roofs", "method": "cash", "destination": "Front desk"}


@pytest.fixture
def scene(db: None) -> Scene:
    return build_scene(opening=10_000)


@pytest.fixture
def village(scene: Scene) -> Village:
    return build_village({"Ann": "1"}, scene=scene, fund=str(scene.fund.pk))


@pytest.fixture
def expense(village: Village) -> str:
    """The address of an expense that the association owes."""
    period = village.period("First quarter", "2026-01-01", "2026-03-31")
    return f"/api/expenses/{village.expense(period, '400.00', vendor='Amina Roofs')['id']}"


def test_asked_for_with_a_key_it_is_asked_for_once(village: Village, expense: str) -> None:
    key = {"Idempotency-Key": "roof-1"}
    asked = village.treasurer.post(f"{expense}/pay/", ASKED, 201, key)
    assert village.treasurer.post(f"{expense}/pay/", ASKED, 201, key) == asked
    refusal = village.treasurer.post(f"{expense}/pay/", ASKED, 409)
    assert refusal["code"] == "expense_in_payment"
    assert asked["paid"] is False
    wanted = village.treasurer.get(f"/api/requisitions/{asked['requisition']}/")
    assert (wanted["amount"], wanted["payee_name"]) == ("400.00", "Amina Roofs")
    assert len(village.treasurer.results("/api/requisitions/")) == 1


def test_the_vendor_is_paid_unless_another_is_named(village: Village, expense: str) -> None:
    body = {name: ASKED[name] for name in ("method", "destination")}
    asked = village.treasurer.post(f"{expense}/pay/", body, 201)
    wanted = village.treasurer.get(f"/api/requisitions/{asked['requisition']}/")
    assert wanted["payee_name"] == "Amina Roofs"


def test_its_amount_is_changed_where_it_was_recorded(village: Village, expense: str) -> None:
    asked = village.treasurer.post(f"{expense}/pay/", ASKED, 201)
    path = f"/api/requisitions/{asked['requisition']}/"
    assert village.treasurer.patch(path, {"amount": "500.00"}, 409)["code"] == "follows_source"
    assert village.treasurer.patch(path, {"destination": "Back door"})["version"] == 2
    edited = village.treasurer.patch(expense, {"amount": "500.00"})
    assert (edited["amount"], edited["requisition"], edited["paid"]) == ("500.00", None, False)
    assert village.treasurer.get(path)["status"] == "cancelled"


def test_what_is_paid_does_not_change(village: Village, expense: str) -> None:
    asked = village.by("reconciler").post(f"{expense}/pay/", ASKED, 403)
    asked = village.by("requester").post(f"{expense}/pay/", ASKED, 201)
    requisition = asked["requisition"]
    village.by("approver").post(f"/api/requisitions/{requisition}/approve/")
    made = village.treasurer.post("/api/payments/", {"requisition": requisition}, 201)
    village.treasurer.post(f"/api/payments/{made['payment_id']}/execute/")
    assert village.treasurer.get(expense)["paid"] is True
    for answer in (
        village.treasurer.patch(expense, {"amount": "500.00"}, 409),
        village.treasurer.post(f"{expense}/void/", {"reason": "Twice"}, 409),
    ):
        assert answer["code"] == "expense_in_payment"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"method": "cheque"}, "method"),
        ({"method": "mpesa", "destination": "12"}, "destination"),
        ({"payee_name": ""}, "payee_name"),
        ({"debit_account": "x"}, "debit_account"),
    ],
)
def test_what_cannot_be_paid_names_its_field(
    village: Village, expense: str, body: dict[str, str], field: str
) -> None:
    refusal = village.treasurer.post(f"{expense}/pay/", ASKED | body, 400)
    assert field in refusal["errors"]
    assert village.treasurer.get(expense)["requisition"] is None
