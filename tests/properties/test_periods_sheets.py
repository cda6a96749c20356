"""What is true of every balance sheet and every chain of them, whatever was recorded."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from periods.allocation import Basis
from periods.sheet import Books, ExpenseLine, Records, Sheet, balance_sheet
from periods.states import RemainderRule
from tests.periods.chain import (
    Link,
    closings_of,
    link_of,
    movements_of,
    prior_period_adjustment,
    recalculate,
)
from tests.periods.reference import Expense, Period, PlainBooks, closings_from_scratch
from tests.properties.thoroughness import thorough

OWNERS = ("Amina", "Brian", "Cynthia", "David")
WHO = st.sampled_from(OWNERS)
RULES = st.sampled_from(list(RemainderRule))
LARGEST = 10**7


def a_period(random: Random) -> Period:
    """Some of everything that can be recorded in a period."""

    def amounts(most: int, *, signed: bool = False) -> list[tuple[str, int]]:
        least = -LARGEST if signed else 1
        return [
            (random.choice(OWNERS), random.randint(least, LARGEST) or 1)
            for _ in range(random.randint(0, most))
        ]

    return Period(
        contributions=amounts(3),
        expenses=[an_expense(random) for _ in range(random.randint(0, 4))],
        charges=amounts(2, signed=True),
        payouts=amounts(2),
        other_income=random.choice([0, random.randint(1, LARGEST)]),
        paid_from_before=random.choice([0, random.randint(1, LARGEST)]),
    )


def an_expense(random: Random) -> Expense:
    """An expense or a refund, paid by anybody, shared or not, of the association's some perhaps unpaid."""
    amount = random.choice([1, 1, 1, -1]) * random.randint(1, random.choice([9, LARGEST]))
    paid_by = random.choice([None, None, *OWNERS])
    unpaid = 0
    if amount > 0 and paid_by is None:
        unpaid = random.choice([0, random.randint(0, amount)])
    weights = {
        owner: Fraction(random.randint(0, 9), random.choice([1, 2, 7, 10]))
        for owner in random.sample(OWNERS, random.randint(1, len(OWNERS)))
    }
    return amount, paid_by, weights if any(weights.values()) else None, unpaid


# Drawn from a seed of their own: Hypothesis would spend a hundred times longer on drawing each amount.
PERIODS = st.integers(0, 2**64).map(Random).map(a_period)
CHAINS = st.lists(PERIODS, min_size=1, max_size=4)


def lines_of(period: Period, rule: RemainderRule) -> list[ExpenseLine[str]]:
    lines = []
    for amount, paid_by, weights, _ in period.expenses:
        shares = None
        if weights is not None:
            basis = Basis.of(weights.items(), rule=rule)
            shares = dict(zip(basis.keys, basis.split_units(amount), strict=True))
        lines.append(ExpenseLine(amount, paid_by, shares, item="item" if shares else None))
    return lines


def sheets_of(periods: Sequence[Period], rule: RemainderRule) -> list[Sheet[str]]:
    """Close the periods in turn, each from the closing of the one before, beside plain books."""
    books = PlainBooks()
    sheets: list[Sheet[str]] = []
    for period in periods:
        before = sheets[-1] if sheets else None
        openings = closings_of(before) if before else {}
        payables = before.totals.payables_closing if before else 0
        unpaid = sum(unpaid for *_, unpaid in period.expenses)
        books.record(period, to_the_largest=rule is RemainderRule.LARGEST_HOLDER)
        records = Records(
            owners=OWNERS,
            openings=openings,
            contributions=period.contributions,
            expenses=lines_of(period, rule),
            charges=period.charges,
            payouts=period.payouts,
            other_income=period.other_income,
            equity_opening=before.totals.equity_closing if before else 0,
            payables_opening=payables,
            payables_closing=payables - period.paid_from_before + unpaid,
        )
        ledger = Books(books.cash(), {owner: books.owed_on(owner) for owner in OWNERS})
        sheets.append(balance_sheet(records, ledger, openings))
    return sheets


def links(sheets: Sequence[Sheet[str]]) -> list[Link[int, str]]:
    return [link_of(number, sheet) for number, sheet in enumerate(sheets)]


@thorough
@given(CHAINS, RULES)
def test_every_tie_out_of_every_period_holds(periods: list[Period], rule: RemainderRule) -> None:
    for sheet in sheets_of(periods, rule):
        assert [tie for tie in sheet.ties if not tie.holds] == []


@thorough
@given(PERIODS, RULES, st.data())
def test_a_share_that_is_off_by_a_cent_never_passes(
    period: Period, rule: RemainderRule, data: st.DataObject
) -> None:
    lines = lines_of(period, rule)
    shared = [index for index, line in enumerate(lines) if line.shares]
    assume(shared)
    index = data.draw(st.sampled_from(shared))
    line = lines[index]
    shares = dict(line.shares or {})
    shares[next(iter(shares))] += data.draw(st.sampled_from([1, -1]))
    lines[index] = ExpenseLine(line.amount, line.paid_by, shares, line.item)
    sheet = balance_sheet(Records(OWNERS, expenses=lines), Books(0, {}))
    assert not sheet.ties[0].holds
    assert not sheet.ties[1].holds


@thorough
@given(CHAINS, RULES)
def test_the_closing_balances_are_those_of_plain_books(
    periods: list[Period], rule: RemainderRule
) -> None:
    plain = closings_from_scratch(
        periods, OWNERS, to_the_largest=rule is RemainderRule.LARGEST_HOLDER
    )
    assert [closings_of(sheet) for sheet in sheets_of(periods, rule)] == plain


@thorough
@given(CHAINS, PERIODS, st.data())
def test_carrying_differences_equals_recalculating_from_scratch(
    periods: list[Period], corrected: Period, data: st.DataObject
) -> None:
    rule = RemainderRule.LARGEST_REMAINDER
    place = data.draw(st.integers(0, len(periods) - 1))
    before = sheets_of(periods, rule)
    after = sheets_of([*periods[:place], corrected, *periods[place + 1 :]], rule)
    moved = recalculate(links(before), {place: movements_of(after[place])})
    assert [row.new_closings() for row in moved] == [closings_of(sheet) for sheet in after]
    assert [row.new_openings() for row in moved] == [dict(link.openings) for link in links(after)]
    later = zip(moved[place + 1 :], before[place + 1 :], after[place + 1 :], strict=True)
    assert all(row.is_changed == (old.owners != new.owners) for row, old, new in later)


@thorough
@given(CHAINS, PERIODS, PERIODS)
def test_both_policies_end_with_the_same_balances(
    periods: list[Period], corrected: Period, now_open: Period
) -> None:
    rule = RemainderRule.LARGEST_REMAINDER
    recalculated = sheets_of([corrected, *periods[1:], now_open], rule)
    frozen = sheets_of([*periods, now_open], rule)
    change = {0: movements_of(recalculated[0])}
    adjustment = prior_period_adjustment(links(frozen)[:-1], change)
    last = closings_of(frozen[-1])
    assert {owner: last[owner] + adjustment.get(owner, 0) for owner in OWNERS} == (
        closings_of(recalculated[-1])
    )


@thorough
@given(CHAINS, RULES)
def test_closing_again_without_a_change_makes_nothing_new(
    periods: list[Period], rule: RemainderRule
) -> None:
    sheets = sheets_of(periods, rule)
    again = sheets_of(periods, rule)
    moved = recalculate(links(sheets), {0: movements_of(again[0])})
    assert not any(row.is_changed for row in moved)
    assert again == sheets
