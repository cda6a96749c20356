"""What a floor above has treasury pay: raised once, debited where it says, withdrawn while nothing moved."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from ledger import audit
from ledger.models import Account, AccountType, JournalEntry, User
from ledger.refusals import (
    IllegalTransition,
    InvalidInput,
    RoleRequired,
    SegregationOfDuties,
)
from ledger.roles import Role
from ledger.services.accounts import open_account
from tests.scene import assert_books_hold
from tests.treasury import factories
from tests.treasury.bank import PAYEE, Bank, attempt_of, row
from tests.treasury.conftest import World
from tests.treasury.factories import acting, approve, make_company, make_fund, person, today
from tests.treasury.test_laws import refused, sql
from treasury.effects import effect_of
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.selectors import (
    fund_lines_seen_by,
    requisition_raised_for,
    requisitions_raised_for,
)
from treasury.services.execution import execute_payment
from treasury.services.late_successes import clear_late_success
from treasury.services.payments import cancel_payment, create_payment
from treasury.services.raising import raise_requisition, withdraw_raised
from treasury.services.requisition_content import Content
from treasury.services.requisitions import (
    FollowsSource,
    PaymentStarted,
    approve_requisition,
    cancel_requisition,
    edit_requisition,
    reject_requisition,
)
from treasury.services.resolution import resolve_payment
from treasury.services.reversals import reverse_payment
from treasury.services.settlement import Proof, settle_many
from treasury.services.variances import approve_variance, record_variance
from treasury.worklist.queue import find

SOURCE = "tests.expense:1"


@pytest.fixture
def clearing(world: World) -> Account:
    """What stands between the fund and whoever recorded that something is owed."""
    return open_clearing(world.fund)


def open_clearing(fund: TreasuryFund, **details: Any) -> Account:
    wanted: dict[str, Any] = {
        "company_id": fund.company_id,
        "code": f"c-{uuid4().hex}",
        "name": "Paid by treasury",
        "type": AccountType.LIABILITY,
        "currency": fund.currency,
    }
    return open_account(**(wanted | details))


@pytest.fixture
def recorder(world: World) -> User:
    return person(world.company, Role.RECONCILER)


Raise = Callable[..., Requisition]


@pytest.fixture
def raised(world: World, clearing: Account, recorder: User) -> Raise:
    """Raise a requisition that debits the clearing account."""

    def raise_it(source: str = SOURCE, **details: Any) -> Requisition:
        wanted: dict[str, Any] = {
            "amount": "400.00",
            "currency": None,
            "purpose": "Roof",
            "payee_name": "Amina Roofs",
            "method": "cash",
            "destination": "Front desk",
        }
        with transaction.atomic():
            return raise_requisition(
                actor=acting(recorder),
                fund=world.fund,
                content=Content(**(wanted | details)),
                source=source,
                debit_account_id=clearing.pk,
            )

    return raise_it


def pending(world: World, requisition: Requisition) -> Payment:
    approve(requisition, world.approver)
    return create_payment(actor=acting(world.treasurer), requisition_id=requisition.pk)


def pay(world: World, requisition: Requisition) -> Payment:
    payment = pending(world, requisition)
    return execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def owed(account: Account) -> Decimal:
    """What was debited to the account more than credited."""
    return -Account.objects.get(pk=account.pk).balance


def untouched(world: World) -> bool:
    """Whether nothing stands on the fund's own spending and variance accounts."""
    ids = (world.fund.spending_account_id, world.fund.variance_account_id)
    return not any(Account.objects.filter(pk__in=ids).values_list("entry_count", flat=True))


# --- Raising and withdrawing ----------------------------------------------------------------------------


def test_raised_twice_the_first_is_returned(raised: Raise, recorder: User) -> None:
    first = raised()
    again = raised(amount="999.00")
    assert (again.pk, again.amount, again.requested_by) == (first.pk, 400, recorder)
    event = audit.history_of(first.reference).get()
    assert event.after
    assert event.after["source"] == SOURCE
    assert event.after["debit_account"] == str(first.debit_account_id)


def test_without_a_source_nothing_is_raised(raised: Raise) -> None:
    with pytest.raises(ValueError, match="for what"):
        raised("")


def test_what_is_asked_for_is_checked_as_ever(raised: Raise) -> None:
    with pytest.raises(InvalidInput):
        raised(amount="0")
    assert not Requisition.objects.exists()


def test_whoever_recorded_it_neither_approves_nor_executes(world: World, raised: Raise) -> None:
    requisition = raised()
    user = requisition.requested_by
    for role in (Role.APPROVER, Role.TREASURER):
        user.memberships.create(company=world.company, role=role)
    with pytest.raises(SegregationOfDuties):
        approve_requisition(actor=acting(user), requisition_id=requisition.pk)
    payment = pending(world, requisition)
    with pytest.raises(SegregationOfDuties):
        execute_payment(actor=acting(user), payment_id=payment.pk, today=today)


def test_withdrawn_or_rejected_it_may_be_raised_again(world: World, raised: Raise) -> None:
    first = raised()
    payment = pending(world, first)
    with transaction.atomic():
        gone = withdraw_raised(actor=acting(world.cfo), company_id=world.company.pk, source=SOURCE)
    assert gone
    assert gone.status == "cancelled"
    assert Payment.objects.get(pk=payment.pk).status == "cancelled"
    second = raised(amount="500.00")
    assert second.pk != first.pk
    reject_requisition(actor=acting(world.approver), requisition_id=second.pk, reason="No")
    assert requisition_raised_for(company_id=world.company.pk, source=SOURCE) is None
    latest = requisitions_raised_for(company_id=world.company.pk, sources=[SOURCE, ""])
    assert latest[SOURCE].pk == second.pk
    third = raised()
    latest = requisitions_raised_for(company_id=world.company.pk, sources=[SOURCE])
    assert latest[SOURCE].pk == third.pk


