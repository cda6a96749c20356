"""What a floor above has treasury pay: raised once, withdrawn while nothing moved, and never changed."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from ledger import audit
from ledger.models import Account, User
from ledger.refusals import (
    IllegalTransition,
    InvalidInput,
    RoleRequired,
    SegregationOfDuties,
)
from ledger.roles import Role
from tests.treasury.bank import PAYEE, Bank
from tests.treasury.conftest import World
from tests.treasury.factories import acting, make_company, make_fund, person, today
from tests.treasury.raising import SOURCE, Raise, open_clearing, pay, pending
from tests.treasury.test_laws import refused, sql
from treasury.models import Payment, Requisition, TreasuryFund
from treasury.selectors import (
    requisition_raised_for,
    requisitions_raised_for,
)
from treasury.services.execution import execute_payment
from treasury.services.raising import withdraw_raised
from treasury.services.requisitions import (
    FollowsSource,
    PaymentStarted,
    approve_requisition,
    cancel_requisition,
    edit_requisition,
    reject_requisition,
)

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
