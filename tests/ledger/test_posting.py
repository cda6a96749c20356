"""Posting, reversing, holding and releasing, as the services promise it."""

from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.models import Account, AccountType, Hold, HoldRelease, JournalEntry, LedgerEntry
from ledger.money import InvalidAmount
from ledger.refusals import InsufficientFunds, InvalidInput, NotFound, Refusal
from ledger.rows import rows_of
from ledger.services import posting as services
from ledger.services.posting import (
    AlreadyReversed,
    HoldNotOpen,
    Line,
    ReferenceReused,
    Unbalanced,
    post,
    post_many,
    release,
    reverse,
)
from tests.ledger.factories import (
    DAY,
    UserFactory,
    book,
    credit,
    debit,
    give,
    keep,
    move,
    open_account,
    posting,
    transfer,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cash() -> Account:
    return open_account(balance="100.00", minimum="0")


@pytest.fixture
def bank(cash: Account) -> Account:
    return open_account(cash.company)


@pytest.fixture
def sales(cash: Account) -> Account:
    return open_account(cash.company, type=AccountType.INCOME)


def balances(*accounts: Account) -> list[Decimal]:
    return [Account.objects.get(pk=account.pk).balance for account in accounts]


# --- post ---------------------------------------------------------------------------------------------


def test_a_posting_moves_money_between_accounts(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00")
    assert balances(cash, bank) == [70, 30]


def test_an_income_account_grows_by_credits(cash: Account, sales: Account) -> None:
    move(sales, cash, "30.00")
    assert balances(cash, sales) == [130, 30]


def test_a_journal_entry_keeps_what_it_was_told(cash: Account, bank: Account) -> None:
    person = UserFactory.create()
    wanted = transfer(cash, bank, "1.00", description="Tea", posted_by_id=person.pk)
    entry = JournalEntry.objects.get(pk=book(wanted))
    assert (entry.reference, entry.description) == (wanted.reference, "Tea")
    assert (entry.company, entry.effective_on, entry.posted_by) == (cash.company, DAY, person)


def test_a_posting_may_have_many_lines(cash: Account, bank: Account, sales: Account) -> None:
    lines = debit(cash, "6.00"), debit(bank, "4.00"), credit(sales, "10.00")
    book(posting(cash, *lines))
    assert balances(cash, bank, sales) == [106, 4, 10]


def test_a_posting_may_touch_one_account_twice(cash: Account, bank: Account) -> None:
    lines = debit(bank, "1.00"), debit(bank, "2.00"), credit(cash, "3.00")
    entry = book(posting(cash, *lines))
    after = LedgerEntry.objects.filter(journal_entry=entry, account=bank).order_by("sequence")
    assert [line.balance_after for line in after] == [1, 3]


def test_a_posting_may_balance_in_two_currencies(cash: Account, bank: Account) -> None:
    dollars = open_account(cash.company, currency="USD")
    exchange = open_account(cash.company, currency="USD")
    give(cash, "30.00")
    lines = debit(bank, "130.00"), credit(cash, "130.00"), debit(dollars, "1.00")
    book(posting(cash, *lines, credit(exchange, "1.00")))
    assert balances(bank, dollars, exchange) == [130, 1, -1]


def test_posting_the_same_reference_again_returns_the_first(cash: Account, bank: Account) -> None:
    first = book(transfer(cash, bank, "30.00", reference="r"))
    assert book(transfer(cash, bank, "30.00", reference="r")) == first
    assert balances(cash, bank) == [70, 30]


def test_the_same_reference_may_come_with_other_words_and_date(
    cash: Account, bank: Account
) -> None:
    first = book(transfer(cash, bank, "30.00", reference="r"))
    again = transfer(cash, bank, "30.00", reference="r", description="Retried next day")
    assert book(again) == first


def test_the_same_lines_in_another_order_are_the_same(cash: Account, bank: Account) -> None:
    wanted = transfer(cash, bank, "30.00", reference="r")
    assert book(wanted) == book(replace(wanted, lines=wanted.lines[::-1]))


@pytest.mark.parametrize("change", ["amount", "account", "direction", "reversal"])
def test_a_reference_stands_for_one_content(
    cash: Account, bank: Account, sales: Account, change: str
) -> None:
    first = move(cash, bank, "30.00", reference="r")
    other = {
        "amount": transfer(cash, bank, "31.00", reference="r"),
        "account": transfer(cash, sales, "30.00", reference="r"),
        "direction": transfer(bank, cash, "30.00", reference="r"),
        "reversal": transfer(cash, bank, "30.00", reference="r", reversal_of_id=first),
    }[change]
    with pytest.raises(ReferenceReused):
        book(other)
    assert balances(cash, bank) == [70, 30]


def test_a_reference_of_another_company_is_taken(cash: Account, bank: Account) -> None:
    move(cash, bank, "30.00", reference="r")
    theirs = open_account(balance="100.00")
    with pytest.raises(ReferenceReused):
        move(theirs, open_account(theirs.company), "30.00", reference="r")


def test_a_refusal_does_not_use_the_reference_up(cash: Account, bank: Account) -> None:
    with pytest.raises(InsufficientFunds):
        move(cash, bank, "100.01", reference="r")
    move(cash, bank, "99.00", reference="r")
    assert balances(bank) == [99]


@pytest.mark.django_db(transaction=True)
def test_posting_needs_a_transaction() -> None:
    account = open_account()
    with pytest.raises(RuntimeError, match="inside a command's transaction"):
        post(transfer(account, account, "1.00"))


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


# --- post_many ----------------------------------------------------------------------------------------


def test_many_postings_return_their_ids_in_order(cash: Account, bank: Account) -> None:
    wanted = [transfer(cash, bank, "1.00", reference=f"r{n}") for n in (3, 1, 2)]
    with transaction.atomic():
        ids = post_many(wanted)
    kept = dict(JournalEntry.objects.values_list("reference", "pk"))
    assert ids == [kept["r3"], kept["r1"], kept["r2"]]


def test_many_postings_are_numbered_in_the_order_given(cash: Account, bank: Account) -> None:
    with transaction.atomic():
        ids = post_many([transfer(cash, bank, f"{n}.00", reference=f"r{9 - n}") for n in (1, 2, 3)])
    lines = LedgerEntry.objects.filter(account=bank).order_by("sequence")
    assert [line.journal_entry_id for line in lines] == ids
    assert [line.balance_after for line in lines] == [1, 3, 6]


def test_many_postings_are_posted_all_or_none(cash: Account, bank: Account) -> None:
    with pytest.raises(InsufficientFunds), transaction.atomic():
        post_many([transfer(cash, bank, "60.00"), transfer(cash, bank, "60.00")])
    assert balances(cash, bank) == [100, 0]


def test_the_minimum_is_weighed_when_all_are_in(cash: Account, bank: Account) -> None:
    give(bank, "50.00")
    with transaction.atomic():
        post_many([transfer(cash, bank, "120.00"), transfer(bank, cash, "30.00")])
    assert balances(cash) == [10]


def test_many_postings_take_one_statement(
    cash: Account, bank: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Mock(wraps=rows_of)
    monkeypatch.setattr("ledger.services.posting.rows_of", call)
    wanted = [transfer(cash, bank, "0.01") for _ in range(500)]
    with transaction.atomic(), CaptureQueriesContext(connection) as others:
        post_many(wanted)
    assert (call.call_count, len(others)) == (1, 0)


def test_a_reference_given_twice_in_one_batch_is_posted_once(cash: Account, bank: Account) -> None:
    same = transfer(cash, bank, "1.00", reference="r")
    with transaction.atomic():
        first, second = post_many([same, replace(same, description="again")])
    assert first == second
    assert balances(bank) == [1]
    assert JournalEntry.objects.get(pk=first).description == "A test"


def test_a_reference_with_two_contents_in_one_batch_is_refused(
    cash: Account, bank: Account
) -> None:
    wanted = [transfer(cash, bank, amount, reference="r") for amount in ("1.00", "2.00")]
    with pytest.raises(ReferenceReused), transaction.atomic():
        post_many(wanted)


def test_a_batch_may_mix_known_and_new_references(cash: Account, bank: Account) -> None:
    known = transfer(cash, bank, "1.00", reference="known")
    first = book(known)
    with transaction.atomic():
        ids = post_many([transfer(cash, bank, "2.00"), known, transfer(cash, bank, "4.00")])
    assert ids[1] == first
    assert balances(bank) == [7]


def test_no_postings_are_no_work(cash: Account) -> None:
    with transaction.atomic():
        assert post_many([]) == []


# --- reverse ------------------------------------------------------------------------------------------


def undo(entry: UUID, reference: str = "undo") -> UUID:
    with transaction.atomic():
        return reverse(
            journal_entry_id=entry, reference=reference, description="A mistake", effective_on=DAY
        )


def test_a_reversal_takes_the_money_back(cash: Account, bank: Account) -> None:
    undo(move(cash, bank, "30.00"))
    assert balances(cash, bank) == [100, 0]


def test_a_reversal_points_at_what_it_reverses(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    reversal = JournalEntry.objects.get(pk=undo(entry))
    assert reversal.reversal_of_id == entry
    assert reversal.description == "A mistake"


def test_a_reversal_is_asked_for_twice_and_made_once(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    assert undo(entry) == undo(entry)
    assert balances(cash) == [100]


def test_a_second_reversal_is_refused(cash: Account, bank: Account) -> None:
    entry = move(cash, bank, "30.00")
    undo(entry)
    with pytest.raises(AlreadyReversed):
        undo(entry, reference="undo again")


def test_a_reversal_may_be_reversed(cash: Account, bank: Account) -> None:
    undo(undo(move(cash, bank, "30.00")), reference="redo")
    assert balances(cash, bank) == [70, 30]


def test_a_reversal_that_the_account_cannot_bear_is_refused(cash: Account, bank: Account) -> None:
    entry = move(bank, cash, "30.00")
    move(cash, bank, "120.00")
    with pytest.raises(InsufficientFunds):
        undo(entry)


def test_an_unknown_entry_cannot_be_reversed(cash: Account) -> None:
    with pytest.raises(NotFound):
        undo(cash.pk)


# --- hold and release ---------------------------------------------------------------------------------


def test_a_hold_lowers_what_is_available_and_no_balance(cash: Account) -> None:
    keep(cash, "30.00")
    assert (cash.balance, cash.held, cash.available) == (Decimal(100), Decimal(30), Decimal(70))


def test_holds_add_up(cash: Account) -> None:
    keep(cash, "30.00")
    keep(cash, "70.00")
    assert cash.available == 0


def test_the_same_hold_twice_holds_once(cash: Account) -> None:
    keep(cash, "30.00", "h")
    keep(cash, "30.00", "h")
    assert cash.held == 30


@pytest.mark.parametrize("amount", ["31.00", "29.99"])
def test_a_holds_reference_stands_for_one_amount(cash: Account, amount: str) -> None:
    keep(cash, "30.00", "h")
    with pytest.raises(ReferenceReused):
        keep(cash, amount, "h")


def test_a_holds_reference_stands_for_one_account(cash: Account, bank: Account) -> None:
    keep(cash, "30.00", "h")
    with pytest.raises(ReferenceReused):
        keep(bank, "30.00", "h")


def let_go(reference: str) -> None:
    with transaction.atomic():
        release(reference=reference)


def test_a_release_makes_the_money_available_again(cash: Account) -> None:
    let_go(keep(cash, "30.00"))
    assert Account.objects.get(pk=cash.pk).held == 0


def test_a_second_release_does_nothing(cash: Account) -> None:
    reference = keep(cash, "30.00")
    keep(cash, "20.00")
    let_go(reference)
    let_go(reference)
    assert Account.objects.get(pk=cash.pk).held == 20


def test_an_ended_hold_is_not_promised_again(cash: Account) -> None:
    let_go(keep(cash, "30.00", "h"))
    with pytest.raises(HoldNotOpen):
        keep(cash, "30.00", "h")


def test_an_unknown_hold_cannot_be_released() -> None:
    with pytest.raises(NotFound):
        let_go("nothing")


def test_an_unknown_account_cannot_be_held() -> None:
    with pytest.raises(InvalidInput):
        services.hold(account_id=UserFactory.create().pk, amount=Decimal(1), reference="h")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "amount_not_positive"),
        ("-1", "amount_not_positive"),
        ("NaN", "amount_not_positive"),
        ("0.00001", "amount_precision"),
        ("1e30", "amount_too_large"),
    ],
)
def test_an_amount_that_is_none_cannot_be_held(bank: Account, amount: str, code: str) -> None:
    with pytest.raises(InvalidAmount) as caught:
        keep(bank, amount)
    assert caught.value.code == code
    assert not Hold.objects.exists()


def test_a_posting_ends_the_hold_that_was_kept_for_it(cash: Account, bank: Account) -> None:
    reference = keep(cash, "100.00")
    move(cash, bank, "100.00", releases=reference)
    assert (cash.balance, cash.held) == (Decimal(0), Decimal(0))
    assert HoldRelease.objects.get().hold.reference == reference


def test_a_posting_may_take_less_than_was_held(cash: Account, bank: Account) -> None:
    move(cash, bank, "60.00", releases=keep(cash, "100.00"))
    assert (cash.balance, cash.available) == (Decimal(40), Decimal(40))


def test_a_posting_cannot_end_a_hold_twice(cash: Account, bank: Account) -> None:
    reference = keep(cash, "10.00")
    move(cash, bank, "10.00", releases=reference)
    with pytest.raises(HoldNotOpen):
        move(cash, bank, "10.00", releases=reference)
    assert balances(bank) == [10]


def test_a_posting_retried_after_its_hold_has_ended_returns_the_first(
    cash: Account, bank: Account
) -> None:
    wanted = transfer(cash, bank, "10.00", releases=keep(cash, "10.00"))
    assert book(wanted) == book(wanted)


@pytest.mark.parametrize("reference", ["unknown", "elsewhere"])
def test_a_posting_cannot_end_a_hold_that_is_not_its_own(
    cash: Account, bank: Account, reference: str
) -> None:
    keep(open_account(cash.company, balance="5.00"), "5.00", "elsewhere")
    with pytest.raises(HoldNotOpen):
        move(cash, bank, "10.00", releases=reference)


def test_two_postings_of_a_batch_cannot_share_a_hold(cash: Account, bank: Account) -> None:
    reference = keep(cash, "10.00")
    wanted = [transfer(cash, bank, "5.00", releases=reference) for _ in range(2)]
    with pytest.raises(HoldNotOpen), transaction.atomic():
        post_many(wanted)
