"""What a gateway answers counts where it was asked for, and what comes late pays nothing twice."""

from decimal import Decimal

import pytest

from ledger.refusals import IllegalTransition
from tests.conftest import SentTasks
from tests.treasury.conftest import World
from tests.treasury.factories import acting, today
from tests.treasury.gateway import SYSTEM, Gateway, outcome, payment_result
from tests.treasury.sending import Send, ask, fresh, hint
from treasury.models import Callback, Enquiry, Incident, Payment, PaymentAttempt
from treasury.readiness import RetryLimit
from treasury.services.callbacks import record_callback
from treasury.services.dispatching import dispatch_attempt
from treasury.services.execution import execute_payment
from treasury.services.payments import (
    LateSuccess,
    cancel_payment,
    create_payment,
    retry_payment,
)
from treasury.services.requisitions import cancel_requisition, edit_requisition


def test_an_answer_in_another_conversation_does_not_count(send: Send, gateway: Gateway) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt, conversation="AG_OTHER")
    assert fresh(attempt).payment.status == "executing"
    assert Enquiry.objects.get(attempt=attempt).applied_at is not None


def test_an_address_is_good_for_one_answer(send: Send, gateway: Gateway) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt, "Pending")
    gateway.answer(attempt, "Completed")
    assert fresh(attempt).payment.status == "executing"
    assert Callback.objects.filter(attempt=attempt, enquiry__isnull=False).count() == 2


def test_of_two_answers_at_one_address_the_first_counts(send: Send, gateway: Gateway) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.post_answer(attempt, "Pending")
    gateway.answer(attempt, "Completed")
    assert fresh(attempt).payment.status == "executing"


def test_another_answer_at_a_used_address_is_reason_to_ask_again(
    send: Send, gateway: Gateway
) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt, "Pending")
    assert ask(attempt) is False
    gateway.post_answer(attempt, "Completed")
    assert ask(attempt) is True


def test_a_gateway_that_says_yes_and_no_goes_before_people(
    world: World, send: Send, gateway: Gateway
) -> None:
    attempt = send()
    hint(attempt, "0", "Done")
    hint(attempt, "2040", "The recipient is not registered")
    assert Incident.objects.get(attempt=attempt).kind == "contradiction"
    ask(attempt)
    gateway.answer(attempt)
    assert fresh(attempt).payment.status == "success"
    assert Incident.objects.count() == 1


def test_a_callback_alone_moves_nothing_and_a_forged_one_not_even_a_question(
    send: Send, gateway: Gateway
) -> None:
    attempt = send()
    body = payment_result(attempt, "0", "Done")
    record_callback(actor=SYSTEM, attempt_id=attempt.pk, token="f" * 64, body=body)
    assert ask(attempt) is False
    assert Callback.objects.get(attempt=attempt).trusted is False
    hint(attempt)
    hint(attempt)
    assert Callback.objects.filter(attempt=attempt, trusted=True).count() == 1
    assert fresh(attempt).payment.status == "executing"


def test_a_success_after_the_failure_stands_in_suspense_and_blocks_the_retry(
    world: World, send: Send, gateway: Gateway, payment: Payment
) -> None:
    attempt = send(outcome("failed_final", "400.002.02", "Bad Request"))
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt)
    assert fresh(attempt).payment.status == "failed"
    kinds = Incident.objects.filter(payment=payment).values_list("kind", flat=True)
    assert set(kinds) == {"contradiction", "late_success"}
    suspense = type(world.account()).objects.get(pk=world.fund.suspense_account_id)
    assert (suspense.balance, world.account().balance) == (Decimal(500), Decimal(100_000))
    for again in (retry_payment, cancel_payment):
        with pytest.raises(LateSuccess):
            again(actor=acting(world.treasurer), payment_id=payment.pk)


def test_a_requester_cannot_give_back_what_a_late_success_paid(
    world: World, send: Send, gateway: Gateway, payment: Payment
) -> None:
    attempt = send(outcome("failed_final", "400.002.02", "Bad Request"))
    retry_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt)
    requester, requisition = acting(world.requester), payment.requisition_id
    with pytest.raises(LateSuccess):
        edit_requisition(actor=requester, requisition_id=requisition, purpose="Again")
    with pytest.raises(LateSuccess):
        cancel_requisition(actor=requester, requisition_id=requisition)


def test_what_a_late_success_paid_after_the_cancellation_is_not_paid_again(
    world: World, send: Send, gateway: Gateway, payment: Payment
) -> None:
    attempt = send(outcome("failed_final", "400.002.02", "Bad Request"))
    treasurer = acting(world.treasurer)
    cancel_payment(actor=treasurer, payment_id=payment.pk)
    another = create_payment(actor=treasurer, requisition_id=payment.requisition_id)
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt)
    kinds = Incident.objects.filter(payment=payment).values_list("kind", flat=True)
    assert set(kinds) == {"contradiction", "late_success"}
    with pytest.raises(LateSuccess):
        execute_payment(actor=treasurer, payment_id=another.pk, today=today)
    assert world.account().held == 0


def test_a_retry_is_another_attempt_with_another_reference(
    world: World, send: Send, payment: Payment, gateway: Gateway
) -> None:
    refused = outcome("failed_final", "400.002.02", "Bad Request")
    send(refused)
    retry_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    send(refused)
    assert len({call["reference"] for call in gateway.sent}) == 2
    retry_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    send(refused)
    with pytest.raises(RetryLimit):
        retry_payment(actor=acting(world.treasurer), payment_id=payment.pk)
    payment.refresh_from_db()
    assert (payment.status, payment.retry_count) == ("failed", 3)


def test_an_unknown_payment_is_not_executed_again(
    world: World, send: Send, gateway: Gateway, payment: Payment
) -> None:
    send(outcome("unknown", "ReadTimeout"))
    with pytest.raises(IllegalTransition):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert world.account().held == 500


def test_an_executing_payment_is_not_executed_again(
    world: World, send: Send, payment: Payment
) -> None:
    send()
    with pytest.raises(IllegalTransition):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)


def test_what_was_altered_after_it_was_reserved_is_not_sent(
    world: World, payment: Payment, gateway: Gateway, sent_tasks: SentTasks
) -> None:
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    Payment.objects.filter(pk=payment.pk).update(destination="+254799999999")
    attempt = PaymentAttempt.objects.get(payment=payment)
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
    assert gateway.sent == []
    assert fresh(attempt).payment.status == "review"
