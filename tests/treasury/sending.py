"""A payment by M-Pesa that a worker sends, and what the gateway says of it."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db.models.functions import Now

from payments.models import Provider
from tests.conftest import SentTasks
from tests.treasury.factories import PHONE, acting, make_provider, today
from tests.treasury.gateway import SYSTEM, Gateway, payment_result
from tests.treasury.world import World
from treasury.addresses import attempt_token
from treasury.models import Payment, PaymentAttempt
from treasury.services.callbacks import record_callback
from treasury.services.dispatching import dispatch_attempt
from treasury.services.enquiries import ask_about
from treasury.services.execution import execute_payment


@pytest.fixture
def provider(world: World) -> Provider:
    return make_provider(world.company)


@pytest.fixture
def payment(world: World, provider: Provider) -> Payment:
    return world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)


Send = Callable[..., PaymentAttempt]


@pytest.fixture
def send(world: World, payment: Payment, gateway: Gateway, sent_tasks: SentTasks) -> Send:
    """Execute the payment and let a worker send it; returns the attempt afterwards."""

    def execute_and_send(*replies: object) -> PaymentAttempt:
        gateway.replies.extend(replies)  # type: ignore[arg-type]
        execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
        attempt = PaymentAttempt.objects.filter(payment=payment).latest("number")
        dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
        return fresh(attempt)

    return execute_and_send


def fresh(attempt: PaymentAttempt) -> PaymentAttempt:
    return PaymentAttempt.objects.select_related("payment").get(pk=attempt.pk)


def make_due(attempt: PaymentAttempt) -> None:
    PaymentAttempt.objects.filter(pk=attempt.pk).update(next_query_at=Now())


def hint(attempt: PaymentAttempt, code: str = "0", description: str = "Done") -> None:
    body = payment_result(attempt, code, description)
    token = attempt_token(attempt.pk)
    record_callback(actor=SYSTEM, attempt_id=attempt.pk, token=token, body=body)


def ask(attempt: PaymentAttempt) -> bool:
    return ask_about(actor=SYSTEM, attempt_id=attempt.pk, today=today)
