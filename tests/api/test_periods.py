"""Service periods through the API: what the contract and the seed promise."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoDbBlocker

from ledger.models import Account, JournalEntry
from tests.api.caller import Caller
from tests.api.village import FIRST, Village, build_village, undone
from tests.scene import assert_books_hold, build_scene


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[tuple[Village, str]]:
    """An association with its first period, built once for all tests and rolled back in the end."""
    with django_db_blocker.unblock(), undone():
        village = build_village()
        yield village, village.period(*FIRST)


@pytest.fixture
def village(built: tuple[Village, str]) -> Iterator[Village]:
    with undone():
        yield built[0].copy()


@pytest.fixture
def period(built: tuple[Village, str], village: Village) -> str:
    return built[1]


def balance(village: Village, owner: str) -> str:
    found: str = village.treasurer.get(f"/api/owners/{village.owners[owner]}/")["balance"]
    return found


# Associations, owners, properties


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
    of_bob = village.treasurer.results(f"/api/properties/?owner={village.owners['Bob']}")
    assert {unit["label"] for unit in of_bob} == {"Flat Ann", "Flat Bob"}
    actions = [event["action"] for event in village.cfo.results(f"{path}history/")]
    assert "property.transfer" in actions


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"share_weight": "-1"}, 422, "negative_weight", "share_weight"),
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


# Periods


def test_a_period_is_created_open_and_found_again(village: Village) -> None:
    body = {"association": village.association, "name": "Rest"}
    body |= {"start_date": "2026-04-01", "end_date": "2026-12-31"}
    made = village.treasurer.post("/api/periods", body, 201)
    assert body.items() <= made.items()
    assert (made["status"], made["version"], made["currency"]) == ("OPEN", 0, "KES")
    assert village.treasurer.get(f"/api/periods/{made['id']}") == made
    assert village.treasurer.results("/api/periods")[1:] == [made]
    assert village.treasurer.results("/api/periods/?status=CLOSED") == []
    assert village.treasurer.results("/api/periods/?on=2026-06-01") == [made]
    history = village.treasurer.results(f"/api/periods/{made['id']}/history/")
    assert [event["action"] for event in history] == ["period.open"]


@pytest.mark.parametrize(
    ("days", "status", "code"),
    [
        (("2026-03-31", "2026-06-30"), 409, "period_overlap"),
        (("2026-04-02", "2026-06-30"), 409, "period_gap"),
        (("2025-10-01", "2025-12-31"), 409, "period_gap"),
        (("2026-04-01", "2026-04-01"), 400, "start_not_before_end"),
        (("2026-05-01", "2026-04-01"), 400, "start_not_before_end"),
        (("2026-04-01", "tomorrow"), 400, "invalid_input"),
        (("2026-02-30", "2026-06-30"), 400, "invalid_input"),
        ((20260401, "2026-06-30"), 400, "invalid_input"),
        (("2026-04-01", None), 400, "invalid_input"),
    ],
)
def test_a_period_that_does_not_fit_is_refused(
    village: Village, period: str, days: tuple[Any, Any], status: int, code: str
) -> None:
    body = {"name": "Next", "start_date": days[0], "end_date": days[1]}
    assert village.treasurer.post("/api/periods/", body, status)["code"] == code


def test_a_name_is_used_once_a_year(village: Village, period: str) -> None:
    body = {"name": FIRST[0].upper(), "start_date": "2026-04-01", "end_date": "2026-06-30"}
    assert village.treasurer.post("/api/periods/", body, 409)["code"] == "name_taken"
    body |= {"name": "Rest", "end_date": "2026-12-31"}
    village.treasurer.post("/api/periods/", body, 201)
    next_year = {"name": FIRST[0], "start_date": "2027-01-01", "end_date": "2027-03-31"}
    village.treasurer.post("/api/periods/", next_year, 201)


# Contributions


def test_a_contribution_is_recorded_and_listed_with_its_total(
    village: Village, period: str
) -> None:
    late = village.contribution(period, "Ann", "50", "2026-02-01")
    early = village.contribution(period, "Ann", "450.00", "2026-01-05")
    of_bob = village.contribution(period, "Bob", "300.00", "2026-01-20")
    assert (early["amount"], early["currency"], early["comment"]) == ("450.00", "KES", "")
    assert early["owner_id"] == village.owners["Ann"]
    assert village.treasurer.results(f"{period}/contributions") == [early, of_bob, late]
    assert "total" not in village.treasurer.get(f"{period}/contributions")
    his = village.treasurer.get(f"{period}/contributions?owner_id={village.owners['Ann']}")
    assert (his["results"], his["total"]) == ([early, late], "500.00")
    nobody = village.treasurer.get(f"{period}/contributions?owner_id={uuid4()}")
    assert (nobody["results"], nobody["total"]) == ([], "0.00")
    assert balance(village, "Ann") == "500.00"


def test_the_total_is_of_all_pages(village: Village, period: str) -> None:
    for amount in ("1.00", "2.00", "3.00"):
        village.contribution(period, "Ann", amount)
    first = village.treasurer.get(
        f"{period}/contributions/?owner_id={village.owners['Ann']}&page_size=2"
    )
    second = village.treasurer.get(first["next"])
    assert [len(page["results"]) for page in (first, second)] == [2, 1]
    assert (first["total"], second["total"]) == ("6.00", "6.00")


def test_an_owner_may_be_named_by_his_login(village: Village, period: str) -> None:
    village.signed_in("Ann")
    user = village.treasurer.get(f"/api/owners/{village.owners['Ann']}/")["user"]
    body = {"user_id": user, "amount": "10", "date": "2026-01-01"}
    made = village.treasurer.post(f"{period}/contributions/", body, 201)
    assert made["owner_id"] == village.owners["Ann"]
    both = body | {"owner_id": village.owners["Ann"]}
    village.treasurer.post(f"{period}/contributions/", both, 201)
    contrary = body | {"owner_id": village.owners["Bob"]}
    refused = village.treasurer.post(f"{period}/contributions/", contrary, 400)
    assert list(refused["errors"]) == ["user_id"]
    not_an_owner = body | {"user_id": str(village.scene.people["approver"].pk)}
    refused = village.treasurer.post(f"{period}/contributions/", not_an_owner, 400)
    assert list(refused["errors"]) == ["user_id"]
    his = village.treasurer.get(f"{period}/contributions?owner_id={user}")
    assert his["total"] == "20.00"


def test_a_contribution_is_edited_and_voided(village: Village, period: str) -> None:
    made = village.contribution(period, "Ann", "450.00")
    path = f"/api/contributions/{made['id']}"
    assert village.treasurer.get(path) == made
    change = {"amount": "400", "owner_id": village.owners["Bob"], "comment": "Was Bob's"}
    edited = village.treasurer.patch(path, change)
    assert (edited["amount"], edited["version"]) == ("400.00", 2)
    assert (balance(village, "Ann"), balance(village, "Bob")) == ("0.00", "400.00")
    void = village.by("reconciler").post(f"{path}/void/", {"reason": "Bounced"})
    assert (void["void_reason"], void["voided_by"]) == (
        "Bounced",
        str(village.scene.people["reconciler"].pk),
    )
    assert balance(village, "Bob") == "0.00"
    for again in (
        village.treasurer.post(f"{path}/void/", {"reason": "Again"}, 409),
        village.treasurer.patch(path, {"amount": "1"}, 409),
    ):
        assert again["code"] == "already_void"
    listed = village.treasurer.get(f"{period}/contributions?owner_id={village.owners['Bob']}")
    assert (len(listed["results"]), listed["total"]) == (1, "0.00")
    assert village.treasurer.results(f"{period}/contributions?void=false") == []
    history = village.treasurer.results(f"{path}/history/")
    done = [event["action"] for event in history if event["outcome"] == "done"]
    assert done == ["contribution.record", "contribution.edit", "contribution.void"]
    assert_books_hold()


# Expenses


def test_an_expense_is_recorded_and_its_payer_credited(village: Village, period: str) -> None:
    item = village.item(period)
    laid_out = village.expense(
        period, "99.99", paid_by="Cy", vendor="G4S", description="March", budget_item=item
    )
    village.expense(period, "500")
    assert (laid_out["paid_by"], laid_out["budget_item"]) == (village.owners["Cy"], item)
    assert (laid_out["kind"], laid_out["vendor"], laid_out["requisition"]) == (
        "expense",
        "G4S",
        None,
    )
    assert balance(village, "Cy") == "99.99"
    everything = village.treasurer.results(f"{period}/expenses")
    assert [one["paid_by"] for one in everything] == [village.owners["Cy"], None]
    his = village.treasurer.get(f"{period}/expenses?paid_by={village.owners['Cy']}")
    assert (his["results"], his["total"]) == ([laid_out], "99.99")
    without = village.treasurer.results(f"{period}/expenses?has_budget_item=false")
    assert [one["amount"] for one in without] == ["500.00"]


def test_a_refund_is_taken_from_its_payers_total(village: Village, period: str) -> None:
    paid = village.expense(period, "100", paid_by="Cy")
    refund = village.expense(period, "40", paid_by="Cy", kind="refund", refund_of=paid["id"])
    assert refund["refund_of"] == paid["id"]
    his = village.treasurer.get(f"{period}/expenses?paid_by={village.owners['Cy']}")
    assert (his["total"], balance(village, "Cy")) == ("60.00", "60.00")
    assert len(village.treasurer.results(f"{period}/expenses?kind=refund")) == 1


def test_a_payer_may_be_named_by_his_login(village: Village, period: str) -> None:
    village.signed_in("Cy")
    user = village.treasurer.get(f"/api/owners/{village.owners['Cy']}/")["user"]
    made = village.expense(period, "10", paid_by_user_id=user)
    assert made["paid_by"] == village.owners["Cy"]
    assert village.expense(period, "10", paid_by_user_id=None)["paid_by"] is None
    found = village.treasurer.get(f"{period}/expenses?paid_by={user}")
    assert found["total"] == "10.00"


def test_an_expense_is_edited_and_voided(village: Village, period: str) -> None:
    made = village.expense(period, "500")
    path = f"/api/expenses/{made['id']}"
    item = village.item(period)
    change = {"paid_by": village.owners["Bob"], "budget_item": item, "amount": "480.50"}
    edited = village.treasurer.patch(path, change)
    assert change.items() <= edited.items()
    assert balance(village, "Bob") == "480.50"
    back = village.treasurer.patch(path, {"paid_by": None, "budget_item": None})
    assert (back["paid_by"], back["budget_item"]) == (None, None)
    assert balance(village, "Bob") == "0.00"
    void = village.treasurer.post(f"{path}/void/", {"reason": "Never delivered"})
    assert void["voided_at"]
    assert village.treasurer.get(path) == void
    assert_books_hold()


# Charges


def test_a_charge_is_one_owners_alone(village: Village, period: str) -> None:
    body = {"owner_id": village.owners["Bob"], "description": "Second key", "amount": "15"}
    made = village.treasurer.post(f"{period}/charges", body, 201)
    assert (made["amount"], made["kind"]) == ("15.00", "charge")
    assert (balance(village, "Bob"), balance(village, "Ann")) == ("-15.00", "0.00")
    his = village.treasurer.get(f"{period}/charges?owner_id={village.owners['Bob']}")
    assert (his["results"], his["total"]) == ([made], "15.00")
    path = f"/api/charges/{made['id']}"
    edited = village.treasurer.patch(path, {"amount": "12.00", "date": "2026-02-01"})
    assert (edited["amount"], edited["date"]) == ("12.00", "2026-02-01")
    village.treasurer.post(f"{path}/void/", {"reason": "Returned"})
    assert balance(village, "Bob") == "0.00"


# Budget items


def test_a_budget_item_says_how_costs_are_shared(village: Village, period: str) -> None:
    body = {
        "payment_type": "Water",
        "budgeted_cost": "12000",
        "allocation_strategy": "USAGE_BASED",
        "scope": [village.units["Ann"], village.units["Bob"]],
        "base_percent": "30",
        "fallback": "EQUAL",
        "billing": "share",
    }
    made = village.treasurer.post(f"{period}/budget-items", body, 201)
    assert set(made.pop("scope")) == set(body.pop("scope"))
    assert (body | {"budgeted_cost": "12000.00"}).items() <= made.items()
    plain = {"payment_type": "Security", "allocation_strategy": "PROPORTIONAL"}
    plain_item = village.treasurer.post(f"{period}/budget-items/", plain, 201)
    assert (plain_item["budgeted_cost"], plain_item["scope"]) == ("0.00", [])
    listed = village.treasurer.results(f"{period}/budget-items/")
    assert [item["payment_type"] for item in listed] == ["Water", "Security"]
    path = f"/api/budget-items/{made['id']}/"
    edited = village.treasurer.patch(path, {"scope": [], "base_percent": None})
    assert (edited["scope"], edited["base_percent"]) == ([], None)
    assert village.treasurer.post(f"{period}/budget-items/", plain, 409)["code"] == (
        "budget_item_exists"
    )


# What is refused


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


# Who sees what


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
    assert balance(village, "Ann") == "1500"


def test_nobody_is_told_to_sign_in(village: Village, period: str) -> None:
    for path in ("/api/periods/", period, f"{period}/contributions", "/api/associations"):
        assert Caller().get(path, 401)["code"] == "not_authenticated"
