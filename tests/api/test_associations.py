"""Associations, their owners and properties through the API."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.models import Account
from tests.api.village import Village, build_village
from tests.scene import build_scene


def test_an_association_needs_its_name_alone(village: Village) -> None:
    made = village.cfo.post("/api/associations", {"name": "Baobab House"}, 201)
    assert made["company"] == str(village.scene.company.pk)
    assert (made["currency"], made["fund"]) == ("KES", None)
    assert (made["remainder_rule"], made["recalculation"]) == ("LARGEST_REMAINDER", "RECALCULATE")
    assert village.cfo.get(f"/api/associations/{made['id']}") == made
    assert made in village.cfo.results("/api/associations/?name=baobab")


def test_an_association_with_a_fund_has_the_funds_cash(village: Village) -> None:
    fund = village.scene.fund
    body = {"name": "Baobab House", "fund": str(fund.pk), "remainder_rule": "LARGEST_HOLDER"}
    made = village.cfo.post("/api/associations/", body, 201)
    assert (made["fund"], made["cash_account"]) == (str(fund.pk), str(fund.account_id))
    refused = village.cfo.post("/api/associations/", body | {"name": "Second"}, 400)
    assert (refused["code"], list(refused["errors"])) == ("fund_taken", ["fund"])


def test_an_association_is_edited(village: Village) -> None:
    path = f"/api/associations/{village.association}/"
    edited = village.cfo.patch(path, {"name": "Acacia", "recalculation": "FREEZE_DOWNSTREAM"})
    assert (edited["name"], edited["recalculation"]) == ("Acacia", "FREEZE_DOWNSTREAM")
    assert village.cfo.patch(path, {"currency": "UGX"}, 400)["errors"].keys() == {"currency"}
    village.cfo.post("/api/associations/", {"name": "Baobab"}, 201)
    assert village.cfo.patch(path, {"name": "Baobab"}, 409)["code"] == "name_taken"
    actions = [event["action"] for event in village.cfo.results(f"{path}history/")]
    assert actions == ["association.create", "association.edit", "association.edit"]


def test_who_is_in_several_companies_says_in_which(village: Village) -> None:
    other = build_scene(opening=0, code="coast")
    cfo = village.scene.people["cfo"]
    other.people["cfo"].memberships.update(user=cfo)
    refused = village.cfo.post("/api/associations/", {"name": "Baobab"}, 400)
    assert list(refused["errors"]) == ["company"]
    body = {"name": "Baobab", "company": str(other.company.pk)}
    assert village.cfo.post("/api/associations/", body, 201)["company"] == str(other.company.pk)


def test_the_only_association_need_not_be_named(village: Village) -> None:
    made = village.treasurer.post("/api/owners/", {"name": "Dot"}, 201)
    assert (made["association"], made["number"]) == (village.association, 4)
    unit = {"owner": made["id"], "label": "Flat 4", "share_weight": 3}
    assert (
        village.treasurer.post("/api/properties/", unit, 201)["association"] == made["association"]
    )
    days = {"name": "Second", "start_date": "2026-04-01", "end_date": "2026-06-30"}
    village.treasurer.post("/api/periods/", days, 201)
    build_village(scene=village.scene, name="Baobab")
    for path, body in (("owners", {"name": "E"}), ("properties", unit), ("periods", days)):
        refused = village.treasurer.post(f"/api/{path}/", body, 400)
        assert list(refused["errors"]) == ["association"], path


def test_an_owner_has_an_account_and_perhaps_a_login(village: Village) -> None:
    user = village.scene.people["approver"]
    owner = f"/api/owners/{village.owners['Ann']}/"
    assert village.treasurer.patch(owner, {"user": user.username})["user"] == str(user.pk)
    bob = f"/api/owners/{village.owners['Bob']}/"
    refused = village.treasurer.patch(bob, {"user": str(user.pk)}, 400)
    assert (refused["code"], list(refused["errors"])) == ("user_taken", ["user"])
    stranger = build_scene(opening=0, code="coast").people["approver"]
    for unknown in (stranger.username, str(stranger.pk), "nobody at all", str(uuid4())):
        refused = village.treasurer.patch(bob, {"user": unknown}, 400)
        assert refused["errors"] == {"user": ["There is no such user."]}
    assert village.treasurer.patch(owner, {"user": None})["user"] is None
    shown = village.treasurer.patch(owner, {"name": "Anna", "email": "anna@example.com"})
    assert (shown["name"], shown["email"], shown["balance"]) == (
        "Anna",
        "anna@example.com",
        "0.00",
    )
    assert Account.objects.filter(pk=shown["account"]).exists()


def test_a_property_is_weighed_and_passes_on(village: Village) -> None:
    path = f"/api/properties/{village.units['Ann']}/"
    shown = village.treasurer.patch(path, {"share_weight": "333.333", "active": False})
    assert (shown["share_weight"], shown["active"]) == ("333.333", False)
    passed = village.treasurer.post(
        f"{path}transfers/", {"owner": village.owners["Bob"], "from": "2026-04-11"}, 201
    )
    assert passed["owner"] == village.owners["Bob"]
    first, second = passed["ownerships"]
    assert (first["owner"], first["until_on"]) == (village.owners["Ann"], "2026-04-11")
    assert (second["from_on"], second["until_on"]) == ("2026-04-11", None)
    early = {"owner": village.owners["Cy"], "from": "2026-04-11"}
    refused = village.treasurer.post(f"{path}transfers/", early, 409)
    assert refused["code"] == "transfer_too_early"
    never = {"owner": village.owners["Cy"], "from": "9999-12-31"}
    refused = village.treasurer.post(f"{path}transfers/", never, 400)
    assert list(refused["errors"]) == ["from"]
    of_bob = village.treasurer.results(f"/api/properties/?owner={village.owners['Bob']}")
    assert {unit["label"] for unit in of_bob} == {"Flat Ann", "Flat Bob"}
    actions = [event["action"] for event in village.cfo.results(f"{path}history/")]
    assert "property.transfer" in actions


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"share_weight": "-1"}, 422, "negative_weight", "share_weight"),
        ({"share_weight": "-1" + "0" * 35}, 400, "invalid_input", "share_weight"),
        ({"share_weight": "NaN"}, 400, "invalid_input", "share_weight"),
        ({"share_weight": "1e3"}, 400, "invalid_input", "share_weight"),
        ({"share_weight": "0.0000001"}, 400, "invalid_input", "share_weight"),
        ({"share_weight": "1" * 41}, 400, "invalid_input", "share_weight"),
        ({"share_weight": 10**400}, 400, "invalid_input", "share_weight"),
        ({"share_weight": True}, 400, "invalid_input", "share_weight"),
        ({"share_weight": None}, 400, "invalid_input", "share_weight"),
        ({"label": " "}, 400, "invalid_input", "label"),
        ({"owner": "me"}, 400, "invalid_input", "owner"),
        ({"active": "perhaps"}, 400, "invalid_input", "active"),
        ({"colour": "red"}, 400, "invalid_input", "colour"),
    ],
)
def test_a_bad_property_names_the_field(
    village: Village, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    path = f"/api/properties/{village.units['Ann']}/"
    if field == "owner":
        path += "transfers/"
        refused = village.treasurer.post(path, body | {"from": "2026-01-01"}, status)
    else:
        refused = village.treasurer.patch(path, body, status)
    assert (refused["code"], list(refused["errors"])) == (code, [field])


def test_a_label_is_used_once(village: Village) -> None:
    body = {"owner": village.owners["Ann"], "label": "Flat Bob"}
    assert village.treasurer.post("/api/properties/", body, 409)["code"] == "label_taken"
