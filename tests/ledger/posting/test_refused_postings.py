"""What is no posting is refused with its own code, and any text that fits is kept."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.models import Account, JournalEntry
from ledger.money import InvalidAmount
from ledger.refusals import InvalidInput, Refusal
from ledger.services.posting import Line, Unbalanced
from tests.ledger.factories import book, credit, debit, give, move, open_account, posting, transfer
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db


REFUSED = {
    "no lines": ([], Unbalanced, "unbalanced"),
    "one line": ([("debit", "1")], Unbalanced, "unbalanced"),
    "unbalanced": ([("debit", "1"), ("credit", "2")], Unbalanced, "unbalanced"),
    "one side": ([("debit", "1"), ("debit", "1")], Unbalanced, "unbalanced"),
    "no side": ([("left", "1"), ("credit", "1")], Unbalanced, "unbalanced"),
    "zero": ([("debit", "0"), ("credit", "0")], InvalidAmount, "amount_not_positive"),
    "negative": ([("debit", "-1"), ("credit", "-1")], InvalidAmount, "amount_not_positive"),
    "NaN": ([("debit", "NaN"), ("credit", "NaN")], InvalidAmount, "amount_not_positive"),
    "sNaN": ([("debit", "sNaN"), ("credit", "sNaN")], InvalidAmount, "amount_not_positive"),
    "infinite": ([("debit", "inf"), ("credit", "inf")], InvalidAmount, "amount_not_positive"),
    "too fine": ([("debit", "1.005"), ("credit", "1.005")], InvalidAmount, "amount_precision"),
    "too large": ([("debit", "1e20"), ("credit", "1e20")], InvalidAmount, "amount_too_large"),
    "huge": ([("debit", "1e99"), ("credit", "1e99")], InvalidAmount, "amount_too_large"),
}


@pytest.mark.parametrize(("lines", "refusal", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_booking_is_refused(
    cash: Account, bank: Account, lines: list[tuple[str, str]], refusal: type[Refusal], code: str
) -> None:
    accounts = (bank, cash)
    made = [
        Line(account.pk, side, Decimal(amount), "KES")
        for account, (side, amount) in zip(accounts, lines, strict=False)
    ]
    with pytest.raises(refusal) as caught:
        book(posting(cash, *made))
    assert (caught.value.status, caught.value.code) == (400, code)
    assert balances(bank) == [0]


def test_a_unit_finer_than_the_currencys_is_refused() -> None:
    francs = open_account(currency="RWF", balance="100")
    with pytest.raises(InvalidAmount) as caught:
        move(francs, open_account(francs.company, currency="RWF"), "0.5")
    assert caught.value.code == "amount_precision"


def test_a_line_in_another_currency_is_refused(cash: Account, bank: Account) -> None:
    lines = replace(debit(bank, "1"), currency="USD"), replace(credit(cash, "1"), currency="USD")
    with pytest.raises(InvalidInput) as caught:
        book(posting(cash, *lines))
    assert "currency" in caught.value.errors


def test_another_companys_account_is_refused(cash: Account) -> None:
    with pytest.raises(InvalidInput):
        book(transfer(cash, open_account(), "1.00"))


def test_an_unknown_account_is_refused(cash: Account) -> None:
    with pytest.raises(InvalidInput) as caught:
        book(transfer(cash, Account(company=cash.company, currency="KES"), "1.00"))
    assert "account" in caught.value.errors


def test_a_balance_that_no_column_holds_is_refused(bank: Account) -> None:
    give(bank, "99999999999999999999.99")
    with pytest.raises(InvalidAmount) as caught:
        give(bank, "99999999999999999999.99")
    assert caught.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "r" * 161}, "reference"),
        ({"reference": "r\0"}, "reference"),
        ({"description": "d" * 256}, "description"),
        ({"description": "d\0"}, "description"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(
    cash: Account, bank: Account, facts: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        move(cash, bank, "1.00", **facts)
    assert field in caught.value.errors


def test_the_longest_texts_fit(cash: Account, bank: Account) -> None:
    move(cash, bank, "1.00", reference="é" * 160, description="é" * 255)
    assert balances(bank) == [1]


@pytest.mark.parametrize("text", ["'); DROP TABLE ledger_account; --", "\\", "\x01", "𝟙", "a\nb"])
def test_any_text_is_kept_as_it_is(cash: Account, bank: Account, text: str) -> None:
    entry = move(cash, bank, "1.00", description=text, reference=text)
    kept = JournalEntry.objects.get(pk=entry)
    assert (kept.description, kept.reference) == (text, text)
