"""A provider that does not answer: bounded calls, nothing lost, nothing twice, and it closes by itself."""

from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from config.signs import signs
from ledger.clock import database_now, today
from payments.models import Provider
from payments.services.breaker import FIRST_REST, LONGEST_REST, OPENS_AFTER, rest_after
from tests.treasury import factories
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting
from tests.treasury.gateway import SYSTEM, Gateway, outcome
from treasury.models import Payment, PaymentAttempt
from treasury.services.dispatching import dispatch_waiting
from treasury.services.execution import ProviderUnavailable, execute_payment

WAITING = 12


@pytest.fixture
def desk(db: None) -> Desk:
    desk = make_desk()
    factories.make_provider(desk.company)
    return desk


def executing(desk: Desk) -> Payment:
    payment = desk.pending(amount="10", method="mpesa", destination="0712345678")
    return execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)


def a_pass() -> int:
    return dispatch_waiting(actor=SYSTEM, today=today)


def let_time_pass() -> None:
    """The provider's rest and every attempt's pause are over."""
    Provider.objects.update(rests_until=None)
    PaymentAttempt.objects.update(next_query_at=None)


def test_the_rest_grows_to_a_bound() -> None:
    rests = [rest_after(OPENS_AFTER + more) for more in range(12)]
    assert rests[:2] == [FIRST_REST, 2 * FIRST_REST]
    assert max(rests) == LONGEST_REST < timedelta(hours=1)


def test_a_provider_that_is_down_is_called_a_few_times_and_loses_nobody(
    desk: Desk, gateway: Gateway
) -> None:
    payments = [executing(desk) for _ in range(WAITING)]
    gateway.replies = [outcome("retryable") for _ in range(1000)]
    for _ in range(5):
        a_pass()
    assert len(gateway.sent) == OPENS_AFTER
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        executing(desk)
    let_time_pass()
    a_pass()  # the probe
    assert len(gateway.sent) == OPENS_AFTER + 1
    let_time_pass()
    gateway.replies.clear()
    a_pass()
    assert Provider.objects.get().unanswered == 0
    states = Payment.objects.filter(pk__in=[payment.pk for payment in payments])
    assert set(states.values_list("status", flat=True)) == {"executing"}
    accepted = PaymentAttempt.objects.filter(state="accepted")
    assert accepted.count() == WAITING == PaymentAttempt.objects.count()


def test_an_answer_in_between_begins_the_count_anew(desk: Desk, gateway: Gateway) -> None:
    for _ in range(WAITING // 2):
        executing(desk)
    gateway.replies = [outcome("retryable")] * 4 + [outcome("failed_final"), outcome("retryable")]
    a_pass()
    assert Provider.objects.get().unanswered == 1
    assert Provider.objects.get().rests_until is None


def test_its_opening_is_mailed_once(
    desk: Desk,
    gateway: Gateway,
    settings: Settings,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.BURSAR_ALERT_MAIL = ["operator@example.com"]
    for _ in range(OPENS_AFTER + 1):
        executing(desk)
    gateway.replies = [outcome("retryable") for _ in range(100)]
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            a_pass()
        let_time_pass()
    assert len(gateway.sent) == OPENS_AFTER + 1
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (
        ["operator@example.com"],
        "Bursar: a provider does not answer",
    )
    assert str(Provider.objects.get()) in mail.body


def test_whoever_looks_sees_that_it_does_not_answer(desk: Desk, client: Client) -> None:
    until = database_now() + FIRST_REST
    Provider.objects.update(unanswered=OPENS_AFTER, rests_until=until)
    desk.cfo.is_staff = True
    desk.cfo.save()
    client.force_login(desk.cfo)
    said = "Does not answer: 5 calls in a row, tried again from"
    assert said in client.get("/treasury/").content.decode()
    assert "Does not answer" in client.get("/admin/payments/provider/").content.decode()
    [row] = client.get("/api/providers/").json()["results"]
    assert (row["unanswered"], row["rests_until"][:19]) == (5, until.isoformat()[:19])
    assert {sign.name: sign.well for sign in signs()}["resting_providers"] is False
