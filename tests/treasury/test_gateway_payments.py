"""Paying by M-Pesa: reserved, sent, and settled or released by what the gateway, asked, says."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid5

import pytest
from django.db.models.functions import Now

from ledger.models import JournalEntry
from ledger.refusals import InsufficientFunds
from payments.models import Provider
from tests.treasury.conftest import World
from tests.treasury.factories import PHONE, acting, make_fund, today
from tests.treasury.gateway import SYSTEM, Gateway, not_found, outcome
from tests.treasury.sending import Send, ask, fresh, hint, make_due
from treasury.models import Incident, Payment, PaymentAttempt
from treasury.services.dispatching import dispatch_attempt, dispatch_waiting
from treasury.services.enquiries import ask_about_due
from treasury.services.execution import ProviderUnavailable, execute_payment
from treasury.services.janitor import run_janitor


def test_execution_holds_the_money_and_leaves_the_call_to_a_worker(
    world: World, payment: Payment, gateway: Gateway
) -> None:
    executing = execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert executing.status == "executing"
    assert (world.account().balance, world.account().held) == (Decimal(100_000), Decimal(500))
    attempt = PaymentAttempt.objects.get(payment=payment)
    assert (attempt.state, attempt.reference) == ("sending", uuid5(payment.pk, "1"))
    assert gateway.sent == []


def test_without_a_usable_provider_nothing_is_held(
    world: World, payment: Payment, provider: Provider
) -> None:
    Provider.objects.filter(pk=provider.pk).update(stopped_at=Now(), stopped_reason="locked")
    with pytest.raises(ProviderUnavailable):
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    assert world.account().held == 0


def test_a_fund_without_money_holds_nothing(world: World, payment: Payment) -> None:
    world.fund = make_fund(world.company, balance=Decimal(499))
    poor = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    with pytest.raises(InsufficientFunds):
        execute_payment(actor=acting(world.treasurer), payment_id=poor.pk, today=today)
    assert not PaymentAttempt.objects.filter(payment=poor).exists()


def test_an_attempt_is_sent_once(send: Send, gateway: Gateway) -> None:
    attempt = send()
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
    assert dispatch_waiting(actor=SYSTEM, today=today) == 0
    assert len(gateway.sent) == 1
    assert gateway.sent[0]["reference"] == str(attempt.reference)
    assert (gateway.sent[0]["amount"], gateway.sent[0]["msisdn"]) == (Decimal(500), PHONE)


def test_accepted_stays_executing_and_a_hint_has_the_gateway_asked(
    send: Send, gateway: Gateway
) -> None:
    attempt = send()
    assert (attempt.state, attempt.payment.status) == ("accepted", "executing")
    assert ask(attempt) is False
    hint(attempt)
    assert ask(attempt) is True
    assert fresh(attempt).payment.status == "executing"


def test_the_answer_to_our_question_settles(world: World, send: Send, gateway: Gateway) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt)
    payment = fresh(attempt).payment
    assert (payment.status, fresh(attempt).state) == ("success", "succeeded")
    assert (world.account().balance, world.account().held) == (Decimal(99_500), Decimal(0))
    execution = payment.execution
    assert (execution.gateway_reference, execution.ip_address) == ("SG632NMUAB", "192.0.2.7")


def test_an_answer_that_comes_before_its_acknowledgement_settles_too(
    send: Send, gateway: Gateway
) -> None:
    attempt = send()
    hint(attempt)
    gateway.while_asked = lambda: gateway.post_answer(attempt)
    ask(attempt)
    assert fresh(attempt).payment.status == "success"


def test_a_definite_refusal_releases_and_counts(world: World, send: Send, gateway: Gateway) -> None:
    attempt = send(outcome("failed_final", "400.002.02", "Bad Request"))
    payment = attempt.payment
    assert (payment.status, payment.retry_count) == ("failed", 1)
    assert "Bad Request" in payment.last_error
    assert (world.account().balance, world.account().held) == (Decimal(100_000), Decimal(0))
    assert not JournalEntry.objects.filter(reference=payment.reference).exists()


def test_our_own_misconfiguration_stops_the_provider_and_burns_no_retry(
    send: Send, provider: Provider
) -> None:
    attempt = send(outcome("config", "2001", "The initiator information is invalid."))
    assert (attempt.payment.status, attempt.payment.retry_count) == ("failed", 0)
    provider.refresh_from_db()
    assert "2001" in provider.stopped_reason


def test_a_failure_whose_result_named_our_configuration_burns_no_retry(
    send: Send, gateway: Gateway, provider: Provider
) -> None:
    attempt = send()
    hint(attempt, "2001", "The initiator information is invalid.")
    ask(attempt)
    gateway.answer(attempt, "Failed")
    assert (fresh(attempt).payment.status, fresh(attempt).payment.retry_count) == ("failed", 0)
    provider.refresh_from_db()
    assert provider.stopped_at is not None


def test_what_was_certainly_not_taken_goes_out_again_with_the_same_reference(
    send: Send, gateway: Gateway
) -> None:
    attempt = send(outcome("retryable", "500.003.02", "Busy", retry_after_s=1))
    assert (attempt.state, attempt.payment.status) == ("sending", "executing")
    assert dispatch_waiting(actor=SYSTEM, today=today) == 0
    make_due(attempt)
    assert dispatch_waiting(actor=SYSTEM, today=today) == 1
    assert fresh(attempt).state == "accepted"
    assert len({call["reference"] for call in gateway.sent}) == 1


def test_an_unclear_call_is_unknown_and_asked_about_at_once(
    world: World, send: Send, gateway: Gateway
) -> None:
    attempt = send(outcome("unknown", "ReadTimeout", "The gateway did not answer."))
    assert (attempt.state, attempt.payment.status) == ("unknown", "unknown")
    assert (world.account().held, attempt.payment.retry_count) == (Decimal(500), 0)
    assert ask_about_due(actor=SYSTEM, today=today, most=5) == 1
    gateway.answer(attempt)
    assert fresh(attempt).payment.status == "success"


def test_what_the_gateway_does_not_know_goes_out_again_with_the_same_reference(
    send: Send, gateway: Gateway
) -> None:
    attempt = send(outcome("unknown", "ReadTimeout", "The gateway did not answer."))
    ask(attempt)
    gateway.answer(attempt, body=not_found("AG_Q1"))
    assert (fresh(attempt).state, fresh(attempt).payment.status) == ("sending", "executing")
    dispatch_waiting(actor=SYSTEM, today=today)
    assert [call["reference"] for call in gateway.sent] == [str(attempt.reference)] * 2


def test_to_a_gateway_that_would_pay_it_twice_nothing_goes_again(
    send: Send, gateway: Gateway, provider: Provider
) -> None:
    provider.deduplicates = False
    provider.save(update_fields=["deduplicates"])
    attempt = send(outcome("unknown", "ReadTimeout"))
    ask(attempt)
    gateway.answer(attempt, body=not_found("AG_Q1"))
    assert dispatch_waiting(actor=SYSTEM, today=today) == 0
    assert fresh(attempt).payment.status == "unknown"


def test_a_refusal_of_the_repetition_says_nothing_about_the_first_call(
    world: World, send: Send, gateway: Gateway
) -> None:
    attempt = send(
        outcome("unknown", "ReadTimeout"), outcome("failed_final", "400.002.02", "Bad Request")
    )
    ask(attempt)
    gateway.answer(attempt, body=not_found("AG_Q1"))
    dispatch_waiting(actor=SYSTEM, today=today)
    assert fresh(attempt).payment.status == "unknown"
    assert world.account().held == Decimal(500)


def test_what_was_accepted_is_never_sent_again(send: Send, gateway: Gateway) -> None:
    attempt = send()
    earlier = Now() - timedelta(minutes=6)
    PaymentAttempt.objects.filter(pk=attempt.pk).update(accepted_at=earlier)
    run_janitor(actor=SYSTEM, today=today)
    assert fresh(attempt).state == "unknown"
    gateway.answer(attempt, body=not_found("AG_Q1"))
    assert dispatch_waiting(actor=SYSTEM, today=today) == 0
    assert (fresh(attempt).payment.status, len(gateway.sent)) == ("unknown", 1)


@pytest.mark.parametrize(
    "changes", [{"amount": Decimal(501)}, {"reference": "6a6b5f5e-0000-0000-0000-000000000000"}]
)
def test_another_amount_or_reference_goes_before_people(
    world: World, send: Send, gateway: Gateway, changes: dict[str, Any]
) -> None:
    attempt = send()
    hint(attempt)
    ask(attempt)
    gateway.answer(attempt, **changes)
    assert fresh(attempt).payment.status == "review"
    assert world.account().held == Decimal(500)
    assert Incident.objects.get(attempt=attempt).kind == "mismatch"
