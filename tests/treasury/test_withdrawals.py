"""What waits for a bank file can be taken back, and a file asks the bank to pay on a day of business."""

from datetime import date, time, timedelta

import pytest

from ledger.models import AuditEvent
from ledger.refusals import IllegalTransition, RoleRequired
from tests.scene import assert_books_hold
from tests.treasury.bank import Bank, state
from tests.treasury.conftest import World
from tests.treasury.desk import refused_by
from tests.treasury.factories import DAY, PHONE, acting, make_provider, today
from treasury.models import PaymentAttempt, PaymentRules
from treasury.services.bank_files import NothingWaits
from treasury.services.calendars import add_holiday
from treasury.services.execution import execute_payment
from treasury.services.payments import cancel_payment, create_payment

FRIDAY, MONDAY = date(2026, 3, 6), date(2026, 3, 9)


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


def test_what_waits_is_withdrawn_and_its_hold_ends(bank: Bank) -> None:
    world, payment = bank.world, bank.waiting(1000)
    assert world.account().held == 1000
    with pytest.raises(RoleRequired):
        cancel_payment(actor=acting(world.approver), payment_id=payment.pk)
    cancel_payment(actor=acting(world.second_treasurer), payment_id=payment.pk)
    attempt = PaymentAttempt.objects.get(payment=payment)
    assert state(attempt) == ("failed", "cancelled")
    payment.refresh_from_db()
    assert (payment.retry_count, payment.retry_at, payment.spent_on) == (0, None, None)
    assert (world.account().held, world.account().balance) == (0, 100_000)
    with pytest.raises(NothingWaits):
        bank.file()
    event = AuditEvent.objects.exclude(outcome="refused").get(action="payment.cancel")
    assert (event.actor, (event.after or {})["last_error"]) == (
        world.second_treasurer,
        "withdrawn before it was in a file",
    )
    again = create_payment(actor=acting(world.treasurer), requisition_id=payment.requisition_id)
    assert bank.again(again).status == "executing"
    assert_books_hold()


def test_what_is_in_a_file_or_on_its_way_is_not(bank: Bank) -> None:
    _, (attempt,) = bank.sent(500)
    make_provider(bank.world.company)
    sending = bank.world.payment(method="mpesa", destination=PHONE)
    treasurer = acting(bank.world.treasurer)
    execute_payment(actor=treasurer, payment_id=sending.pk, today=today)
    for payment_id in (attempt.payment_id, sending.pk):
        with pytest.raises(IllegalTransition):
            cancel_payment(actor=treasurer, payment_id=payment_id)


def test_what_was_withdrawn_is_never_put_in_a_file(bank: Bank) -> None:
    payment = bank.waiting(1000)
    cancel_payment(actor=acting(bank.world.treasurer), payment_id=payment.pk)
    other, _ = bank.sent(200)
    refused_by(
        "does not wait for a file",
        "INSERT INTO treasury_bankfileline (file_id, attempt_id, number, provider_id, currency)"
        " SELECT %s, attempt_id, 2, provider_id, currency FROM treasury_paymentattempt"
        " WHERE payment_id = %s",
        other.pk,
        payment.pk,
    )


def pays_on(bank: Bank, wanted: date | None) -> date:
    bank.waiting(100)
    return bank.file(execute_on=wanted).execute_on


def test_a_file_asks_for_a_day_on_which_the_company_pays(bank: Bank) -> None:
    assert pays_on(bank, None) == DAY
    assert pays_on(bank, FRIDAY + timedelta(days=1)) == MONDAY
    add_holiday(
        actor=acting(bank.world.cfo), company_id=bank.world.company.pk, on=MONDAY, name="A day off"
    )
    assert pays_on(bank, FRIDAY + timedelta(days=1)) == MONDAY + timedelta(days=1)


def test_after_the_cut_off_it_is_the_next_day(bank: Bank) -> None:
    PaymentRules.objects.update_or_create(
        company=bank.world.company, defaults={"cut_off": time(0, 0), "roll": "previous"}
    )
    assert pays_on(bank, None) == pays_on(bank, DAY) == DAY + timedelta(days=1)
    assert pays_on(bank, FRIDAY) == FRIDAY