def test_where_nothing_is_raised_nothing_is_withdrawn(world: World) -> None:
    world.requisition()
    for source in (SOURCE, ""):
        with transaction.atomic():
            assert (
                withdraw_raised(actor=acting(world.cfo), company_id=world.company.pk, source=source)
                is None
            )


def test_once_a_payment_has_left_it_is_not_withdrawn(world: World, raised: Raise) -> None:
    set_aside = Bank(world)
    waiting = pending(world, raised("tests.expense:2", method="bank", destination=PAYEE))
    set_aside.again(waiting)
    pay(world, raised())
    for source, refusal in (("tests.expense:2", PaymentStarted), (SOURCE, IllegalTransition)):
        with pytest.raises(refusal), transaction.atomic():
            withdraw_raised(actor=acting(world.cfo), company_id=world.company.pk, source=source)


def test_its_recorder_changes_all_but_the_amount(world: World, raised: Raise) -> None:
    requisition = raised()
    recorder = acting(requisition.requested_by)
    edited = edit_requisition(
        actor=recorder, requisition_id=requisition.pk, destination="Counter 2", amount="400"
    )
    assert (edited.version, edited.destination, edited.amount) == (2, "Counter 2", 400)
    with pytest.raises(FollowsSource):
        edit_requisition(actor=recorder, requisition_id=requisition.pk, amount="401")
    other = person(world.company, Role.RECONCILER, Role.TREASURER, Role.REQUESTER)
    with pytest.raises(RoleRequired):
        edit_requisition(actor=acting(other), requisition_id=requisition.pk, destination="Mine")
    assert cancel_requisition(actor=recorder, requisition_id=requisition.pk).status == "cancelled"


def test_a_recorder_changes_no_ordinary_requisition_of_his(world: World) -> None:
    requisition = world.requisition()
    world.requester.memberships.update(role=Role.RECONCILER)
    with pytest.raises(RoleRequired):
        cancel_requisition(actor=acting(world.requester), requisition_id=requisition.pk)


# --- What its payments debit ----------------------------------------------------------------------------


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


# --- The laws -------------------------------------------------------------------------------------------


def test_what_it_debits_and_is_for_never_changes(
    world: World, raised: Raise, clearing: Account
) -> None:
    requisition, ordinary = raised(), world.requisition()
    other = open_clearing(world.fund)
    change = "UPDATE treasury_requisition SET {} WHERE requisition_id = %s"
    for what in (
        f"debit_account_id = '{other.pk}'",
        "debit_account_id = NULL",
        "source = 'tests.expense:9'",
        "source = '', debit_account_id = NULL",
    ):
        refused("frozen_columns", partial(sql, change.format(what), requisition.pk))
    late = f"debit_account_id = '{clearing.pk}', source = 'tests.expense:3'"
    refused("frozen_columns", lambda: sql(change.format(late), ordinary.pk))
    refused("follows_source", lambda: sql(change.format("amount = 1"), requisition.pk))


def forged(fund: TreasuryFund, requester: User, **details: Any) -> Requisition:
    wanted: dict[str, Any] = {
        "fund": fund,
        "company_id": fund.company_id,
        "amount": Decimal(5),
        "currency": fund.currency,
        "purpose": "x",
        "payee_name": "x",
        "method": "cash",
        "destination": "x",
        "requested_by": requester,
        "source": "tests.expense:7",
    }
    return Requisition(**(wanted | details))


def test_it_debits_no_account_of_another_company_or_currency(world: World) -> None:
    there = make_fund(make_company())
    law = "treasury_requisition_same_debit"
    for account in (open_clearing(there), open_clearing(world.fund, currency="USD")):
        attack = forged(world.fund, world.requester, debit_account=account)
        refused(law, partial(attack.save, force_insert=True))


def test_it_debits_no_account_of_a_fund(world: World, raised: Raise, clearing: Account) -> None:
    second = make_fund(world.company)
    for account in (world.fund.account, second.account, second.funding_account):
        attack = forged(world.fund, world.requester, debit_account=account)
        law = "treasury_requisition_debits_no_fund"
        refused(law, partial(attack.save, force_insert=True))
    raised()
    names = ("account", "spending", "funding", "variance", "suspense", "clearing")
    own = {
        f"{name}_account" if name != "account" else name: open_clearing(world.fund)
        for name in names
    }
    for name in own:
        grabs = TreasuryFund(
            name="Grabs", company=world.company, currency="KES", **(own | {name: clearing})
        )
        law = "treasury_fund_debited_by_none"
        refused(law, partial(grabs.save, force_insert=True))


def test_a_debit_account_has_a_source_and_a_source_one_requisition(
    world: World, raised: Raise, clearing: Account
) -> None:
    attack = forged(world.fund, world.requester, debit_account=clearing, source="")
    law = "treasury_requisition_debit_has_source"
    refused(law, lambda: attack.save(force_insert=True))
    raised()
    twice = forged(world.fund, world.requester, source=SOURCE)
    refused("treasury_requisition_source", lambda: twice.save(force_insert=True))
