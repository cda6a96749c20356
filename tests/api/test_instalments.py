"""Instalments and late fees through the API."""

from typing import Any

import pytest

from tests.api.caller import read
from tests.api.village import Village

ROOF = {"amount": "10000.01", "instalments": 4, "first_due_on": "2026-01-15", "description": "Roof"}


@pytest.fixture
def roof(village: Village, period: str) -> Any:
    """A new roof in four instalments."""
    return village.treasurer.post(f"{period}/instalments", ROOF, 201)


def test_each_share_is_split_in_time(village: Village, period: str, roof: Any) -> None:
    of_ann = village.treasurer.get(f"{period}/instalments?owner_id={village.owners['Ann']}")
    amounts = [row["amount"] for row in of_ann["results"]]
    assert amounts == ["1125.01", "1125.00", "1125.00", "1125.00"]
    assert of_ann["total"] == "4500.01"
    days = [row["due_on"] for row in of_ann["results"]]
    assert days == ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]
    assert len(roof["parts"]) == 12
    assert village.treasurer.get(f"/api/instalment-plans/{roof['id']}/") == roof


def test_an_owner_sees_what_he_is_asked_for(village: Village, period: str, roof: Any) -> None:
    ann = village.signed_in("Ann")
    assert {row["owner_id"] for row in ann.results(f"{period}/instalments/")} == {
        village.owners["Ann"]
    }
    ann.get(f"/api/instalment-plans/{roof['id']}/", 404)


def test_a_plan_is_withdrawn(village: Village, period: str, roof: Any) -> None:
    path = f"/api/instalment-plans/{roof['id']}/"
    assert village.treasurer.post(f"{path}withdraw/")["withdrawn_at"]
    of_ann = village.treasurer.get(f"{period}/instalments?owner_id={village.owners['Ann']}")
    assert of_ann["total"] == "0.00"
    actions = [event["action"] for event in village.treasurer.results(f"{path}history/")]
    assert actions == ["instalment_plan.create", "instalment_plan.withdraw"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instalments": 0}, "instalments"),
        ({"instalments": 121}, "instalments"),
        ({"every_months": 13}, "every_months"),
        ({"amount": "0"}, "amount"),
        ({"first_due_on": "soon"}, "first_due_on"),
        ({"description": ""}, "description"),
        ({"budget_item": "x"}, "budget_item"),
    ],
)
def test_a_bad_plan_names_the_field(
    village: Village, period: str, change: dict[str, Any], field: str
) -> None:
    refused = village.treasurer.post(f"{period}/instalments/", ROOF | change, 400)
    assert list(refused["errors"]) == [field]
    assert village.treasurer.results(f"{period}/instalments/") == []


def test_a_late_fee_is_charged_once_and_taken_back(
    village: Village, period: str, roof: Any
) -> None:
    rule = f"/api/associations/{village.association}/late-fee-rule"
    assert village.treasurer.get(rule)["fixed_fee"] == "0.00"
    set_to = village.treasurer.patch(rule, {"grace_days": 5, "fixed_fee": "10"})
    assert (set_to["grace_days"], set_to["fixed_fee"], set_to["cap"]) == (5, "10.00", None)
    assert village.treasurer.patch(rule, {"grace_days": 6})["fixed_fee"] == "10.00"
    fees = f"{period}/late-fees"
    first = village.treasurer.post(fees, {"on": "2026-01-22"}, 201)
    assert (len(first["results"]), first["total"], first["currency"]) == (3, "30.00", "KES")
    again = village.treasurer.post(fees, {"on": "2026-01-22"}, 201)
    assert (again["results"], again["total"]) == ([], "0.00")
    of_ann = village.treasurer.get(f"{fees}?owner_id={village.owners['Ann']}")
    assert (of_ann["total"], of_ann["results"][0]["kind"]) == ("10.00", "late_fee")
    village.contribution(period, "Ann", "1125.01", "2026-01-18")
    village.treasurer.post(fees, {"on": "2026-01-22"}, 201)
    of_ann = village.treasurer.get(f"{fees}?owner_id={village.owners['Ann']}")
    assert of_ann["total"] == "0.00"


def test_a_rule_is_told_under_a_key_as_without_one(village: Village) -> None:
    rule = f"/api/associations/{village.association}/late-fee-rule/"
    headers = {"Idempotency-Key": "the-first-of-may"}
    for _ in range(2):
        answer = village.treasurer.client.patch(rule, {"grace_days": 5}, headers=headers)
        assert read(answer, 200) == village.treasurer.get(rule)


def test_a_bad_rule_or_day_names_the_field(village: Village, period: str) -> None:
    rule = f"/api/associations/{village.association}/late-fee-rule/"
    for change, field in (
        ({"grace_days": -1}, "grace_days"),
        ({"grace_days": "5"}, "grace_days"),
        ({"fixed_fee": "0.001"}, "fixed_fee"),
        ({"yearly_percent": "x"}, "yearly_percent"),
        ({"yearly_percent": "-1"}, "yearly_percent"),
        ({"cap": "-5"}, "cap"),
    ):
        refused = village.treasurer.patch(rule, change, 400)
        assert list(refused["errors"]) == [field], change
    refused = village.treasurer.post(f"{period}/late-fees/", {"on": "2026-04-01"}, 400)
    assert (refused["code"], list(refused["errors"])) == ("date_outside_period", ["on"])


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_due_date_beyond_all_periods_is_refused(village: Village, period: str, day: str) -> None:
    refused = village.treasurer.post(f"{period}/instalments", ROOF | {"first_due_on": day}, 400)
    assert list(refused["errors"]) == ["first_due_on"]
