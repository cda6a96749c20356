"""What has left already is counted in the limits of a day, and refused by none of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.clock import today
from tests.scene import assert_books_hold
from tests.treasury.bank import PAYEE, Bank, row
from tests.treasury.conftest import World
from tests.treasury.desk import refused_by
from tests.treasury.factories import acting
from treasury.limits import VelocityLimit, barriers
from treasury.models import DailySpending, Payment, PaymentAttempt
from treasury.services.execution import execute_payment
from treasury.services.late_successes import clear_late_success
from treasury.services.limits import set_payment_rules, set_spending_limit
from treasury.services.payments import create_payment, edit_payment, retry_payment
from treasury.services.requisitions import approve_requisition, create_requisition


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


@pytest.fixture
def late(bank: Bank) -> PaymentAttempt:
    """An attempt that the bank first rejected and then settled."""
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    bank.says(file, row(attempt, "ACSC"))
    return attempt


def recognise(bank: Bank, attempt: PaymentAttempt) -> Payment:
    for user in (bank.world.second_treasurer, bank.world.cfo):
        payment = clear_late_success(
            actor=acting(user),
            payment_id=attempt.payment_id,
            outcome="recognised",
            evidence="Statement line 8",
            today=today,
        )
    return payment


def limit_fund(bank: Bank, most: int) -> None:
    set_spending_limit(
        actor=acting(bank.world.cfo),
        company_id=bank.world.company.pk,
        currency="KES",
        scope="fund",
        most_amount=most,
    )


def counted() -> list[tuple[int, Decimal]]:
    return list(DailySpending.objects.filter(scope="fund").values_list("payments", "amount"))


def test_a_late_success_beyond_the_limit_is_recognised_and_counted(
    bank: Bank, late: PaymentAttempt
) -> None:
    limit_fund(bank, 100)
    assert recognise(bank, late).status == "success"
    assert counted() == [(1, Decimal(250))]
    another = bank.world.payment(amount=Decimal(1))
    with pytest.raises(VelocityLimit):
        execute_payment(actor=acting(bank.world.treasurer), payment_id=another.pk, today=today)
    assert_books_hold()


def test_a_cooling_off_does_not_hide_what_was_paid_to_a_new_destination(bank: Bank) -> None:
    world = bank.world
    for account in ("KE/68000/9999999999", PAYEE):
        requisition = create_requisition(
            actor=acting(world.requester),
            fund_id=world.fund.pk,
            amount="250",
            purpose="Paper",
            payee_name="Amina Traders",
            method="bank",
            destination=account,
        )
        for user in (world.approver, world.cfo):
            approve_requisition(actor=acting(user), requisition_id=requisition.pk)
    payment = create_payment(actor=acting(world.treasurer), requisition_id=requisition.pk)
    bank.again(payment)
    file, attempt = bank.file(), payment.attempts.get()
    bank.says(file, row(attempt, "RJCT", "AC04"))
    bank.says(file, row(attempt, "ACSC"))
    set_payment_rules(actor=acting(world.cfo), company_id=world.company.pk, cooling_off_hours=24)
    assert barriers([payment], on=today(world.company))
    assert recognise(bank, attempt).status == "success"


def test_what_waits_for_another_day_is_recognised_today(bank: Bank) -> None:
    file, (attempt,) = bank.sent(250)
    bank.says(file, row(attempt, "RJCT", "AC04"))
    treasurer = acting(bank.world.treasurer)
    retry_payment(actor=treasurer, payment_id=attempt.payment_id)
    later = today(bank.world.company) + timedelta(days=9)
    edit_payment(actor=treasurer, payment_id=attempt.payment_id, scheduled_for=later)
    bank.says(file, row(attempt, "ACSC"))
    assert recognise(bank, attempt).status == "success"


def test_nobody_passes_a_limit_by_calling_it_recognised(bank: Bank, late: PaymentAttempt) -> None:
    limit_fund(bank, 100)
    refused_by(
        "beyond the limit of a day",
        "UPDATE treasury_payment SET status = 'success' WHERE payment_id = %s",
        late.payment_id,
    )
