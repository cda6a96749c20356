"""Holding money in an account, letting it go, and posting against the hold."""

from decimal import Decimal

import pytest
from django.db import transaction

from ledger.models import Account, Hold, HoldRelease
from ledger.money import InvalidAmount
from ledger.refusals import InvalidInput, NotFound
from ledger.services import posting as services
from ledger.services.posting import HoldNotOpen, ReferenceReused, post_many, release
from tests.ledger.factories import UserFactory, book, keep, move, open_account, transfer
from tests.ledger.posting.balances import balances

pytestmark = pytest.mark.django_db


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
