"""What was refused for a cause that may pass is tried again: once, later, in the same name, never in doubt."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from ledger.clock import database_now
from ledger.models import AuditEvent, Membership
from payments.models import Provider
from tests.treasury.conftest import SendCode, World
from tests.treasury.desk import refused_by
from tests.treasury.factories import PHONE, acting, make_provider, set_code_limit, today
from tests.treasury.gateway import SYSTEM, Gateway, outcome, payment_result
from treasury import schedule
from treasury.addresses import attempt_token
from treasury.awaiting import (
    payments_awaiting,
)
from treasury.models import Payment, PaymentAttempt, SpendingLimit
from treasury.services import retries
from treasury.services.callbacks import record_callback
from treasury.services.codes import verify_otp
from treasury.services.dispatching import dispatch_attempt
from treasury.services.enquiries import ask_about
from treasury.services.execution import execute_payment
from treasury.services.payments import cancel_payment, retry_payment
from treasury.services.retries import MOST_TRIES, retry_due

SHORT: dict[str, Any] = {
    "code": "1",
    "message": "the Utility account is short of funds",
    "passes_after_s": 3600,
}


@pytest.fixture
def provider(world: World) -> Provider:
    return make_provider(world.company)


@pytest.fixture
def refused(world: World, provider: Provider, gateway: Gateway) -> Payment:
    """A payment that its gateway refused because our account there is short, just now."""
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    return sent(world, payment, gateway, outcome("failed_final", **SHORT))


def sent(world: World, payment: Payment, gateway: Gateway, *replies: Any) -> Payment:
    gateway.replies.extend(replies)
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    return dispatched(payment)


def dispatched(payment: Payment) -> Payment:
    attempt = payment.attempts.latest("number")
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)
    payment.refresh_from_db()
    return payment


def make_due(payment: Payment) -> None:
    """Let the time of the retry come, as the clock would."""
    payment.attempts.filter(passes_at__isnull=False).update(passes_at=database_now())
    Payment.objects.filter(pk=payment.pk).update(retry_at=database_now())


def sweep() -> int:
    return retry_due(actor=SYSTEM, today=today)


@pytest.mark.parametrize(
    ("failures", "least"), [(1, 15), (2, 60), (3, 240), (4, 960), (5, 1440), (400, 1440)]
)
def test_the_pause_grows_fourfold_to_a_day_and_jitter_only_lengthens(
    failures: int, least: int
) -> None:
    pauses = {schedule.retry_pause(failures) for _ in range(20)}
    assert len(pauses) > 1
    assert all(timedelta(minutes=least) <= one <= timedelta(minutes=least) * 1.25 for one in pauses)
    assert schedule.retry_pause(1, at_least=timedelta(hours=6)) >= timedelta(hours=6)


def test_a_refusal_that_may_pass_is_planned_as_a_row_and_not_tried_before_its_time(
    refused: Payment,
) -> None:
    assert (refused.status, refused.retry_count) == ("failed", 1)
    assert refused.retry_at is not None
    assert refused.retry_at > database_now() + timedelta(minutes=59)
    assert sweep() == 0
    assert refused.attempts.count() == 1


def test_it_is_tried_again_once_by_whoever_executed_it(
    world: World, refused: Payment, gateway: Gateway
) -> None:
    make_due(refused)
    assert [sweep(), sweep()] == [1, 0]
    refused.refresh_from_db()
    assert (refused.status, refused.executor, refused.retry_at) == (
        "executing",
        world.treasurer,
        None,
    )
    second = refused.attempts.latest("number")
    assert (second.number, second.automatic, second.user_agent) == (2, True, "automatic retry")
    assert world.account().held == Decimal(500)
    dispatched(refused)
    assert len(gateway.sent) == 2
    assert gateway.sent[0]["reference"] != gateway.sent[1]["reference"]


def test_it_stops_at_the_most_retries(world: World, refused: Payment, gateway: Gateway) -> None:
    for failures in (2, 3):
        make_due(refused)
        gateway.replies.append(outcome("failed_final", **SHORT))
        assert sweep() == 1
        assert dispatched(refused).retry_count == failures
    assert (refused.status, refused.retry_at) == ("failed", None)
    assert sweep() == 0


@pytest.mark.parametrize("found", ["failed_final", "config"])
def test_a_refusal_that_does_not_pass_is_left_to_people(
    world: World, provider: Provider, gateway: Gateway, found: str
) -> None:
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    sent(world, payment, gateway, outcome(found, code="2040"))
    assert (payment.status, payment.retry_at) == ("failed", None)


def test_doubt_is_never_tried_again(world: World, provider: Provider, gateway: Gateway) -> None:
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    sent(world, payment, gateway, outcome("unknown", passes_after_s=1))
    assert (payment.status, payment.retry_at) == ("unknown", None)
    refused_by(
        "treasury_payment_retry_failed",
        "UPDATE treasury_payment SET retry_at = ledger_clock() WHERE payment_id = %s",
        payment.pk,
    )


def test_the_code_and_cause_of_a_failure_that_was_asked_about_come_from_its_result(
    world: World, provider: Provider, gateway: Gateway
) -> None:
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    sent(world, payment, gateway)
    attempt = payment.attempts.get()
    record_callback(
        actor=SYSTEM,
        attempt_id=attempt.pk,
        token=attempt_token(attempt.pk),
        body=payment_result(attempt, "1", "The balance is insufficient."),
    )
    ask_about(actor=SYSTEM, attempt_id=attempt.pk, today=today)
    gateway.answer(attempt, "Failed")
    payment.refresh_from_db()
    assert payment.status == "failed"
    assert payment.retry_at is not None
    assert payment.last_error.startswith("1 The balance is insufficient. Asked, the gateway said:")


@pytest.mark.parametrize("barrier", ["resting", "open", "stopped", "limit", "role", "funds"])
def test_what_stands_in_the_way_puts_it_off_and_changes_nothing_else(
    world: World, refused: Payment, provider: Provider, barrier: str
) -> None:
    stand_in_the_way(world, provider, barrier)
    make_due(refused)
    assert [sweep(), sweep()] == [0, 0]
    refused.refresh_from_db()
    assert (refused.status, refused.retry_count, refused.tries) == ("failed", 1, 1)
    assert refused.retry_at is not None
    assert refused.retry_at > database_now() + timedelta(minutes=10)
    assert refused.last_error
    assert refused.attempts.count() == 1
    assert AuditEvent.objects.filter(action="payment.put_off_retry").exists()


def stand_in_the_way(world: World, provider: Provider, barrier: str) -> None:
    row = Provider.objects.filter(pk=provider.pk)
    if barrier == "resting":
        row.update(rests_until=database_now() + timedelta(minutes=5))
    elif barrier == "open":
        row.update(unanswered=5)  # its rest is over: only a probe calls it
    elif barrier == "stopped":
        row.update(stopped_at=database_now(), stopped_reason="locked")
    elif barrier == "limit":
        SpendingLimit.objects.create(
            company=world.company, currency="KES", scope="fund", most_amount=Decimal(499)
        )
    elif barrier == "role":
        Membership.objects.filter(user=world.treasurer).delete()
    else:
        drain = world.payment(amount=Decimal(99_600))
        set_code_limit(world.company, Decimal(100_000))
        Payment.objects.filter(pk=drain.pk).update(otp_required=False)
        execute_payment(actor=acting(world.treasurer), payment_id=drain.pk, today=today)


def test_after_many_looks_people_decide(refused: Payment, provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(unanswered=5)
    Payment.objects.filter(pk=refused.pk).update(tries=MOST_TRIES - 1)
    make_due(refused)
    assert sweep() == 0
    refused.refresh_from_db()
    assert (refused.retry_at, refused.status) == (None, "failed")


def test_where_a_code_is_needed_it_goes_before_its_executor_instead(
    world: World,
    provider: Provider,
    gateway: Gateway,
    send_code: SendCode,
    django_capture_on_commit_callbacks: Any,
) -> None:
    payment = world.payment(amount=Decimal(2000), method="mpesa", destination=PHONE)
    otp = send_code(payment, world.treasurer)
    verify_otp(actor=acting(world.treasurer), payment_id=payment.pk, otp=otp)
    sent(world, payment, gateway, outcome("failed_final", **SHORT))
    mail.outbox.clear()
    make_due(payment)
    with django_capture_on_commit_callbacks(execute=True):
        assert [sweep(), sweep()] == [1, 0]
    payment.refresh_from_db()
    assert (payment.status, payment.executor, payment.otp_verified) == ("pending", None, False)
    assert payment.attempts.count() == 1
    assert [message.to for message in mail.outbox] == [[world.treasurer.email]]
    assert payments_awaiting(world.treasurer).filter(pk=payment.pk).exists()


def test_a_person_who_retries_or_cancels_ends_the_plan(world: World, refused: Payment) -> None:
    make_due(refused)
    retry_payment(actor=acting(world.second_treasurer), payment_id=refused.pk)
    assert sweep() == 0
    refused.refresh_from_db()
    assert (refused.status, refused.retry_at, refused.executor) == ("pending", None, None)
    cancel_payment(actor=acting(world.second_treasurer), payment_id=refused.pk)
    assert refused.attempts.count() == 1


def test_a_pass_that_was_overtaken_does_nothing(
    world: World, refused: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_due(refused)
    claim = retries._claim

    def overtaken(payment: Payment) -> bool:
        mine = claim(payment)
        make_due(refused)
        monkeypatch.setattr(retries, "_claim", claim)
        assert sweep() == 1
        return mine

    monkeypatch.setattr(retries, "_claim", overtaken)
    assert sweep() == 0
    assert refused.attempts.count() == 2


def test_the_database_lets_no_retry_be_planned_or_made_that_must_not_be(
    world: World, refused: Payment, gateway: Gateway
) -> None:
    second_try(world, refused, executor=world.second_treasurer.pk)
    PaymentAttempt.objects.filter(payment=refused).update(passes_at=None)
    refused_by(
        "no refusal that passes",
        "UPDATE treasury_payment SET retry_at = ledger_clock() WHERE payment_id = %s",
        refused.pk,
    )
    second_try(world, refused, executor=world.treasurer.pk)
    refused_by(
        "is refused",
        "UPDATE treasury_paymentattempt SET automatic = true WHERE payment_id = %s",
        refused.pk,
    )
    going = world.payment(amount=Decimal(100), method="mpesa", destination=PHONE)
    sent(world, going, gateway)
    refused_by(
        "treasury_attempt_passes_when_failed",
        "UPDATE treasury_paymentattempt SET passes_at = ledger_clock() WHERE payment_id = %s",
        going.pk,
    )


def second_try(world: World, payment: Payment, *, executor: Any) -> None:
    """An automatic attempt in another's name, or of what does not pass, is refused."""
    refused_by(
        "repeats nothing",
        "INSERT INTO treasury_paymentattempt (attempt_id, payment_id, number, reference, provider_id,"
        " amount, currency, destination_index, executor_id, user_agent, state, calls, lease_owner,"
        " queries, conversation, gateway_reference, gateway_status, last_error, automatic)"
        " SELECT gen_random_uuid(), payment_id, 2, gen_random_uuid(), provider_id, amount, currency,"
        " destination_index, %s, '', 'sending', 0, '', 0, '', '', '', '', true"
        " FROM treasury_paymentattempt WHERE payment_id = %s",
        executor,
        payment.pk,
    )
