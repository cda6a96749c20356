"""The worked cases of periods, through the pure rules alone.

The same file runs through services and REST elsewhere. What a case refuses because of a period's state, and
not by reckoning, has no meaning here: those are the cases with attempts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.refusals import Refusal
from periods.allocation import (
    Basis,
    OwnedBasis,
    split,
    split_in_time,
)
from periods.fees import Debt, LateFeeTerms, Payment, fee_owed
from periods.metering import Segment, Usage, correction, cost_of, estimated
from periods.ownership import Ownership, days_owned
from periods.sheet import (
    Books,
    ExpenseLine,
    Records,
    Sheet,
    balance_sheet,
)
from periods.states import RemainderRule
from periods.units import to_units
from tests.cases.loading import UNSAID_CURRENCY, Bill, Case, Fields, bills, code_of, load
from tests.periods.chain import (
    Link,
    closings_of,
    link_of,
    movements_of,
    prior_period_adjustment,
    recalculate,
)
from tests.periods.reference import Expense, Period, PlainBooks

AREAS = {"allocation", "balance", "carry_forward", "meter", "late_fee"}
CASES = load("periods.json", areas=AREAS)
PURE = [case for case in CASES if "attempts" not in case.input]


@pytest.mark.parametrize("case", PURE, ids=[case.id for case in PURE])
def test_the_rules_give_what_the_case_says(case: Case) -> None:
    RUNNERS[case.area](case)
    case.require_read()


def test_only_what_depends_on_a_periods_state_is_left_to_the_services() -> None:
    left = [case for case in CASES if case not in PURE]
    assert all(case.area == "carry_forward" for case in left)


def refusal_code(call: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        call()
    return refusal.value.code


def whole(amount: str) -> int:
    return to_units(Decimal(amount), UNSAID_CURRENCY)


def wholes(amounts: Mapping[str, str]) -> dict[str, int]:
    return {key: whole(amount) for key, amount in amounts.items()}


# --- Allocation -----------------------------------------------------------------------------------------


def run_allocation(case: Case) -> None:
    given = case.input
    if "units" in given:
        run_ownership(case)
    elif "usage" in given:
        run_usage(case)
    elif "instalments" in given:
        run_instalments(case)
    else:
        run_split(case)


def run_split(case: Case) -> None:
    amount, weights = case.input.amount("amount"), case.input.amounts("weights")
    currency = case.input.maybe("currency", UNSAID_CURRENCY)
    if "error" in case.expected:
        code = refusal_code(lambda: split(amount, currency, weights))
        assert code == code_of(case.expected["error"])
        return
    total = case.expected["sum"]
    for rule in RemainderRule:
        shares = split(amount, currency, weights, rule)
        assert {key: str(share) for key, share in shares.items()} == case.expected[rule]
        assert str(sum(shares.values())) == total


def run_usage(case: Case) -> None:
    amount = whole(case.input["amount"])
    usage = Basis.of(case.input.amounts("usage").items())
    code = refusal_code(lambda: usage.split_units(amount))
    assert code == code_of(case.expected.inner("on_close")["error"])
    equal = Basis.equal(usage.keys)
    parts = dict(zip(equal.keys, equal.split_units(amount), strict=True))
    assert parts == wholes(case.expected["fallback_EQUAL"])


def run_ownership(case: Case) -> None:
    amount = whole(case.input["amount"])
    start, end = (date.fromisoformat(day) for day in case.input["period"])
    names = list(case.input["units"])
    weights, owners = {}, {}
    for name, unit in zip(names, case.input.each("units"), strict=True):
        weights[name] = unit["weight"]
        owners[name] = days_owned([ownership(*line) for line in unit["owners"]], start, end)
    units = Basis.of(weights.items())
    per_unit = dict(zip(units.keys, units.split_units(amount), strict=True))
    assert per_unit == wholes(case.expected["per_unit"])
    lines = OwnedBasis.of(units, owners).lines(amount)
    per_owner = {f"{unit}/{owner}": share for unit, owner, share in lines}
    assert per_owner == wholes(case.expected["per_owner"])


def ownership(owner: str, first: str, last: str | None) -> Ownership[str]:
    until = date.fromisoformat(last) + timedelta(days=1) if last else None
    return Ownership(owner, date.fromisoformat(first), until)


def run_instalments(case: Case) -> None:
    basis = Basis.of(case.input.amounts("weights").items())
    shares = basis.split_units(whole(case.input["amount"]))
    per_owner = dict(zip(basis.keys, shares, strict=True))
    assert per_owner == wholes(case.expected["per_owner"])
    count = case.input["instalments"]
    for owner, parts in case.expected["instalments"].items():
        assert split_in_time(per_owner[owner], count) == [whole(part) for part in parts]
    assert set(case.expected["instalments"]) == set(per_owner)


# --- Balance sheets -------------------------------------------------------------------------------------


def run_balance(case: Case) -> None:
    given = case.input
    weights = given.amounts("weights")
    openings, equity = wholes(given["opening"]), whole(given["equity_open"])
    expenses = [expense_of(line, weights) for line in given.each("expenses")]
    sheet = closed(
        tuple(weights),
        openings,
        Period(
            contributions=[(owner, whole(amount)) for owner, amount in given["contributions"]],
            expenses=expenses,
            charges=[(owner, whole(amount)) for owner, amount in given["charges"]],
        ),
        equity=equity,
    )
    expected = case.expected["owners"]
    assert {row.owner for row in sheet.owners} == set(expected)
    for row in sheet.owners:
        figures = {**asdict(row), "closing": row.closing}
        require_figures(figures, expected[figures.pop("owner")])
    require_figures(asdict(sheet.totals), case.expected["totals"])


def require_figures(figures: dict[str, int], expected: Mapping[str, str]) -> None:
    """Every figure is as expected, and of what the case does not say there is nothing."""
    assert {name: figures.pop(name) for name in expected} == wholes(expected)
    assert not any(figures.values())


def expense_of(line: Fields, weights: Mapping[str, Decimal]) -> Expense:
    strategy = line.maybe("strategy", "PROPORTIONAL")
    sharing: dict[str, dict[str, Fraction] | None] = {
        "NONE": None,
        "PROPORTIONAL": {owner: Fraction(weight) for owner, weight in weights.items()},
        "FIXED_FEE": {owner: Fraction(1) for owner in line.maybe("participants", weights)},
    }
    return whole(line["amount"]), line.maybe("paid_by"), sharing[strategy], 0


def closed(
    owners: tuple[str, ...], openings: Mapping[str, int], period: Period, *, equity: int = 0
) -> Sheet[str]:
    """Close a period beside plain books that open with the same balances; every tie-out must hold."""
    books = PlainBooks()
    for owner, opening in openings.items():
        books.book("cash", owner, opening)
    books.book("cash", "equity", equity)
    books.record(period)
    records = Records(
        owners=owners,
        openings=openings,
        contributions=period.contributions,
        expenses=[line_of(*expense) for expense in period.expenses],
        charges=period.charges,
        equity_opening=equity,
    )
    ledger = Books(books.cash(), {owner: books.owed_on(owner) for owner in owners})
    sheet = balance_sheet(records, ledger, openings)
    assert [tie for tie in sheet.ties if not tie.holds] == []
    return sheet


def line_of(
    amount: int, paid_by: str | None, weights: Mapping[str, Fraction] | None, _: int
) -> ExpenseLine[str]:
    if weights is None:
        return ExpenseLine(amount, paid_by)
    basis = Basis.of(weights.items())
    shares = dict(zip(basis.keys, basis.split_units(amount), strict=True))
    return ExpenseLine(amount, paid_by, shares)


# --- Carry-forward --------------------------------------------------------------------------------------


def run_chain(case: Case) -> None:
    if "same_as" in case.input:
        run_unchanged_chain(case)
        return
    before = sheets_of_chain(case.input, case.input["before"])
    after = sheets_of_chain(case.input, case.input["after"])
    assert [closings_of(sheet) for sheet in before] == list(
        map(wholes, case.expected["closings_before"])
    )
    assert [closings_of(sheet) for sheet in after] == list(
        map(wholes, case.expected["closings_after"])
    )
    moved = recalculate(links(before), {0: movements_of(after[0])})
    assert [row.new_openings() for row in moved] == list(
        map(wholes, case.expected["openings_after"])
    )
    assert [row.new_closings() for row in moved] == [closings_of(sheet) for sheet in after]
    difference = wholes(case.expected["delta_every_later_period"])
    assert all(row.openings == row.closings == difference for row in moved[1:])
    assert sum(difference.values()) == whole(case.expected["sum_delta"])
    frozen = prior_period_adjustment(links(before), {0: movements_of(after[0])})
    assert frozen == difference


def run_unchanged_chain(case: Case) -> None:
    id, _, which = case.input["same_as"].partition(" ")
    same = case.fresh(id).input
    first, again = (sheets_of_chain(same, same[which]) for _ in range(2))
    moved = recalculate(links(first), {0: movements_of(again[0])})
    assert sum(row.is_changed for row in moved) == case.expected["new_versions"]
    assert {owner: str(change) for owner, change in moved[-1].closings.items()} == (
        case.expected["deltas"]
    )
    assert again == first


def sheets_of_chain(given: Fields, texts: Sequence[str]) -> list[Sheet[str]]:
    weights = {owner: Fraction(weight) for owner, weight in given.amounts("weights").items()}
    contributions = [(owner, whole(paid)) for owner, paid in given["contributions_each_period"]]
    sheets: list[Sheet[str]] = []
    equity = 0
    for text in texts:
        openings = closings_of(sheets[-1]) if sheets else dict.fromkeys(weights, 0)
        expenses = [expense_of_bill(bill, weights) for bill in bills(text)]
        period = Period(contributions=contributions, expenses=expenses)
        sheets.append(closed(tuple(weights), openings, period, equity=equity))
        equity = sheets[-1].totals.equity_closing
    return sheets


def expense_of_bill(bill: Bill, weights: dict[str, Fraction]) -> Expense:
    return to_units(bill.amount, UNSAID_CURRENCY), bill.paid_by, weights, 0


def links(sheets: Sequence[Sheet[str]]) -> list[Link[int, str]]:
    return [link_of(number, sheet) for number, sheet in enumerate(sheets)]


# --- Meters and late fees -------------------------------------------------------------------------------


def run_meter(case: Case) -> None:
    if "segments" in case.input:
        run_segments(case)
    elif "main" in case.input:
        run_main_meter(case)
    else:
        history = Usage(case.input.amount("history_consumption"), case.input["history_days"])
        estimate = estimated(case.input["period_days"], history)
        assert str(estimate) == case.expected["estimated_consumption"]
        assert case.expected["kind"] == "ESTIMATED"


def run_segments(case: Case) -> None:
    segments = [
        Segment(
            line.amount("start"),
            line.amount("end"),
            multiplier=Decimal(line.maybe("multiplier", 1)),
            digits=line.maybe("digits"),
            rolled_over=line.maybe("rolled_over", False),
        )
        for line in case.input.each("segments")
    ]
    if "error" in case.expected:
        code = refusal_code(lambda: consumption_in(segments))
        assert code == code_of(case.expected["error"])
        return
    consumption = consumption_in(segments)
    assert consumption == case.expected.amount("consumption")
    cost = cost_of(consumption, case.input.amount("unit_price"), UNSAID_CURRENCY)
    assert cost == whole(case.expected["total_cost"])


def consumption_in(segments: Sequence[Segment]) -> Decimal:
    return sum((segment.consumption() for segment in segments), Decimal(0))


def run_main_meter(case: Case) -> None:
    price, subs = case.input.amount("unit_price"), case.input.amounts("sub")
    shares = Basis.of(case.input.amounts("shares").items())
    common = correction(case.input.amount("main"), subs.values())
    private = {key: cost_of(sub, price, UNSAID_CURRENCY) for key, sub in subs.items()}
    parts = shares.split_units(cost_of(common, price, UNSAID_CURRENCY))
    shared = dict(zip(shares.keys, parts, strict=True))
    assert private == wholes(case.expected["private"])
    assert shared == wholes(case.expected["common"])
    total = {key: private[key] + shared[key] for key in subs}
    assert total == wholes(case.expected["total"])


def run_late_fee(case: Case) -> None:
    """The job charges the difference between what is owed and what it has charged."""
    debt = Debt(principal=whole("1000.00"), due_on=case.input.day("due"))
    terms = LateFeeTerms(case.input["grace_days"], fixed_fee=whole(case.input["late_fee"]))
    runs = [date.fromisoformat(day) for day in case.input["runs"]]
    charged: list[int] = []
    for day in runs:
        charged.append(fee_owed(debt, terms, on=day) - sum(charged))
    assert sum(charged) == whole(case.expected["after_runs"])
    paid = [Payment(case.input.day("payment_back_dated"), debt.principal)]
    charged.append(fee_owed(debt, terms, paid, on=runs[-1]) - sum(charged))
    assert sum(charged) == whole(case.expected["after_back_dated_payment"])


RUNNERS = {
    "allocation": run_allocation,
    "balance": run_balance,
    "carry_forward": run_chain,
    "meter": run_meter,
    "late_fee": run_late_fee,
}
