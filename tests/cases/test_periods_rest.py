"""The worked cases of periods, asked over HTTP as a client would.

What a case expects of a rule is read back from balance sheets, charges and lists.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from periods.states import RemainderRule
from tests.cases.loading import UNSAID_CURRENCY, Case, Fields, attempts, bills, code_of, load
from tests.cases.rest import DAY, START, Refused, Street, refusal_of
from tests.cases.rest_meters import run_late_fee, run_meter
from tests.scene import Scene, assert_books_hold, build_scene
from tests.undone import undone

AREAS = {"allocation", "balance", "carry_forward", "meter", "late_fee"}
CASES = load("periods.json", areas=AREAS)
QUARTER = timedelta(days=90)


@pytest.fixture(scope="module")
def company(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[Scene]:
    """The company in which all cases take place, rolled back in the end."""
    with django_db_blocker.unblock(), undone():
        yield build_scene(opening=0)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_api_gives_what_the_case_says(case: Case, company: Scene) -> None:
    with undone():
        RUNNERS[case.area](case, company)
        assert_books_hold()
    case.require_read()


# --- Allocation -----------------------------------------------------------------------------------------


def run_allocation(case: Case, company: Scene) -> None:
    if "units" in case.input:
        run_ownership(case, company)
    elif "usage" in case.input:
        run_usage(case, company)
    elif "instalments" in case.input:
        run_instalments(case, company)
    else:
        run_split(case, company)


def run_split(case: Case, company: Scene) -> None:
    weights, amount = case.input["weights"], case.input["amount"]
    currency = case.input.maybe("currency", UNSAID_CURRENCY)

    def shares(rule: str) -> dict[str, str]:
        street = Street.build(company, weights, currency=currency, remainder_rule=rule)
        period = street.period()
        street.expense(period, street.item(period), amount, START)
        street.close(period)
        return street.column(period, "allocated")

    if "error" in case.expected:
        code = refusal_of(lambda: shares(RemainderRule.LARGEST_REMAINDER))
        assert code == code_of(case.expected["error"])
        return
    for rule in RemainderRule:
        found = shares(rule)
        assert found == case.expected[rule]
        assert sum(map(Decimal, found.values())) == Decimal(case.expected["sum"])


def run_usage(case: Case, company: Scene) -> None:
    """Each property has a meter; nothing is shared until a fallback is chosen."""
    usage = case.input["usage"]
    weights = case.input.maybe("shares", dict.fromkeys(usage, "1"))
    street = Street.build(company, weights)
    period = street.period()
    item = street.item(period, allocation_strategy="USAGE_BASED")
    for owner, used in usage.items():
        street.read(period, street.meter(item, owner), "0", used)
    street.expense(period, item, case.input["amount"], START)
    code = refusal_of(lambda: street.close(period))
    assert code == code_of(case.expected.inner("on_close")["error"])
    for fallback in ("EQUAL", "BY_SHARE"):
        if f"fallback_{fallback}" in case.expected:
            street.patch(f"/api/budget-items/{item}/", {"fallback": fallback})
            street.close(period)
            assert street.column(period, "allocated") == case.expected[f"fallback_{fallback}"]
            street.reopen(period)


def run_ownership(case: Case, company: Scene) -> None:
    start, end = (date.fromisoformat(day) for day in case.input["period"])
    street = Street.build(company, {})
    units = dict(zip(case.input["units"], case.input.each("units"), strict=True))
    held = {label: unit["owners"] for label, unit in units.items()}
    for owner in dict.fromkeys(line[0] for lines in held.values() for line in lines):
        street.add(owner, None)
    for label, unit in units.items():
        own(street, label, unit["weight"], held[label])
    period = street.period(start, end)
    street.expense(period, street.item(period), case.input["amount"], start)
    street.close(period)
    expected = {key: Decimal(share) for key, share in case.expected["per_owner"].items()}
    found = {name: Decimal(share) for name, share in street.column(period, "allocated").items()}
    by_owner = dict.fromkeys(found, Decimal(0))
    by_unit = dict.fromkeys(units, Decimal(0))
    for key, share in expected.items():
        label, owner = key.split("/")
        by_owner[owner] += share
        by_unit[label] += share
    assert found == by_owner
    assert by_unit == {key: Decimal(share) for key, share in case.expected["per_unit"].items()}


def own(street: Street, label: str, weight: Any, lines: Sequence[Sequence[Any]]) -> None:
    """Add a property that passes from owner to owner."""
    first, *later = lines
    path = f"/api/properties/{street.add_unit(label, first[0], weight, owned_from=first[1])}/"
    until = first[2]
    for owner, since, last in later:
        assert date.fromisoformat(since) == date.fromisoformat(until) + DAY
        body = {"owner": street.village.owners[owner], "from": since}
        street.post(f"{path}transfers/", body)
        until = last
    assert until is None


def run_instalments(case: Case, company: Scene) -> None:
    street = Street.build(company, case.input["weights"])
    period = street.period()
    body = {"amount": case.input["amount"], "instalments": case.input["instalments"]}
    body |= {"first_due_on": str(START), "description": "A case asks it"}
    street.post(f"{period}/instalments/", body)
    expected = case.expected["instalments"]
    assert set(expected) == set(street.village.owners)
    for owner, total in case.expected["per_owner"].items():
        path = f"{period}/instalments/?owner_id={street.village.owners[owner]}"
        asked = street.get(path)
        assert [part["amount"] for part in asked["results"]] == expected[owner]
        assert asked["total"] == total


# --- Balance sheets -------------------------------------------------------------------------------------


def run_balance(case: Case, company: Scene) -> None:
    street = Street.build(company, case.input["weights"])
    period = street.period()
    bring_along(street, case.input)
    for owner, amount in case.input["contributions"]:
        street.contribute(period, owner, amount, START)
    for number, line in enumerate(case.input.each("expenses")):
        spend(street, period, f"Item {number}", line)
    for owner, amount in case.input["charges"]:
        body = {"owner_id": street.village.owners[owner], "amount": amount, "description": "Key"}
        street.post(f"{period}/charges/", body)
    preview = street.get(f"{period}/balance-sheet/")
    street.close(period)
    sheet = street.get(f"{period}/balance-sheet/")
    assert (sheet["owners"], sheet["totals"]) == (preview["owners"], preview["totals"])
    assert len(sheet["ties"]) == 8
    assert all(tie["holds"] for tie in sheet["ties"])
    assert sheet["totals"].items() >= case.expected["totals"].items()
    expected = case.expected["owners"]
    found = {line["name"]: line for line in sheet["owners"]}
    assert found.keys() == expected.keys()
    for name, line in expected.items():
        assert line.items() <= found[name].items()


def bring_along(street: Street, given: Fields) -> None:
    """Record with what the first period opens."""
    openings = given["opening"]
    total = sum((Decimal(amount) for amount in openings.values()), Decimal(given["equity_open"]))
    lines = [
        {"owner_id": street.village.owners[owner], "amount": amount}
        for owner, amount in openings.items()
    ]
    path = f"/api/associations/{street.village.association}/opening-balances/"
    street.post(path, {"cash": str(total), "balances": lines})


def spend(street: Street, period: str, kind: str, line: Fields) -> None:
    asked: dict[str, Any] = {"allocation_strategy": line.maybe("strategy", "PROPORTIONAL")}
    asked["scope"] = [street.village.units[name] for name in line.maybe("participants", ())]
    item = street.item(period, kind, **asked)
    street.expense(period, item, line["amount"], START, paid_by=line.maybe("paid_by"))


# --- Carry-forward --------------------------------------------------------------------------------------


def run_carry_forward(case: Case, company: Scene) -> None:
    if "attempts" in case.input:
        run_attempts(case, company)
    elif "same_as" in case.input:
        run_unchanged(case, company)
    else:
        run_chain(case, company)


def run_chain(case: Case, company: Scene) -> None:
    before, after = case.input["before"], case.input["after"]
    street, periods, items = chain_of(case.input, before, company)
    closings = [street.column(period, "closing") for period in periods]
    assert closings == case.expected["closings_before"]
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            street.reopen(periods[place])
            correct(street, periods[place], items[place], new, day_of(place))
            street.close(periods[place])
    corrected = [street.column(period, "closing") for period in periods]
    assert corrected == case.expected["closings_after"]
    openings = [street.column(period, "opening") for period in periods]
    assert openings == case.expected["openings_after"]
    deltas = case.expected["delta_every_later_period"]
    for old, new in zip(closings, corrected, strict=True):
        assert {key: Decimal(new[key]) - Decimal(old[key]) for key in new} == {
            key: Decimal(delta) for key, delta in deltas.items()
        }
    assert sum(map(Decimal, deltas.values())) == Decimal(case.expected["sum_delta"])


def chain_of(
    given: Fields, texts: Sequence[str], company: Scene
) -> tuple[Street, list[str], list[str]]:
    """Periods of a quarter each, closed one after another; their addresses, and their items."""
    street = Street.build(company, given["weights"])
    periods, items = [], []
    for place, text in enumerate(texts):
        day = day_of(place)
        period = street.period(day, day_of(place + 1) - DAY)
        item = street.item(period)
        for owner, amount in given["contributions_each_period"]:
            street.contribute(period, owner, amount, day)
        for bill in bills(text):
            street.expense(period, item, str(bill.amount), day, paid_by=bill.paid_by)
        street.close(period)
        periods.append(period)
        items.append(item)
    return street, periods, items


def day_of(place: int) -> date:
    return START + place * QUARTER


def correct(street: Street, period: str, item: str, text: str, day: date) -> None:
    """Turn the bills of a reopened period into others: the first is changed, more are added."""
    first, *more = bills(text)
    (known,) = street.get(f"{period}/expenses/?void=false")["results"]
    change = {"amount": str(first.amount), "paid_by": None}
    if first.paid_by:
        change["paid_by"] = street.village.owners[first.paid_by]
    street.patch(f"/api/expenses/{known['id']}/", change)
    for bill in more:
        street.expense(period, item, str(bill.amount), day, paid_by=bill.paid_by)


def run_unchanged(case: Case, company: Scene) -> None:
    id, _, which = case.input["same_as"].partition(" ")
    same = case.fresh(id).input
    street, periods, _ = chain_of(same, same[which], company)
    sheets = [street.get(f"{period}/balance-sheet/") for period in periods]
    street.reopen(periods[0])
    street.close(periods[0])
    again = [street.get(f"{period}/balance-sheet/") for period in periods]
    assert [sheet["hash"] for sheet in again] == [sheet["hash"] for sheet in sheets]
    new = sum(one["version"] - other["version"] for one, other in zip(again, sheets, strict=True))
    assert new == case.expected["new_versions"]
    runs = street.get(f"{periods[0]}/recalculations/")["results"]
    deltas = {line["owner_id"]: line["difference"] for run in runs for line in run["differences"]}
    assert deltas == case.expected["deltas"]


def run_attempts(case: Case, company: Scene) -> None:
    street = Street.build(company, {"A": "1"})
    periods = {}
    for name, start, end, status in case.input["periods"]:
        period = street.period(date.fromisoformat(start), date.fromisoformat(end), name)
        periods[name] = period
        if status == "CLOSED":
            street.close(period)
        assert street.get(f"{period}/")["status"] == status
    for attempt in attempts(case):
        period = periods.get(attempt.period, "")
        with pytest.raises(Refused) as refused:
            attempt_in(street, attempt.verb, period, attempt.days)
        assert (refused.value.status, refused.value.code) == (attempt.status, attempt.code)


def attempt_in(street: Street, verb: str, period: str, days: Sequence[date]) -> None:
    if verb == "create":
        street.period(days[0], days[1], "Another")
    elif verb == "create_and_close":
        street.close(street.period(days[0], days[1], "Another"))
    elif verb == "create_of_one_day":
        last = street.get(f"/api/periods/?association={street.village.association}")["results"][-1]
        day = date.fromisoformat(last["end_date"]) + DAY
        street.period(day, day, "Of one day")
    elif verb == "expense":
        street.expense(period, None, "1.00", days[0])
    else:
        assert verb == "reopen_without_reason"
        street.patch(f"{period}/", {"status": "OPEN"}, "cfo")


RUNNERS: dict[str, Callable[[Case, Scene], None]] = {
    "allocation": run_allocation,
    "balance": run_balance,
    "carry_forward": run_carry_forward,
    "meter": run_meter,
    "late_fee": run_late_fee,
}
