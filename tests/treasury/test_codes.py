"""Sending a code, and looking at what comes back."""

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db.models import F

from ledger.models import AuditEvent, User
from ledger.refusals import (
    Conflict,
    InvalidInput,
    RoleRequired,
    SegregationOfDuties,
    TooManyRequests,
)
from ledger.roles import Role
from tests.treasury.conftest import SendCode, World
from tests.treasury.factories import PHONE, acting, make_provider, person, today
from treasury.models import FailedTries, OneTimeCode, Payment
from treasury.readiness import CodeRequired
from treasury.services.codes import (
    InvalidCode,
    NotTheExecutor,
    is_otp_expired,
    send_otp,
    verify_otp,
)
from treasury.services.execution import execute_payment
from treasury.services.payments import cancel_payment, edit_payment


@pytest.fixture
def payment(world: World) -> Payment:
    return world.payment(amount=Decimal(5000))


def give(payment: Payment, user: User, code: str) -> Payment:
    return verify_otp(actor=acting(user), payment_id=payment.pk, otp=code)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def pass_time(**delta: float) -> None:
    """Let the codes grow older, by the clock that counts."""
    OneTimeCode.objects.update(expires_at=F("expires_at") - timedelta(**delta))


def test_a_code_shows_what_it_is_for_and_makes_its_reader_the_executor(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    send_code(payment, world.treasurer)
    message = mail.outbox[-1]
    assert message.to == [world.treasurer.email]
    assert "KES 5,000.00 to Amina Traders" in message.body
    payment.refresh_from_db()
    assert (payment.executor, payment.otp_verified) == (world.treasurer, False)
    assert payment.otp_sent_timestamp is not None


def test_the_right_code_verifies_and_execution_consumes_it(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    verified = give(payment, world.treasurer, send_code(payment, world.treasurer))
    assert verified.otp_verified
    paid = execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert paid.status == "success"
    code = OneTimeCode.objects.get(payment=payment)
    assert code.consumed_at is not None
    assert paid.execution.otp_verified_by == world.treasurer
    assert paid.execution.otp_verified_at == code.verified_at


def test_the_reservation_for_a_gateway_uses_the_code_up(world: World, send_code: SendCode) -> None:
    make_provider(world.company)
    payment = world.payment(amount=Decimal(5000), method="mpesa", destination=PHONE)
    give(payment, world.treasurer, send_code(payment, world.treasurer))
    sent = execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert sent.status == "executing"
    code = OneTimeCode.objects.get(payment=payment)
    assert code.consumed_at is not None
    assert sent.attempts.get().code == code


def test_a_code_for_what_is_paid_already_is_not_verified(world: World, send_code: SendCode) -> None:
    payment = world.payment(amount=Decimal(500))
    code = send_code(payment, world.treasurer)
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    with pytest.raises(InvalidCode):
        give(payment, world.treasurer, code)
    assert not Payment.objects.get(pk=payment.pk).otp_verified


def test_the_code_itself_is_nowhere(
    world: World, payment: Payment, send_code: SendCode, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        code = send_code(payment, world.treasurer)
    rows = OneTimeCode.objects.values_list()
    assert code not in str(list(rows))
    assert code not in str(list(AuditEvent.objects.values_list("before", "after", "detail")))
    assert code not in caplog.text


def test_wrong_expired_used_and_locked_are_refused_alike(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    code = send_code(payment, world.treasurer)
    refusals = []
    for _ in range(5):
        with pytest.raises(InvalidCode) as wrong:
            give(payment, world.treasurer, another(code))
        refusals.append(wrong.value)
    with pytest.raises(InvalidCode) as locked:
        give(payment, world.treasurer, code)
    refusals.append(locked.value)
    second = world.payment(amount=Decimal(5000))
    code = send_code(second, world.treasurer)
    give(second, world.treasurer, code)
    with pytest.raises(InvalidCode) as used:
        give(second, world.treasurer, code)
    refusals.append(used.value)
    third = world.payment(amount=Decimal(5000))
    code = send_code(third, world.treasurer)
    pass_time(seconds=299.999)
    with pytest.raises(InvalidCode) as expired:
        give(third, world.treasurer, code)
    refusals.append(expired.value)
    assert len({(r.code, r.detail, str(r.errors), r.status) for r in refusals}) == 1


def test_five_tries_are_looked_at_and_no_more(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    code = send_code(payment, world.treasurer)
    for _ in range(8):
        with pytest.raises(InvalidCode):
            give(payment, world.treasurer, another(code))
    assert OneTimeCode.objects.get(payment=payment).tries == 5


def test_a_right_fifth_try_counts(world: World, payment: Payment, send_code: SendCode) -> None:
    code = send_code(payment, world.treasurer)
    for _ in range(4):
        with pytest.raises(InvalidCode):
            give(payment, world.treasurer, another(code))
    assert give(payment, world.treasurer, code).otp_verified


def test_twenty_failed_tries_in_a_day_lock_a_person_everywhere(
    world: World, send_code: SendCode
) -> None:
    for _ in range(4):
        payment = world.payment(amount=Decimal(5000))
        code = send_code(payment, world.treasurer)
        for _ in range(5):
            with pytest.raises(InvalidCode):
                give(payment, world.treasurer, another(code))
    assert FailedTries.objects.get(user=world.treasurer).tries == 20
    payment = world.payment(amount=Decimal(5000))
    code = send_code(payment, world.treasurer)
    with pytest.raises(InvalidCode):
        give(payment, world.treasurer, code)
    assert OneTimeCode.objects.get(payment=payment).tries == 0


def test_a_right_code_is_no_failed_try(world: World, payment: Payment, send_code: SendCode) -> None:
    give(payment, world.treasurer, send_code(payment, world.treasurer))
    assert FailedTries.objects.get(user=world.treasurer).tries == 0


def test_only_the_executor_may_give_the_code_back_and_no_try_is_spent(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    code = send_code(payment, world.treasurer)
    with pytest.raises(NotTheExecutor):
        give(payment, world.second_treasurer, code)
    assert OneTimeCode.objects.get(payment=payment).tries == 0


@pytest.mark.parametrize("text", ["12345", "abcdef", "１２３４５６"])
def test_what_is_no_code_at_all_is_bad_input_and_spends_no_try(
    world: World, payment: Payment, send_code: SendCode, text: str
) -> None:
    send_code(payment, world.treasurer)
    with pytest.raises(InvalidInput) as refusal:
        give(payment, world.treasurer, text)
    assert list(refusal.value.errors) == ["otp"]
    assert OneTimeCode.objects.get(payment=payment).tries == 0


def test_again_within_a_minute_is_too_soon(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    send_code(payment, world.treasurer)
    with pytest.raises(TooManyRequests) as refusal:
        send_otp(actor=acting(world.treasurer), payment_id=payment.pk)
    assert refusal.value.retry_after
    assert 0 < refusal.value.retry_after <= 60


def test_another_treasurer_becomes_the_executor_and_the_old_code_dies(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    old = send_code(payment, world.treasurer)
    new = send_code(payment, world.second_treasurer)
    with pytest.raises(NotTheExecutor):
        give(payment, world.treasurer, old)
    if old != new:
        with pytest.raises(InvalidCode):
            give(payment, world.second_treasurer, old)
    assert give(payment, world.second_treasurer, new).executor == world.second_treasurer


def test_three_codes_an_hour_are_enough(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    for user in (world.treasurer, world.second_treasurer, world.treasurer):
        send_code(payment, user)
    with pytest.raises(TooManyRequests):
        send_otp(actor=acting(world.second_treasurer), payment_id=payment.pk)


def test_a_verification_ends_with_its_code(
    world: World, payment: Payment, verify: Callable[[Payment, User], None]
) -> None:
    verify(payment, world.treasurer)
    pass_time(seconds=299.999)
    with pytest.raises(CodeRequired):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def test_a_verification_is_the_executors_alone(
    world: World, payment: Payment, verify: Callable[[Payment, User], None]
) -> None:
    verify(payment, world.treasurer)
    with pytest.raises(CodeRequired):
        execute_payment(actor=acting(world.second_treasurer), payment_id=payment.pk, today=today)


def test_an_edit_kills_the_code_even_when_it_is_edited_back(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    code = send_code(payment, world.treasurer)
    for amount in (4000, 5000):
        edit_payment(actor=acting(world.treasurer), payment_id=payment.pk, amount=amount)
    with pytest.raises(NotTheExecutor):
        give(payment, world.treasurer, code)


@pytest.mark.parametrize(
    "change",
    [{"amount": Decimal(4999)}, {"version": 7}, {"method": "mpesa"}, {"destination": "Elsewhere"}],
)
def test_a_change_behind_our_back_kills_code_and_verification(
    world: World, payment: Payment, send_code: SendCode, change: dict[str, object]
) -> None:
    code = send_code(payment, world.treasurer)
    Payment.objects.filter(pk=payment.pk).update(**change)
    with pytest.raises(InvalidCode):
        give(payment, world.treasurer, code)


@pytest.mark.parametrize("change", [{"amount": Decimal(4999)}, {"version": 7}])
def test_a_change_after_the_verification_ends_it(
    world: World,
    payment: Payment,
    verify: Callable[[Payment, User], None],
    change: dict[str, object],
) -> None:
    verify(payment, world.treasurer)
    Payment.objects.filter(pk=payment.pk).update(**change)
    with pytest.raises(CodeRequired):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def test_no_code_goes_to_requester_approver_or_another_role(world: World) -> None:
    world.requester = person(world.company, Role.REQUESTER, Role.TREASURER)
    world.approver = person(world.company, Role.APPROVER, Role.TREASURER)
    payment = world.payment(amount=Decimal(5000))
    for user, refusal in (
        (world.requester, SegregationOfDuties),
        (world.approver, SegregationOfDuties),
        (world.cfo, RoleRequired),
    ):
        with pytest.raises(refusal):
            send_otp(actor=acting(user), payment_id=payment.pk)
    assert mail.outbox == []


def test_no_code_is_sent_for_what_is_not_pending(world: World, payment: Payment) -> None:
    cancel_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    with pytest.raises(Conflict):
        send_otp(actor=acting(world.treasurer), payment_id=payment.pk)


def test_no_code_goes_to_somebody_without_an_address(world: World, payment: Payment) -> None:
    nobody = person(world.company, Role.TREASURER, email="")
    with pytest.raises(Conflict) as refusal:
        send_otp(actor=acting(nobody), payment_id=payment.pk)
    assert refusal.value.code == "no_email_address"


def test_expiry_is_by_the_databases_clock(
    world: World, payment: Payment, send_code: SendCode
) -> None:
    assert is_otp_expired(payment)
    send_code(payment, world.treasurer)
    payment.refresh_from_db()
    assert not is_otp_expired(payment)
