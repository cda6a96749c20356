"""What is paid for a floor above debits the account that it was raised with, whatever becomes of it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from ledger.models import Account, JournalEntry
from tests.scene import assert_books_hold
from tests.treasury import factories
from tests.treasury.bank import PAYEE, Bank, attempt_of, row
from tests.treasury.conftest import World
from tests.treasury.factories import acting, today
from tests.treasury.raising import SOURCE, Raise, owed, pay, pending, untouched
from tests.treasury.test_laws import sql
from treasury.effects import effect_of
from treasury.models import Payment, Requisition
from treasury.selectors import (
    fund_lines_seen_by,
)
from treasury.services.late_successes import clear_late_success
from treasury.services.payments import cancel_payment
from treasury.services.raising import withdraw_raised
from treasury.services.resolution import resolve_payment
from treasury.services.reversals import reverse_payment
from treasury.services.settlement import Proof, settle_many
from treasury.services.variances import approve_variance, record_variance
from treasury.worklist.queue import find


def test_cash_debits_what_it_was_raised_with(
    world: World, raised: Raise, clearing: Account
) -> None:
    payment = pay(world, raised())
    assert (owed(clearing), world.account().balance) == (400, 99_600)
    assert untouched(world)
    assert Requisition.objects.get(pk=payment.requisition_id).status == "paid"
    (line,) = fund_lines_seen_by(world.treasurer).filter(execution_id__isnull=False)
    assert (line.fund_id, line.entry_type, line.amount) == (world.fund.pk, "debit", 400)
    assert_books_hold()


def test_many_settled_in_one_go_debit_each_its_own(
    world: World, raised: Raise, clearing: Account
) -> None:
    ids = [
        pending(world, raised()).pk,
        pending(world, raised("tests.expense:2", amount="60.00")).pk,
        world.payment(amount=Decimal(7)).pk,
    ]
    rows = Payment.objects.select_related("fund__company", "requisition").order_by("pk")
    proof = Proof(world.treasurer.pk, None, "tests", None)
    with transaction.atomic():
        settle_many(
            list(rows.filter(pk__in=ids)),
            proof=proof,
            on=factories.DAY,
            actor=acting(world.treasurer),
        )
    spent = Account.objects.get(pk=world.fund.spending_account_id).balance
    assert (owed(clearing), spent) == (460, 7)
    assert_books_hold()


@pytest.mark.parametrize(("adjusted", "left"), [("450", 450), ("380", 380), ("0", 0)])
def test_a_variance_is_settled_where_the_payment_was(
    world: World, raised: Raise, clearing: Account, adjusted: str, left: int
) -> None:
    payment = pay(world, raised())
    variance = record_variance(
        actor=acting(world.second_treasurer),
        payment_id=payment.pk,
        original_amount="400",
        adjusted_amount=adjusted,
        reason="The receipt says otherwise",
    )
    item = find(world.cfo, "variance", variance.pk)
    assert item
    assert clearing.name in [line.account for line in effect_of(item).lines]
    approve_variance(actor=acting(world.cfo), variance_id=variance.pk, today=today)
    assert (owed(clearing), world.account().balance) == (left, 100_000 - left)
    assert untouched(world)
    assert_books_hold()


def test_money_that_comes_back_is_taken_off_the_same_account(
    world: World, raised: Raise, clearing: Account
) -> None:
    payment = pay(world, raised())
    for user in (world.second_treasurer, world.cfo):
        reverse_payment(
            actor=acting(user), payment_id=payment.pk, evidence="Statement", today=today
        )
    assert (owed(clearing), world.account().balance) == (0, 100_000)
    assert untouched(world)
    with transaction.atomic():
        gone = withdraw_raised(actor=acting(world.cfo), company_id=world.company.pk, source=SOURCE)
    assert gone
    assert gone.status == "cancelled"
    assert_books_hold()


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


def sent(bank: Bank, requisition: Requisition) -> tuple[Any, Any]:
    """A file with the payment of the requisition, and its attempt."""
    payment = bank.again(pending(bank.world, requisition))
    return bank.file(), attempt_of(payment)


def test_a_bank_that_pays_or_does_not(bank: Bank, raised: Raise, clearing: Account) -> None:
    file, attempt = sent(bank, raised(method="bank", destination=PAYEE))
    bank.says(file, row(attempt, "ACSC"))
    other, refused_one = sent(bank, raised("tests.expense:2", method="bank", destination=PAYEE))
    bank.says(other, row(refused_one, "RJCT", "AC04"))
    assert owed(clearing) == 400
    assert (bank.world.account().balance, bank.world.account().held) == (99_600, 0)
    assert untouched(bank.world)
    assert_books_hold()


def test_a_review_that_ends_as_paid(bank: Bank, raised: Raise, clearing: Account) -> None:
    world = bank.world
    _, attempt = sent(bank, raised(method="bank", destination=PAYEE))
    for table, column, key in (
        ("treasury_paymentattempt", "state", "attempt_id"),
        ("treasury_payment", "status", "payment_id"),
    ):
        change = f"UPDATE {table} SET {column} = 'review' WHERE {key} = %s"
        sql(change, getattr(attempt, key))
    item = find(world.cfo, "review", attempt.payment_id)
    assert item
    assert clearing.name in [line.account for line in effect_of(item).lines]
    for user in (world.second_treasurer, world.cfo):
        resolve_payment(
            actor=acting(user),
            payment_id=attempt.payment_id,
            outcome="paid",
            evidence="Statement",
            today=today,
        )
    assert (owed(clearing), untouched(world)) == (400, True)
    assert_books_hold()


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize(("outcome", "left"), [("recognised", 400), ("returned", 0)])
def test_a_success_after_failure(
    bank: Bank,
    raised: Raise,
    clearing: Account,
    outcome: str,
    left: int,
    cancelled: bool,
) -> None:
    world = bank.world
    file, attempt = sent(bank, raised(method="bank", destination=PAYEE))
    bank.says(file, row(attempt, "RJCT", "AC04"))
    if cancelled:
        cancel_payment(actor=acting(world.treasurer), payment_id=attempt.payment_id)
    bank.says(file, row(attempt, "ACSC"))
    assert owed(clearing) == 0
    for user in (world.second_treasurer, world.cfo):
        clear_late_success(
            actor=acting(user),
            payment_id=attempt.payment_id,
            outcome=outcome,
            evidence="Statement",
            today=today,
        )
    assert (owed(clearing), world.account().balance) == (left, 100_000 - left)
    assert untouched(world)
    assert_books_hold()


def test_whoever_approves_sees_what_it_debits(
    world: World, raised: Raise, clearing: Account
) -> None:
    item = find(world.approver, "requisition", raised().pk)
    assert item
    assert [line.account for line in effect_of(item).lines] == [clearing.name, world.fund.name]


def test_nothing_else_of_the_books_moves(world: World, raised: Raise) -> None:
    before = JournalEntry.objects.count()
    pay(world, raised())
    assert JournalEntry.objects.count() == before + 1
