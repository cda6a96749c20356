"""What is true of every reading and every late fee."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from periods.fees import Debt, LateFeeTerms, Payment, fee_owed, oldest_first
from periods.metering import (
    Segment,
    Usage,
    correction,
    estimated,
    interpolated,
)
from periods.units import half_up
from tests.properties.thoroughness import thorough

FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 400).map(lambda days: FIRST + timedelta(days=days))
READINGS = st.decimals(0, 99_999, places=3)
PERCENT = st.decimals(0, 100, places=2)
PRINCIPALS = st.integers(1, 10**9)
TERMS = st.builds(
    LateFeeTerms,
    grace_days=st.integers(0, 40),
    fixed_fee=st.integers(0, 5000),
    yearly_percent=PERCENT,
    legal_yearly_percent=st.none() | PERCENT,
    cap=st.none() | st.integers(0, 10**6),
)
PAYMENTS = st.lists(st.builds(Payment, on=DAYS, amount=st.integers(1, 10**9)), max_size=4)


@thorough
@given(st.lists(READINGS, min_size=2, max_size=6))
def test_reading_more_often_counts_the_same(readings: list[Decimal]) -> None:
    shown = sorted(readings)
    often = [Segment(*pair) for pair in itertools.pairwise(shown)]
    assert (
        sum(segment.consumption() for segment in often)
        == Segment(shown[0], shown[-1]).consumption()
    )


@thorough
@given(READINGS, READINGS)
def test_a_counter_that_rolled_over_counts_what_was_missing_and_what_came(
    one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))
    assume(low < high)
    rolled = Segment(high, low, digits=5, rolled_over=True).consumption()
    assert rolled == (Decimal(100_000) - high) + low


@thorough
@given(READINGS, READINGS, st.integers(1, 400), st.data())
def test_an_interpolated_reading_lies_between_and_cuts_the_consumption_in_two(
    one: Decimal, other: Decimal, days: int, data: st.DataObject
) -> None:
    low, high = sorted((one, other))
    on = FIRST + timedelta(days=data.draw(st.integers(0, days)))
    cut = interpolated((FIRST, low), (FIRST + timedelta(days=days), high), on)
    assert low <= cut <= high
    whole = Segment(low, high).consumption()
    assert Segment(low, cut).consumption() + Segment(cut, high).consumption() == whole


@thorough
@given(st.lists(READINGS, max_size=5), READINGS)
def test_estimates_and_their_correction_are_what_was_consumed(
    estimates: list[Decimal], actual: Decimal
) -> None:
    assert sum(estimates, correction(actual, estimates)) == actual


@thorough
@given(READINGS, st.integers(1, 366))
def test_the_estimate_of_as_many_days_as_the_history_is_the_history(
    consumption: Decimal, days: int
) -> None:
    assert estimated(days, Usage(consumption, days)) == consumption


def fee_day_by_day(debt: Debt, terms: LateFeeTerms, payments: list[Payment], on: date) -> int:
    """The late fee from its definition: one day after the other."""
    last_free = debt.due_on + timedelta(days=terms.grace_days)
    interest, day = Fraction(0), last_free
    percent = min(terms.yearly_percent, terms.legal_yearly_percent or Decimal(0))
    if terms.legal_yearly_percent is None:
        percent = terms.yearly_percent
    while day < on:
        day += timedelta(days=1)
        interest += debt.open_on(day, payments) * Fraction(percent) * Fraction(1, 36_500)
    is_late = on > last_free and debt.open_on(last_free, payments) > 0
    fee = (terms.fixed_fee if is_late else 0) + half_up(interest)
    return fee if terms.cap is None else min(fee, terms.cap)


@thorough
@given(st.builds(Debt, PRINCIPALS, DAYS), TERMS, PAYMENTS, st.integers(0, 80))
def test_the_fee_is_that_of_counting_day_by_day(
    debt: Debt, terms: LateFeeTerms, payments: list[Payment], after: int
) -> None:
    on = debt.due_on + timedelta(days=after)
    assert fee_owed(debt, terms, payments, on=on) == fee_day_by_day(debt, terms, payments, on)


@thorough
@given(st.builds(Debt, PRINCIPALS, DAYS), TERMS, PAYMENTS, DAYS)
def test_a_payment_never_makes_a_fee_larger_and_time_never_smaller(
    debt: Debt, terms: LateFeeTerms, payments: list[Payment], on: date
) -> None:
    fee = fee_owed(debt, terms, payments, on=on)
    assert fee <= fee_owed(debt, terms, payments[1:], on=on)
    assert fee <= fee_owed(debt, terms, payments, on=on + timedelta(days=30))


@thorough
@given(st.lists(st.builds(Debt, PRINCIPALS, DAYS), max_size=5), PAYMENTS)
def test_payments_are_used_up_on_the_oldest_debts(
    debts: list[Debt], payments: list[Payment]
) -> None:
    paid = [sum(part.amount for part in parts) for parts in oldest_first(debts, payments)]
    owed = sum(debt.principal for debt in debts)
    assert sum(paid) == min(owed, sum(payment.amount for payment in payments))
    by_age = sorted(range(len(debts)), key=lambda index: debts[index].due_on)
    is_open = [paid[index] < debts[index].principal for index in by_age]
    first_open = is_open.index(True) if True in is_open else len(is_open)
    assert not any(paid[index] for index in by_age[first_open + 1 :])
