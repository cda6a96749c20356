"""Service periods and what is recorded in them, through the API."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.village import FIRST, SECOND, Village
from tests.scene import assert_books_hold

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
    assert village.balance("Ann") == "500.00"


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
    assert (village.balance("Ann"), village.balance("Bob")) == ("0.00", "400.00")
    void = village.by("reconciler").post(f"{path}/void/", {"reason": "Bounced"})
    assert (void["void_reason"], void["voided_by"]) == (
        "Bounced",
        str(village.scene.people["reconciler"].pk),
    )
    assert village.balance("Bob") == "0.00"
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
    assert village.balance("Cy") == "99.99"
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
    assert (his["total"], village.balance("Cy")) == ("60.00", "60.00")
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
    assert village.balance("Bob") == "480.50"
    back = village.treasurer.patch(path, {"paid_by": None, "budget_item": None})
    assert (back["paid_by"], back["budget_item"]) == (None, None)
    assert village.balance("Bob") == "0.00"
    void = village.treasurer.post(f"{path}/void/", {"reason": "Never delivered"})
    assert void["voided_at"]
    assert village.treasurer.get(path) == void
    assert_books_hold()


# Charges


def test_a_charge_is_one_owners_alone(village: Village, period: str) -> None:
    body = {"owner_id": village.owners["Bob"], "description": "Second key", "amount": "15"}
    made = village.treasurer.post(f"{period}/charges", body, 201)
    assert (made["amount"], made["kind"]) == ("15.00", "charge")
    assert (village.balance("Bob"), village.balance("Ann")) == ("-15.00", "0.00")
    his = village.treasurer.get(f"{period}/charges?owner_id={village.owners['Bob']}")
    assert (his["results"], his["total"]) == ([made], "15.00")
    path = f"/api/charges/{made['id']}"
    edited = village.treasurer.patch(path, {"amount": "12.00", "date": "2026-02-01"})
    assert (edited["amount"], edited["date"]) == ("12.00", "2026-02-01")
    village.treasurer.post(f"{path}/void/", {"reason": "Returned"})
    assert village.balance("Bob") == "0.00"


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


def test_a_period_is_planned_like_the_one_before_it(village: Village, period: str) -> None:
    village.item(period, budgeted_cost="70.00", scope=[village.units["Ann"]])
    second = village.period(*SECOND)
    path = f"{second}/budget-items/take-over/"
    village.cfo.post(path, None, 403)
    planned = village.treasurer.post(path, None, 200, {"Idempotency-Key": "as last year"})
    assert planned == village.treasurer.get(second)
    (item,) = village.treasurer.results(f"{second}/budget-items/")
    assert (item["budgeted_cost"], item["scope"]) == ("70.00", [village.units["Ann"]])
    village.treasurer.post(path)
    assert len(village.treasurer.results(f"{second}/budget-items/")) == 1
    village.cfo.post(f"{period}/close/")
    closed = village.treasurer.post(f"{period}/budget-items/take-over/", None, 409)
    assert closed["code"] == "period_closed"
