"""The worked cases of meters and late fees, asked over HTTP."""

from datetime import date
from decimal import Decimal

from tests.cases.loading import Case, code_of
from tests.cases.rest import DAY, END, START, Street, refusal_of
from tests.scene import Scene


def run_meter(case: Case, company: Scene) -> None:
    if "segments" in case.input:
        run_segments(case, company)
    elif "main" in case.input:
        run_main_meter(case, company)
    else:
        run_estimate(case, company)


def run_segments(case: Case, company: Scene) -> None:
    """A replaced meter is read once for each of its counters."""
    street = Street.build(company, {"A": "1"})
    period = street.period()
    item = street.item(period, allocation_strategy="USAGE_BASED")
    segments = case.input.each("segments")
    readings = []

    def read_all() -> None:
        meters: dict[tuple[str, int], str] = {}
        for place, segment in enumerate(segments):
            kind = segment.maybe("multiplier", "1"), segment.maybe("digits", 6)
            if kind not in meters:
                meters[kind] = street.meter(item, "A", multiplier=kind[0], digits=kind[1])
            asked = days_of(place, len(segments)) | {
                "unit_price": case.input.maybe("unit_price"),
                "rolled_over": segment.maybe("rolled_over", False),
            }
            start, end = segment["start"], segment["end"]
            readings.append(street.read(period, meters[kind], start, end, **asked))

    if "error" in case.expected:
        assert refusal_of(read_all) == code_of(case.expected["error"])
        return
    read_all()
    used = sum((Decimal(reading["consumption"]) for reading in readings), Decimal(0))
    assert used == case.expected.amount("consumption")
    cost = sum((Decimal(reading["total_cost"]) for reading in readings), Decimal(0))
    assert cost == case.expected.amount("total_cost")


def days_of(place: int, parts: int) -> dict[str, str]:
    """The days of one of so many parts of the period."""
    length = ((END - START).days + 1) // parts
    first = START + place * length * DAY
    last = END if place == parts - 1 else first + (length - 1) * DAY
    return {"from_on": str(first), "to_on": str(last)}


def run_main_meter(case: Case, company: Scene) -> None:
    street = Street.build(company, case.input["shares"])
    period = street.period()
    item = street.item(period, allocation_strategy="USAGE_BASED", billing="unit_price")
    price = case.input["unit_price"]
    for owner, used in case.input["sub"].items():
        street.read(period, street.meter(item, owner), "0", used, unit_price=price)
    main = street.meter(item, None)
    of_main = street.read(period, main, "0", case.input["main"], unit_price=price)["id"]
    names = {id: name for name, id in street.village.owners.items()}
    private: dict[str, str] = {}
    common: dict[str, str] = {}
    for charge in street.get(f"{period}/charges/?void=false")["results"]:
        part = common if charge["reading"] == of_main else private
        part[names[charge["owner_id"]]] = charge["amount"]
    assert private == case.expected["private"]
    assert common == case.expected["common"]
    street.close(period)
    assert street.column(period, "service_charges") == case.expected["total"]


def run_estimate(case: Case, company: Scene) -> None:
    street = Street.build(company, {"A": "1"})
    start = START + case.input["history_days"] * DAY
    first = street.period(START, start - DAY)
    meter = street.meter(street.item(first, allocation_strategy="USAGE_BASED"), "A")
    street.read(first, meter, "0", case.input["history_consumption"])
    second = street.period(start, start + (case.input["period_days"] - 1) * DAY)
    reading = street.post(f"{second}/readings/", {"meter": meter, "kind": "ESTIMATED"})
    assert Decimal(reading["consumption"]) == case.expected.amount("estimated_consumption")
    assert reading["kind"] == case.expected["kind"]


def run_late_fee(case: Case, company: Scene) -> None:
    street = Street.build(company, {"A": "1"})
    due, last = case.input.day("due"), date.fromisoformat(max(case.input["runs"]))
    period = street.period(due - 30 * DAY, last + 30 * DAY)
    rule = {"grace_days": case.input["grace_days"], "fixed_fee": case.input["late_fee"]}
    street.patch(f"/api/associations/{street.village.association}/late-fee-rule/", rule)
    plan = {"amount": "1000.00", "instalments": 1, "first_due_on": str(due), "description": "Roof"}
    street.post(f"{period}/instalments/", plan)
    charged = f"{period}/late-fees/?owner_id={street.village.owners['A']}"
    for day in case.input["runs"]:
        street.post(f"{period}/late-fees/", {"on": day})
    assert street.get(charged)["total"] == case.expected["after_runs"]
    street.contribute(period, "A", "1000.00", case.input.day("payment_back_dated"))
    street.post(f"{period}/late-fees/", {"on": str(last)})
    assert street.get(charged)["total"] == case.expected["after_back_dated_payment"]
