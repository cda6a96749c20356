"""Who sees what of service periods; an owner what is his."""

from tests.api.caller import Caller
from tests.api.village import FIRST, Village, build_village
from tests.scene import build_scene


def test_another_companys_things_do_not_exist(village: Village, period: str) -> None:
    made = village.contribution(period, "Ann", "10")
    other = build_village(scene=build_scene(opening=0, code="coast"))
    stranger = other.treasurer
    for path in (
        f"/api/associations/{village.association}/",
        f"/api/owners/{village.owners['Ann']}/",
        f"/api/properties/{village.units['Ann']}/",
        f"{period}/",
        f"{period}/contributions/",
        f"/api/contributions/{made['id']}/",
    ):
        stranger.get(path, 404)
    body = {"association": village.association, "name": "X"}
    refused = stranger.post("/api/owners/", body, 400)
    assert refused["errors"] == {"association": ["There is no such association."]}
    fund = {"name": "Theirs", "fund": str(village.scene.fund.pk)}
    refused = stranger.post("/api/associations/", fund, 400)
    assert refused["errors"] == {"fund": ["There is no such fund."]}


def test_an_owner_sees_what_is_his_and_no_more(village: Village, period: str) -> None:
    his = village.contribution(period, "Ann", "10")
    of_bob = village.contribution(period, "Bob", "20")
    laid_out = village.expense(period, "5", paid_by="Ann")
    cash = village.expense(period, "6")
    charges = {
        name: village.treasurer.post(
            f"{period}/charges/",
            {"owner_id": village.owners[name], "description": "A key", "amount": "1"},
            201,
        )
        for name in ("Ann", "Bob")
    }
    item = village.item(period)
    ann = village.signed_in("Ann")
    assert [one["id"] for one in ann.results("/api/associations/")] == [village.association]
    assert [one["id"] for one in ann.results("/api/owners/")] == [village.owners["Ann"]]
    assert [one["id"] for one in ann.results("/api/properties/")] == [village.units["Ann"]]
    assert [f"/api/periods/{one['id']}" for one in ann.results("/api/periods/")] == [period]
    assert ann.results(f"{period}/contributions/") == [his]
    assert ann.results(f"{period}/expenses/") == [laid_out]
    assert ann.results(f"{period}/charges/") == [charges["Ann"]]
    assert ann.results(f"{period}/budget-items/") == []
    bob = ann.get(f"{period}/contributions/?owner_id={village.owners['Bob']}")
    assert (bob["results"], bob["total"]) == ([], "0.00")
    for path in (
        f"owners/{village.owners['Bob']}",
        f"properties/{village.units['Bob']}",
        f"contributions/{of_bob['id']}",
        f"contributions/{of_bob['id']}/history",
        f"expenses/{cash['id']}",
        f"charges/{charges['Bob']['id']}",
        f"budget-items/{item}",
    ):
        ann.get(f"/api/{path}/", 404)


def test_an_owner_changes_nothing(village: Village, period: str) -> None:
    his = village.contribution(period, "Ann", "10")
    ann = village.signed_in("Ann")
    body = {"owner_id": village.owners["Ann"], "amount": "1", "date": "2026-01-01"}
    ann.post(f"{period}/contributions/", body, 403)
    ann.patch(f"/api/contributions/{his['id']}/", {"amount": "100"}, 403)
    ann.post(f"/api/contributions/{his['id']}/void/", {"reason": "x"}, 403)
    ann.patch(f"/api/owners/{village.owners['Ann']}/", {"name": "X"}, 403)
    ann.patch(f"/api/properties/{village.units['Ann']}/", {"share_weight": "0"}, 403)
    ann.post("/api/periods/", {"name": "X"}, 403)
    ann.post("/api/associations/", {"name": "X"}, 403)


def test_an_owner_reads_when_but_not_from_where_the_staff_worked(
    village: Village, period: str
) -> None:
    his = village.contribution(period, "Ann", "10")
    village.treasurer.patch(f"/api/contributions/{his['id']}/", {"amount": "12"})
    path = f"/api/contributions/{his['id']}/history/"
    of_staff, of_owner = village.treasurer.results(path), village.signed_in("Ann").results(path)
    assert [event["at"] for event in of_staff] == [event["at"] for event in of_owner]
    assert any(event["before"] for event in of_staff)
    for event in of_owner:
        assert (event["before"], event["after"], event["ip_address"]) == (None, None, None)
        assert (event["user_agent"], event["request_id"]) == ("", "")


def test_who_bought_sees_the_property_but_not_whose_it_was(village: Village) -> None:
    path = f"/api/properties/{village.units['Ann']}/"
    body = {"owner": village.owners["Bob"], "from": "2026-04-11"}
    village.treasurer.post(f"{path}transfers/", body, 201)
    ann, bob = village.signed_in("Ann").get(path), village.signed_in("Bob").get(path)
    assert (ann["owner"], bob["owner"]) == (None, village.owners["Bob"])
    assert [one["owner"] for one in ann["ownerships"]] == [village.owners["Ann"]]
    assert [one["owner"] for one in bob["ownerships"]] == [village.owners["Bob"]]


def test_a_login_without_the_role_sees_nothing(village: Village, period: str) -> None:
    ann = village.signed_in("Ann")
    ann.get(f"{period}/")
    village.scene.company.memberships.filter(role="owner").delete()
    ann.get(f"{period}/", 404)
    assert ann.results("/api/periods/") == []


def test_currencies_without_a_minor_unit_have_no_decimals(db: None) -> None:
    village = build_village(currency="UGX")
    period = village.period(*FIRST)
    assert village.contribution(period, "Ann", "1500.00")["amount"] == "1500"
    body = {"owner_id": village.owners["Ann"], "amount": "1.5", "date": "2026-01-01"}
    refused = village.treasurer.post(f"{period}/contributions/", body, 400)
    assert refused["code"] == "amount_precision"
    assert village.balance("Ann") == "1500"


def test_nobody_is_told_to_sign_in(village: Village, period: str) -> None:
    for path in ("/api/periods/", period, f"{period}/contributions", "/api/associations"):
        assert Caller().get(path, 401)["code"] == "not_authenticated"
