"""What a debt that is not paid in time costs."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from periods.fees import Debt, LateFeeTerms, Payment, fee_owed, oldest_first

DEBT = Debt(principal=100_000, due_on=date(2026, 5, 10))
FIXED = LateFeeTerms(grace_days=5, fixed_fee=1000)
INTEREST = LateFeeTerms(grace_days=5, yearly_percent=Decimal("36.5"))


def may(day: int) -> date:
    return date(2026, 5, day)


def test_nothing_is_owed_within_the_days_of_grace() -> None:
    assert fee_owed(DEBT, FIXED, on=may(15)) == 0
    assert fee_owed(DEBT, INTEREST, on=may(15)) == 0


def test_a_fixed_fee_is_owed_once_from_the_day_after_the_grace() -> None:
    assert fee_owed(DEBT, FIXED, on=may(16)) == 1000
    assert fee_owed(DEBT, FIXED, on=may(31)) == 1000


def test_a_payment_after_the_grace_does_not_undo_the_fixed_fee() -> None:
    assert fee_owed(DEBT, FIXED, [Payment(may(16), 100_000)], on=may(20)) == 1000


def test_a_payment_dated_back_into_the_grace_takes_the_fee_back() -> None:
    charged = fee_owed(DEBT, FIXED, on=may(16))
    owed = fee_owed(DEBT, FIXED, [Payment(may(14), 100_000)], on=may(16))
    assert owed - charged == -1000


def test_the_last_day_of_grace_is_still_in_time() -> None:
    assert fee_owed(DEBT, FIXED, [Payment(may(15), 100_000)], on=may(31)) == 0


def test_interest_runs_for_each_day_after_the_grace() -> None:
    """1,000.00 at 36.5 % is 1.00 a day."""
    assert fee_owed(DEBT, INTEREST, on=may(16)) == 100
    assert fee_owed(DEBT, INTEREST, on=may(25)) == 1000


def test_interest_is_only_on_what_is_still_owed() -> None:
    """Four days on 1,000.00, from the 20th on 400.00, from the 24th nothing."""
    payments = [Payment(may(24), 50_000), Payment(may(20), 60_000)]
    assert fee_owed(DEBT, INTEREST, payments, on=may(31)) == 400 + 4 * 40
    assert fee_owed(DEBT, INTEREST, payments, on=may(20)) == 400 + 40


def test_interest_is_never_on_interest() -> None:
    after_two_years = fee_owed(DEBT, INTEREST, on=date(2028, 5, 14))
    assert after_two_years == 730 * 100


def test_interest_is_rounded_half_up_once_over_all_days() -> None:
    """0.50 at 36.5 % is 0.0005 a day: half a cent after ten days."""
    small = Debt(principal=50, due_on=may(1))
    terms = LateFeeTerms(yearly_percent=Decimal("36.5"))
    assert [fee_owed(small, terms, on=may(day)) for day in (10, 11)] == [0, 1]


def test_the_law_bounds_the_percentage_and_the_cap_bounds_the_fee() -> None:
    lawful = LateFeeTerms(yearly_percent=Decimal(73), legal_yearly_percent=Decimal("36.5"))
    capped = LateFeeTerms(fixed_fee=500, yearly_percent=Decimal("36.5"), cap=750)
    assert fee_owed(DEBT, lawful, on=may(20)) == 1000
    assert fee_owed(DEBT, capped, on=may(12)) == 700
    assert fee_owed(DEBT, capped, on=may(31)) == 750


def test_without_terms_being_late_costs_nothing() -> None:
    assert fee_owed(DEBT, LateFeeTerms(), on=date(2030, 1, 1)) == 0


@pytest.mark.parametrize(
    "terms",
    [
        {"grace_days": -1},
        {"fixed_fee": -1},
        {"yearly_percent": Decimal("-0.1")},
        {"legal_yearly_percent": Decimal(-1)},
        {"cap": -1},
    ],
)
def test_terms_are_zero_or_more(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        LateFeeTerms(**terms)


def test_payments_pay_the_oldest_debt_first() -> None:
    debts = [Debt(300, may(20)), Debt(200, may(10))]
    payments = [Payment(may(12), 250), Payment(may(9), 100)]
    assert oldest_first(debts, payments) == [
        [Payment(may(12), 150)],
        [Payment(may(9), 100), Payment(may(12), 100)],
    ]


def test_what_is_paid_too_much_pays_no_debt() -> None:
    assert oldest_first([Debt(100, may(10))], [Payment(may(9), 250)]) == [[Payment(may(9), 100)]]
