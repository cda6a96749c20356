"""Meters and readings through the API."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.village import Village, build_village


@pytest.fixture
def water(village: Village, period: str) -> str:
    """An item that is shared by consumption."""
    return village.item(period, "Water", allocation_strategy="USAGE_BASED")


@pytest.fixture
def meter(village: Village, water: str) -> str:
    """Ann's water meter."""
    body = {"property": village.units["Ann"], "budget_item": water, "digits": 5}
    found: str = village.treasurer.post("/api/meters", body, 201)["id"]
    return found


def read(village: Village, period: str, meter: str, expect: int = 201, **asked: Any) -> Any:
    body = {"meter": meter, "meter_start_reading": "100", "meter_end_reading": "116.25"} | asked
    return village.treasurer.post(f"{period}/readings", body, expect)


def test_a_meter_belongs_to_a_property_or_to_the_house(village: Village, water: str) -> None:
    body = {"property": village.units["Ann"], "budget_item": water, "multiplier": "40"}
    made = village.treasurer.post("/api/meters/", body | {"label": "Cellar"}, 201)
    assert (made["multiplier"], made["digits"], made["label"]) == ("40", 6, "Cellar")
    assert (made["association"], made["payment_type"]) == (village.association, "Water")
    main = village.treasurer.post("/api/meters/", {"property": None, "budget_item": water}, 201)
    assert village.treasurer.results("/api/meters/?main=true") == [main]
    of_ann = f"/api/meters/?property={village.units['Ann']}"
    assert village.treasurer.results(of_ann) == [made]
    path = f"/api/meters/{made['id']}/"
    assert village.treasurer.patch(path, {"retired_on": "2026-02-01"})["retired_on"] == "2026-02-01"
    assert village.treasurer.patch(path, {"retired_on": None}) == made
    actions = [event["action"] for event in village.treasurer.results(f"{path}history/")]
    assert actions == ["meter.add", "meter.retire", "meter.retire"]


def test_the_association_of_a_meter_is_named_where_there_are_two(
    village: Village, water: str
) -> None:
    build_village(scene=village.scene, name="Baobab", weights={"Zed": "1"})
    refused = village.treasurer.post("/api/meters/", {"budget_item": water}, 400)
    assert list(refused["errors"]) == ["association"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"budget_item": str(uuid4())}, "budget_item"),
        ({"property": str(uuid4())}, "property"),
        ({"digits": 0}, "digits"),
        ({"digits": "6"}, "digits"),
        ({"multiplier": "0"}, "multiplier"),
        ({"multiplier": "-1"}, "multiplier"),
        ({"multiplier": "NaN"}, "multiplier"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_meter_names_the_field(
    village: Village, water: str, change: dict[str, Any], field: str
) -> None:
    refused = village.treasurer.post("/api/meters/", {"budget_item": water} | change, 400)
    assert list(refused["errors"]) == [field]


def test_a_reading_has_its_consumption_and_its_cost(
    village: Village, period: str, meter: str
) -> None:
    made = read(village, period, meter, unit_price="3.4567", total_cost="56.17")
    assert (made["consumption"], made["unit_price"], made["total_cost"]) == (
        "16.25",
        "3.4567",
        "56.17",
    )
    assert (made["from_on"], made["to_on"], made["kind"]) == ("2026-01-01", "2026-03-31", "ACTUAL")
    assert (made["meter_start_reading"], made["meter_end_reading"]) == ("100", "116.25")
    assert village.treasurer.results(f"{period}/readings") == [made]
    assert village.treasurer.results(f"{period}/readings/?meter={meter}") == [made]
    path = f"/api/readings/{made['id']}/"
    edited = village.treasurer.patch(path, {"meter_end_reading": "110", "total_cost": "34.57"})
    assert (edited["consumption"], edited["total_cost"], edited["version"]) == ("10", "34.57", 2)
    assert village.treasurer.post(f"{path}void/")["voided_at"]
    assert village.treasurer.post(f"{path}void/", None, 409)["code"] == "already_void"
    actions = [
        event["action"]
        for event in village.treasurer.results(f"{path}history/")
        if event["outcome"] == "done"
    ]
    assert actions == ["reading.record", "reading.edit", "reading.void"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"meter_end_reading": "99"}, "meter_end_reading", "reading_decreased"),
        ({"meter_end_reading": "1e3"}, "meter_end_reading", "invalid_input"),
        ({"meter_end_reading": "NaN"}, "meter_end_reading", "invalid_input"),
        ({"meter_end_reading": "-1"}, "meter_end_reading", "invalid_input"),
        ({"meter_end_reading": "116.2501"}, "meter_end_reading", "invalid_input"),
        ({"meter_end_reading": None}, "meter_end_reading", "required"),
        ({"meter_start_reading": None}, "meter_start_reading", "required"),
        ({"unit_price": "-1"}, "unit_price", "invalid_input"),
        ({"total_cost": "10"}, "unit_price", "required"),
        ({"unit_price": "2", "total_cost": "10"}, "total_cost", "total_cost_differs"),
        ({"kind": "CORRECTION"}, "kind", "invalid_input"),
        ({"to_on": "2026-12-31", "from_on": "2026-10-01"}, "to_on", "date_outside_period"),
        ({"meter": str(uuid4())}, "meter", "invalid_input"),
    ],
)
def test_a_bad_reading_names_the_field(
    village: Village, period: str, meter: str, change: dict[str, Any], field: str, code: str
) -> None:
    body = {"meter": meter, "meter_start_reading": "100", "meter_end_reading": "116.25"}
    refused = village.treasurer.post(f"{period}/readings/", body | change, 400)
    assert (refused["code"], list(refused["errors"])) == (code, [field])
    assert village.treasurer.results(f"{period}/readings") == []


