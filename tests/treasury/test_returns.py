"""Money that came back, and money that left although it had failed: two people end it, nobody alone."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError

from ledger.models import Account, JournalEntry, User
from ledger.refusals import (
    IllegalTransition,
    InsufficientFunds,
    InvalidInput,
    RoleRequired,
    SegregationOfDuties,
)
from ledger.roles import Role
from tests.scene import assert_books_hold
from tests.treasury.bank import Bank, row, state
from tests.treasury.conftest import World
from tests.treasury.factories import acting, person, today
from tests.treasury.test_laws import refused, sql
from treasury.awaiting import (
    payments_awaiting,
)
from treasury.models import LateSuccess, Payment, PaymentAttempt, Requisition, Reversal
from treasury.selectors import (
    paid_amount,
)
from treasury.services.execution import execute_payment
from treasury.services.late_successes import NoLateSuccess, clear_late_success
from treasury.services.payments import (
    LateSuccess as LateSuccessRefusal,
)
from treasury.services.payments import (
    cancel_payment,
    create_payment,
    retry_payment,
)
from treasury.services.requisitions import edit_requisition
from treasury.services.resolution import ResolutionDiffers
from treasury.services.reversals import VariancePending, reverse_payment
from treasury.services.variances import approve_variance, record_variance


@pytest.fixture
def paid(world: World) -> Payment:
    payment = world.payment(amount=Decimal(400))
    return execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def back(user: User, payment: Payment, evidence: str = "Statement line 12") -> Payment:
    return reverse_payment(
        actor=acting(user), payment_id=payment.pk, evidence=evidence, today=today
    )


# --- Money that came back -------------------------------------------------------------------------------


def test_one_proposes_and_a_cfo_confirms(world: World, paid: Payment) -> None:
    assert back(world.second_treasurer, paid).status == "success"
    assert world.account().balance == 99_600
    assert back(world.cfo, paid, "Slip 0937").status == "reversed"
    assert world.account().balance == 100_000
    reversal = Reversal.objects.get()
    assert (reversal.proposed_by, reversal.confirmed_by) == (world.second_treasurer, world.cfo)
    assert_books_hold()


def test_its_amount_may_be_paid_again_under_the_same_approval(world: World, paid: Payment) -> None:
    back(world.second_treasurer, paid)
    back(world.cfo, paid)
    requisition = Requisition.objects.get(pk=paid.requisition_id)
    assert (requisition.status, requisition.committed) == ("approved", 0)
    again = create_payment(actor=acting(world.treasurer), requisition_id=requisition.pk)
    execute_payment(actor=acting(world.treasurer), payment_id=again.pk, today=today)
    assert Requisition.objects.get(pk=paid.requisition_id).status == "paid"


def test_after_a_return_the_requester_may_name_another_account(world: World, paid: Payment) -> None:
    back(world.second_treasurer, paid)
    back(world.cfo, paid)
    world.requester.memberships.update(role=Role.REQUESTER)
    edited = edit_requisition(
        actor=acting(world.requester), requisition_id=paid.requisition_id, destination="Counter 2"
    )
    assert (edited.status, edited.version) == ("submitted", 2)


def test_variances_are_taken_back_with_it(world: World, paid: Payment) -> None:
    variance = record_variance(
        actor=acting(world.treasurer),
        payment_id=paid.pk,
        original_amount="400",
        adjusted_amount="450",
        reason="Levy",
    )
    with pytest.raises(VariancePending):
        back(world.second_treasurer, paid)
    approve_variance(actor=acting(world.cfo), variance_id=variance.pk, today=today)
    back(world.second_treasurer, paid)
    back(person(world.company, Role.CFO), paid)
    assert world.account().balance == 100_000
    assert paid_amount(paid) == 450  # what was booked stays; its mirror image stands beside it
    assert_books_hold()


def test_nobody_takes_both_parts(world: World, paid: Payment) -> None:
    back(world.cfo, paid)
    with pytest.raises(SegregationOfDuties):
        back(world.cfo, paid)
    with pytest.raises(RoleRequired):
        back(world.second_treasurer, paid)
    assert Payment.objects.get(pk=paid.pk).status == "success"


def test_neither_requester_nor_executor_confirms(world: World) -> None:
    world.treasurer = person(world.company, Role.TREASURER, Role.CFO)
    world.requester = person(world.company, Role.REQUESTER, Role.CFO)
    payment = world.payment(amount=Decimal(400))
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    with pytest.raises(SegregationOfDuties):
        back(world.requester, payment)
    back(world.cfo, payment)
    for user in (world.treasurer, world.requester):
        with pytest.raises(SegregationOfDuties):
            back(user, payment)


def test_who_may_confirm_finds_it_waiting(world: World, paid: Payment) -> None:
    assert paid not in payments_awaiting(world.cfo)
    back(world.second_treasurer, paid)
    assert paid in payments_awaiting(world.cfo)
    back(world.cfo, paid)
    assert paid not in payments_awaiting(world.cfo)


def test_only_what_was_paid_comes_back_and_evidence_is_asked_for(
    world: World, paid: Payment
) -> None:
    with pytest.raises(IllegalTransition):
        back(world.cfo, world.payment(amount=Decimal(5)))
    with pytest.raises(InvalidInput):
        back(world.cfo, paid, " ")
    for user in (world.requester, world.approver):
        with pytest.raises(RoleRequired):
            back(user, paid)


# --- Success after failure ------------------------------------------------------------------------------


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


@pytest.fixture
def late(bank: Bank) -> PaymentAttempt:
    """A payment of 250 that failed, and then turns out to have been paid."""
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    bank.says(file, row(attempt, "ACSC", bank_reference="KCB9"))
    return attempt


def clear(user: User, attempt: PaymentAttempt, outcome: str, **details: Any) -> Payment:
    wanted = {"evidence": "Statement of 20 November"} | details
    return clear_late_success(
        actor=acting(user), payment_id=attempt.payment_id, outcome=outcome, today=today, **wanted
    )


def balance(world: World, name: str) -> Decimal:
    return Account.objects.get(pk=getattr(world.fund, f"{name}_id")).balance


def test_recognised_it_is_paid_and_nothing_is_in_suspense(
    world: World, late: PaymentAttempt
) -> None:
    assert balance(world, "suspense_account") == 250
    clear(world.second_treasurer, late, "recognised")
    assert state(late) == ("failed", "failed")
    assert clear(world.cfo, late, "recognised").status == "success"
    assert balance(world, "suspense_account") == balance(world, "clearing_account") == 0
    assert (world.account().balance, world.account().held) == (99_750, 0)
    assert balance(world, "spending_account") == 250
    payment = Payment.objects.get(pk=late.payment_id)
    assert payment.execution.executor == world.treasurer
    assert "KCB9" in payment.execution.gateway_status
    assert payment.requisition.status == "paid"
    with pytest.raises(NoLateSuccess):
        clear(world.cfo, late, "returned")
    assert_books_hold()


def test_returned_the_fund_never_paid_and_it_may_be_tried_again(
    world: World, late: PaymentAttempt
) -> None:
    treasurer = acting(world.treasurer)
    with pytest.raises(LateSuccessRefusal):
        retry_payment(actor=treasurer, payment_id=late.payment_id)
    clear(world.second_treasurer, late, "returned")
    with pytest.raises(LateSuccessRefusal):
        retry_payment(actor=treasurer, payment_id=late.payment_id)
    clear(world.cfo, late, "returned")
    assert balance(world, "suspense_account") == balance(world, "clearing_account") == 0
    assert world.account().balance == 100_000
    retry_payment(actor=treasurer, payment_id=late.payment_id)
    execute_payment(actor=treasurer, payment_id=late.payment_id, today=today)
    assert Payment.objects.get(pk=late.payment_id).status == "executing"
    assert_books_hold()


def test_a_payment_that_was_tried_again_becomes_paid_without_leaving_twice(bank: Bank) -> None:
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    retry_payment(actor=acting(bank.world.treasurer), payment_id=attempt.payment_id)
    bank.says(file, row(attempt, "ACSC"))
    clear(bank.world.second_treasurer, attempt, "recognised")
    assert clear(bank.world.cfo, attempt, "recognised").status == "success"
    assert bank.world.account().balance == 99_750


def test_what_was_paid_twice_is_booked_twice(bank: Bank) -> None:
    """The second attempt paid; then the bank says that the first one had paid too."""
    world = bank.world
    file, (first,) = bank.sent(250)
    bank.says(file, row(first, "RJCT", "AC04"))
    retry_payment(actor=acting(world.treasurer), payment_id=first.payment_id)
    bank.again(Payment.objects.get(pk=first.payment_id))
    second = PaymentAttempt.objects.get(payment=first.payment_id, number=2)
    bank.says(bank.file(), row(second, "ACSC"))
    bank.says(file, row(first, "ACSC"))
    clear(world.second_treasurer, first, "recognised")
    assert clear(world.cfo, first, "recognised").status == "success"
    assert world.account().balance == 99_500
    assert balance(world, "spending_account") == 500
    assert balance(world, "suspense_account") == 0
    assert_books_hold()


def test_a_cancelled_payment_stays_cancelled_and_is_not_paid_again(bank: Bank) -> None:
    world = bank.world
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    treasurer = acting(world.treasurer)
    cancel_payment(actor=treasurer, payment_id=attempt.payment_id)
    bank.says(file, row(attempt, "ACSC"))
    clear(world.second_treasurer, attempt, "recognised")
    assert clear(world.cfo, attempt, "recognised").status == "cancelled"
    assert world.account().balance == 99_750
    requisition_id = Payment.objects.get(pk=attempt.payment_id).requisition_id
    again = create_payment(actor=treasurer, requisition_id=requisition_id)
    with pytest.raises(LateSuccessRefusal):
        execute_payment(actor=treasurer, payment_id=again.pk, today=today)


def test_a_returned_cancelled_payment_leaves_its_requisition_to_be_paid(bank: Bank) -> None:
    world = bank.world
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    treasurer = acting(world.treasurer)
    cancel_payment(actor=treasurer, payment_id=attempt.payment_id)
    bank.says(file, row(attempt, "ACSC"))
    for user in (world.second_treasurer, world.cfo):
        clear(user, attempt, "returned")
    requisition_id = Payment.objects.get(pk=attempt.payment_id).requisition_id
    again = create_payment(actor=treasurer, requisition_id=requisition_id)
    execute_payment(actor=treasurer, payment_id=again.pk, today=today)
    assert Payment.objects.get(pk=again.pk).status == "executing"


def test_both_must_agree_and_the_proposer_may_think_again(
    world: World, late: PaymentAttempt
) -> None:
    clear(world.second_treasurer, late, "recognised")
    with pytest.raises(ResolutionDiffers):
        clear(world.cfo, late, "returned")
    with pytest.raises(SegregationOfDuties):
        clear(world.second_treasurer, late, "recognised")
    clear(world.second_treasurer, late, "returned")
    assert clear(world.cfo, late, "returned").status == "failed"
    assert LateSuccess.objects.filter(withdrawn_at=None).count() == 1


def test_its_executor_proposes_and_does_not_confirm(world: World, late: PaymentAttempt) -> None:
    executor = world.treasurer
    executor.memberships.create(company=world.company, role=Role.CFO)
    clear(world.second_treasurer, late, "returned")
    with pytest.raises(SegregationOfDuties):
        clear(executor, late, "returned")
    with pytest.raises(RoleRequired):
        clear(world.approver, late, "returned")


def test_recognising_needs_the_money(world: World, bank: Bank, late: PaymentAttempt) -> None:
    rest = world.account().available
    emptied = world.payment(amount=rest)
    execute_payment(actor=acting(world.treasurer), payment_id=emptied.pk, today=today)
    clear(world.second_treasurer, late, "recognised")
    with pytest.raises(InsufficientFunds):
        clear(world.cfo, late, "recognised")
    assert state(late) == ("failed", "failed")
    assert balance(world, "suspense_account") == 250


def test_what_nobody_was_told_about_is_not_cleared(world: World, paid: Payment) -> None:
    with pytest.raises(NoLateSuccess):
        clear_late_success(
            actor=acting(world.cfo),
            payment_id=paid.pk,
            outcome="returned",
            evidence="None",
            today=today,
        )


# --- The laws -------------------------------------------------------------------------------------------


def test_nothing_is_reversed_or_succeeds_late_without_two_people(
    paid: Payment, late: PaymentAttempt
) -> None:
    change = "UPDATE treasury_payment SET status = %s WHERE payment_id = %s"
    refused("treasury_payment_by_two", lambda: sql(change, "reversed", paid.pk))
    refused("treasury_payment", lambda: sql(change, "success", late.payment_id))


def test_a_paid_requisition_is_not_reopened_for_nothing(paid: Payment) -> None:
    change = "UPDATE treasury_requisition SET status = 'approved' WHERE requisition_id = %s"
    refused("treasury_requisition_reopened", lambda: sql(change, paid.requisition_id))


CONFIRM = "UPDATE treasury_reversal SET confirmed_by_id = %s, confirmed_at = now()"


def test_nobody_confirms_alone_by_sql(world: World, paid: Payment) -> None:
    back(world.cfo, paid)
    refused("treasury_reversal_two", lambda: sql(CONFIRM, world.cfo.pk))
    refused("treasury_reversal_requester", lambda: sql(CONFIRM, world.requester.pk))
    refused("treasury_reversal_executor", lambda: sql(CONFIRM, world.treasurer.pk))
    refused(
        "treasury_reversal_whole", lambda: sql("UPDATE treasury_reversal SET confirmed_at = now()")
    )
    for column in ("requester_id", "executor_id", "proposed_by_id"):
        change = f"UPDATE treasury_reversal SET {column} = %s"
        refused("frozen_columns", partial(sql, change, world.approver.pk))


def test_the_copies_in_a_finding_are_tied(world: World, late: PaymentAttempt) -> None:
    clear(world.second_treasurer, late, "returned")
    for name, law in (("requester", "same_payment"), ("executor", "same_executor")):
        other = LateSuccess.objects.get()
        other.pk, other.withdrawn_at = None, other.proposed_at
        setattr(other, name, world.approver)
        refused(law, partial(other.save, force_insert=True))


def test_what_was_decided_stays_decided(world: World, late: PaymentAttempt) -> None:
    for user in (world.second_treasurer, world.cfo):
        clear(user, late, "returned")
    refused(
        "decided_once",
        lambda: sql("UPDATE treasury_latesuccess SET confirmed_by_id = %s", world.approver.pk),
    )
    assert JournalEntry.objects.filter(reference__endswith=":returned").count() == 1
    with pytest.raises(DatabaseError, match=r"refused|permission denied"):
        sql("DELETE FROM treasury_latesuccess")
