"""The worked cases of balance sheets, chains and plain allocations through the services and their database."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.refusals import Refusal
from periods.models import Expense, ServicePeriod
from periods.services.expenses import edit_expense
from periods.services.opening_balances import record_opening_balances
from periods.services.reopening import reopen_period
from periods.sheets import PeriodSheet, balance_sheet_of
from tests.cases.loading import UNSAID_CURRENCY, Attempt, Case, Fields, attempts, bills, code_of
from tests.cases.loading import load as load_cases
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold, build_scene

AREAS = {"allocation", "balance", "carry_forward", "meter", "late_fee"}
CASES = load_cases("periods.json", areas=AREAS)
PLAIN = {"currency", "amount", "weights"}
# Meters and late fees have their own services; here is what a close does.
CLOSED_HERE = [
    case
    for case in CASES
    if case.area in {"balance", "carry_forward"}
    or (case.area == "allocation" and all(name in PLAIN for name in case.input._values))
]
FIRST = date(2026, 1, 1)
ITEM = "Security"


@pytest.mark.django_db
@pytest.mark.parametrize("case", CLOSED_HERE, ids=[case.id for case in CLOSED_HERE])
def test_the_services_give_what_the_case_says(case: Case) -> None:
    again = case.fresh(case.id)
    RUNNERS[case.area](again)
    again.require_read()
    assert_books_hold()


def estate_of(weights: Mapping[str, Any], currency: str = UNSAID_CURRENCY, **asked: Any) -> Estate:
    return build_estate(
        {name: str(weight) for name, weight in weights.items()}, currency=currency, **asked
    )


def sheet_of(period: ServicePeriod) -> PeriodSheet:
    return balance_sheet_of(ServicePeriod.objects.select_related("association").get(pk=period.pk))


def rows(period: ServicePeriod, *columns: str) -> dict[str, dict[str, str]]:
    """What stands on the sheet, by owner, as the wire carries it."""
    sheet = sheet_of(period)
    names = {str(line.owner_id): line.name for line in sheet.owners}
    return {
        names[row["owner_id"]]: {column: row[column] for column in columns}
        for row in sheet.as_json()["owners"]
    }


def column(period: ServicePeriod, name: str) -> dict[str, str]:
    return {owner: row[name] for owner, row in rows(period, name).items()}


# --- Allocation -----------------------------------------------------------------------------------------


def run_allocation(case: Case) -> None:
    currency = case.input.maybe("currency", UNSAID_CURRENCY)
    if "error" in case.expected:
        with pytest.raises(Refusal) as refusal:
            shared(case.input["weights"], case.input["amount"], currency)
        assert refusal.value.code == code_of(case.expected["error"])
        return
    total = case.expected["sum"]
    weights, amount = case.input["weights"], case.input["amount"]
    for number, rule in enumerate(("LARGEST_REMAINDER", "LARGEST_HOLDER")):
        scene_code = f"case{number}"
        shares = shared(weights, amount, currency, code=scene_code, remainder_rule=rule)
        assert shares == case.expected[rule]
        assert str(sum(map(Decimal, shares.values()))) == total


def shared(
    weights: Mapping[str, Any], amount: str, currency: str, *, code: str = "case", **asked: Any
) -> dict[str, str]:
    estate = estate_of(weights, currency, scene=build_scene(opening=0, code=code), **asked)
    period = estate.period()
    estate.expense(period, amount, item=estate.item(period))
    estate.close(period)
    return column(period, "allocated")


# --- Balance sheets -------------------------------------------------------------------------------------


def run_balance(case: Case) -> None:
    given = case.input
    estate = estate_of(given["weights"])
    period = estate.period()
    openings, equity = given.amounts("opening"), given.amount("equity_open")
    record_opening_balances(
        actor=estate.actor("cfo"),
        association_id=estate.association.pk,
        cash=sum(openings.values(), equity),
        balances={estate.owners[name].pk: amount for name, amount in openings.items()},
    )
    for owner, amount in given["contributions"]:
        estate.contribution(period, owner, amount)
    for number, line in enumerate(given.each("expenses")):
        scope = [estate.units[name].pk for name in line.maybe("participants", [])]
        strategy = line.maybe("strategy", "PROPORTIONAL")
        item = estate.item(period, f"Kind {number}", allocation_strategy=strategy, scope=scope)
        estate.expense(period, line["amount"], item=item, paid_by=line.maybe("paid_by"))
    for owner, amount in given["charges"]:
        estate.charge(period, owner, amount)
    estate.close(period)
    expected = case.expected["owners"]
    assert rows(period, *next(iter(expected.values()))) == expected
    totals = case.expected["totals"]
    written = sheet_of(period).as_json()["totals"]
    assert {name: written[name] for name in totals} == totals
    assert all(tie["holds"] for tie in sheet_of(period).as_json()["ties"])


# --- Carry-forward --------------------------------------------------------------------------------------


def run_carry_forward(case: Case) -> None:
    if "attempts" in case.input:
        run_attempts(case)
    elif "same_as" in case.input:
        run_unchanged(case)
    else:
        run_chain(case, "RECALCULATE")
        run_chain(case, "FREEZE_DOWNSTREAM")


def run_chain(case: Case, policy: str) -> None:
    """A correction in the first period, under either policy: the last balance is the same."""
    given, expected = case.input, case.expected
    scene = build_scene(opening=0, code=policy.lower()[:8])
    estate = estate_of(given["weights"], scene=scene, recalculation=policy)
    periods = closed_chain(estate, given, given["before"])
    openings = [column(period, "opening") for period in periods]
    closings = [column(period, "closing") for period in periods]
    assert closings == expected["closings_before"]
    following = estate.period("Next", periods[-1].end_date + timedelta(days=1), date(2027, 12, 31))
    estate.reopen(periods[0])
    amend(estate, periods[0], given["before"][0], given["after"][0])
    assert given["after"][1:] == given["before"][1:], "only the first period is corrected here"
    estate.close(periods[0])
    delta = expected.amounts("delta_every_later_period")
    assert str(sum(delta.values())) == expected["sum_delta"]
    assert column(following, "closing") == expected["closings_after"][-1]
    if policy == "RECALCULATE":
        assert [column(period, "opening") for period in periods] == expected["openings_after"]
        assert [column(period, "closing") for period in periods] == expected["closings_after"]
    else:
        assert [column(period, "opening") for period in periods] == openings
        assert [column(period, "closing") for period in periods[1:]] == closings[1:]


def run_unchanged(case: Case) -> None:
    id, _, which = case.input["same_as"].partition(" ")
    same = case.fresh(id).input
    estate = estate_of(same["weights"])
    periods = closed_chain(estate, same, same[which])
    before = [(sheet_of(period).version, sheet_of(period).hash) for period in periods]
    closings = [column(period, "closing") for period in periods]
    estate.reopen(periods[0])
    estate.close(periods[0])
    after = [(sheet_of(period).version, sheet_of(period).hash) for period in periods]
    new_versions = sum(one != other for one, other in zip(before, after, strict=True))
    assert new_versions == case.expected["new_versions"]
    assert case.expected["deltas"] == {}
    assert [column(period, "closing") for period in periods] == closings


def closed_chain(estate: Estate, given: Fields, texts: Sequence[str]) -> list[ServicePeriod]:
    periods: list[ServicePeriod] = []
    start = FIRST
    for number, text in enumerate(texts, start=1):
        period = estate.period(f"P{number}", start, start + timedelta(days=89))
        for owner, amount in given["contributions_each_period"]:
            estate.contribution(period, owner, amount)
        item = estate.item(period, ITEM)
        for bill in bills(text):
            estate.expense(period, str(bill.amount), item=item, paid_by=bill.paid_by)
        periods.append(estate.close(period))
        start = period.end_date + timedelta(days=1)
    return periods


def amend(estate: Estate, period: ServicePeriod, before: str, after: str) -> None:
    """Make of the bills that were recorded those that should have been."""
    (first,) = bills(before)
    changed, *more = bills(after)
    expense = Expense.objects.get(period=period, amount=first.amount)
    edit_expense(actor=estate.actor("treasurer"), expense_id=expense.pk, amount=str(changed.amount))
    for bill in more:
        estate.expense(period, str(bill.amount), item=expense.budget_item, paid_by=bill.paid_by)


def run_attempts(case: Case) -> None:
    estate = estate_of({"A": "1"})
    periods = {}
    for name, start, end, status in case.input["periods"]:
        period = estate.period(name, date.fromisoformat(start), date.fromisoformat(end))
        periods[name] = estate.close(period) if status == "CLOSED" else period
    for attempt in attempts(case):
        with pytest.raises(Refusal) as refusal:
            do(estate, periods, attempt)
        assert (refusal.value.status, refusal.value.code) == (attempt.status, attempt.code)


def do(estate: Estate, periods: dict[str, ServicePeriod], attempt: Attempt) -> None:
    if attempt.verb == "expense":
        estate.expense(periods[attempt.period], "1.00", date=attempt.days[0])
    elif attempt.verb == "reopen_without_reason":
        period = periods[attempt.period]
        reopen_period(actor=estate.actor("cfo"), period_id=period.pk, reason="")
    elif attempt.verb == "create_of_one_day":
        day = max(period.end_date for period in periods.values()) + timedelta(days=1)
        estate.period("One day", day, day)
    else:
        period = estate.period("Another", *attempt.days)
        assert attempt.verb == "create_and_close"
        assert periods[attempt.period].status == "OPEN"
        estate.close(period)


RUNNERS = {
    "allocation": run_allocation,
    "balance": run_balance,
    "carry_forward": run_carry_forward,
}