def test_a_day_has_one_reading_and_a_guess_needs_history(
    village: Village, period: str, meter: str
) -> None:
    body = {"meter": meter, "kind": "ESTIMATED"}
    refused = village.treasurer.post(f"{period}/readings/", body, 422)
    assert refused["code"] == "no_history"
    read(village, period, meter)
    assert read(village, period, meter, 409)["code"] == "reading_exists"


def test_what_is_charged_at_its_own_price_is_the_owners_alone(
    village: Village, period: str
) -> None:
    gas = village.item(period, "Gas", allocation_strategy="USAGE_BASED", billing="unit_price")
    body = {"property": village.units["Bob"], "budget_item": gas}
    meter = village.treasurer.post("/api/meters/", body, 201)["id"]
    reading = read(village, period, meter, unit_price="2")
    charge = village.treasurer.get(f"{period}/charges/?owner_id={village.owners['Bob']}")
    assert (charge["total"], charge["results"][0]["kind"]) == ("32.50", "consumption")
    assert charge["results"][0]["reading"] == reading["id"]
    assert village.balance("Bob") == "-32.50"
    path = f"/api/charges/{charge['results'][0]['id']}/"
    assert village.treasurer.patch(path, {"amount": "1"}, 409)["code"] == "charge_follows"


def test_the_same_key_reads_once(village: Village, period: str, meter: str) -> None:
    body = {"meter": meter, "meter_start_reading": "0", "meter_end_reading": "5"}
    key = {"Idempotency-Key": "one"}
    first = village.treasurer.post(f"{period}/readings/", body, 201, key)
    assert village.treasurer.post(f"{period}/readings/", body, 201, key) == first
    assert len(village.treasurer.results(f"{period}/readings/")) == 1


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"from_on": "0001-01-01"}, "from_on", "invalid_input"),
        ({"to_on": "9999-12-31"}, "to_on", "invalid_input"),
        ({"meter_end_reading": "9999999999"}, "meter_end_reading", "reading_invalid"),
        ({"unit_price": "9999999999"}, "total_cost", "amount_too_large"),
    ],
)
def test_days_and_numbers_beyond_all_bounds_are_refused(
    village: Village, period: str, water: str, change: dict[str, str], field: str, code: str
) -> None:
    body = {"property": village.units["Ann"], "budget_item": water, "digits": 11}
    meter = village.treasurer.post("/api/meters/", body | {"multiplier": "9999999"}, 201)["id"]
    asked = {"meter_start_reading": "0", "meter_end_reading": "99999"} | change
    refused = read(village, period, meter, 400, **asked)
    assert (refused["code"], list(refused["errors"])) == (code, [field])
