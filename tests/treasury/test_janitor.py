"""The janitor: what it looks after, and that it never guesses."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now

from ledger.refusals import IllegalTransition, InvalidInput, RoleRequired, SegregationOfDuties
from ledger.roles import Role
from payments.gateways import daraja
from payments.models import Provider
from tests.treasury.conftest import World
from tests.treasury.factories import PHONE, acting, make_provider, person, today
from tests.treasury.gateway import SYSTEM, Gateway, outcome
from treasury import schedule
from treasury.models import Payment, PaymentAttempt, Resolution
from treasury.services.dispatching import dispatch_attempt
from treasury.services.execution import execute_payment
from treasury.services.janitor import Pass, run_janitor
from treasury.services.payments import retry_payment
from treasury.services.resolution import ResolutionDiffers, resolve_payment


@pytest.fixture
def provider(world: World) -> Provider:
    return make_provider(world.company)


@pytest.fixture
def attempt(world: World, provider: Provider, gateway: Gateway) -> PaymentAttempt:
    """An attempt that waits to be sent."""
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    execute_payment(actor=acting(world.treasurer), payment_id=payment.pk, today=today)
    return PaymentAttempt.objects.get(payment=payment)


def sweep() -> Pass:
    return run_janitor(actor=SYSTEM, today=today)


def fresh(attempt: PaymentAttempt) -> PaymentAttempt:
    return PaymentAttempt.objects.select_related("payment").get(pk=attempt.pk)


def send(attempt: PaymentAttempt) -> None:
    dispatch_attempt(actor=SYSTEM, attempt_id=attempt.pk, today=today)


def set_back(attempt: PaymentAttempt, field: str, age: timedelta) -> None:
    PaymentAttempt.objects.filter(pk=attempt.pk).update(**{field: Now() - age})


def test_a_worker_that_died_in_its_call_leaves_an_attempt_that_is_asked_about(
    attempt: PaymentAttempt, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(daraja, "send_b2c", die)
    with pytest.raises(KeyboardInterrupt):
        send(attempt)
    assert sweep() == Pass(0, 0, 0, 0)
    set_back(attempt, "lease_until", timedelta(seconds=1))
    assert sweep() == Pass(1, 0, 0, 1)
    assert fresh(attempt).payment.status == "unknown"
    gateway.answer(attempt)
    assert fresh(attempt).payment.status == "success"


def test_an_accepted_payment_without_a_result_is_unknown_after_five_minutes(
    attempt: PaymentAttempt, gateway: Gateway
) -> None:
    send(attempt)
    set_back(attempt, "accepted_at", timedelta(minutes=4, seconds=50))
    assert sweep().doubted == 0
    set_back(attempt, "accepted_at", timedelta(minutes=5, seconds=1))
    assert sweep() == Pass(1, 0, 0, 1)
    assert fresh(attempt).payment.status == "unknown"


def test_questions_come_ever_more_rarely(attempt: PaymentAttempt, gateway: Gateway) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    assert sweep().asked == 1
    assert sweep().asked == 0
    for number in range(1, 4):
        set_back(attempt, "next_query_at", timedelta(seconds=1))
        assert sweep().asked == 1
        assert fresh(attempt).queries == number + 1
    assert len(gateway.asked) == 4


def test_doubt_that_lasts_a_day_goes_before_people_and_keeps_its_hold(
    world: World, attempt: PaymentAttempt, gateway: Gateway
) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    set_back(attempt, "unknown_since", timedelta(hours=24, seconds=1))
    # A question that is due comes first: it may end the doubt.
    assert sweep() == Pass(0, 0, 0, asked=1)
    assert sweep().reviewed == 1
    assert fresh(attempt).payment.status == "review"
    assert world.account().held == Decimal(500)
    assert sweep() == Pass(0, 0, 0, 0)


def test_an_answer_that_nobody_acted_on_is_found(attempt: PaymentAttempt, gateway: Gateway) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    sweep()
    gateway.post_answer(attempt)
    assert fresh(attempt).payment.status == "unknown"
    assert sweep().applied == 1
    assert fresh(attempt).payment.status == "success"


def test_nobody_asks_again_while_an_answer_lies_here(
    attempt: PaymentAttempt, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    sweep()
    gateway.post_answer(attempt)
    set_back(attempt, "next_query_at", timedelta(seconds=1))
    monkeypatch.setattr("treasury.services.janitor.apply_answers", lambda **_: 0)  # others first
    assert sweep().asked == 0
    assert fresh(attempt).payment.status == "success"
    assert len(gateway.asked) == 1


def test_an_answer_that_cannot_be_acted_on_does_not_keep_the_question_back(
    attempt: PaymentAttempt, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    sweep()
    gateway.post_answer(attempt)
    set_back(attempt, "next_query_at", timedelta(seconds=1))
    with monkeypatch.context() as broken:
        broken.setattr(daraja, "classify_status_result", lambda _: 1 / 0)
        assert sweep() == Pass(0, 0, 0, asked=1)
    assert sweep().applied == 1
    assert fresh(attempt).payment.status == "success"


def test_a_question_that_was_not_taken_is_asked_again(
    attempt: PaymentAttempt, gateway: Gateway
) -> None:
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    gateway.acknowledgements.append(outcome("retryable", "500.003.02", "Busy"))
    send(attempt)
    sweep()
    set_back(attempt, "next_query_at", timedelta(seconds=1))
    sweep()
    gateway.answer(attempt)
    assert fresh(attempt).payment.status == "success"


def test_one_row_that_fails_does_not_keep_the_others_waiting(
    world: World, attempt: PaymentAttempt, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    second = world.payment(amount=Decimal(600), method="mpesa", destination=PHONE)
    execute_payment(actor=acting(world.treasurer), payment_id=second.pk, today=today)
    other = PaymentAttempt.objects.get(payment=second)
    for one in (attempt, other):
        gateway.replies.append(outcome("unknown", "ReadTimeout"))
        send(one)

    def fail_once() -> None:
        gateway.while_asked = None
        raise ZeroDivisionError

    gateway.while_asked = fail_once
    assert sweep().asked == 1
    assert "a step of a pass failed" in caplog.text


@pytest.mark.parametrize(("step", "seconds"), [(1, 15), (2, 60), (7, 86_400), (99, 86_400)])
def test_a_step_is_never_later_than_the_table_says(step: int, seconds: int) -> None:
    waits = [schedule.backoff(step).total_seconds() for _ in range(50)]
    assert all(seconds * 0.9 <= wait <= seconds for wait in waits)
    assert schedule.backoff(step, at_least=timedelta(days=2)) == timedelta(days=2)


# --- Two people -----------------------------------------------------------------------------------------


@pytest.fixture
def doubtful(attempt: PaymentAttempt, gateway: Gateway) -> Payment:
    """A payment in review."""
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(attempt)
    set_back(attempt, "unknown_since", timedelta(days=2))
    sweep()
    sweep()
    return fresh(attempt).payment


def resolve(payment: Payment, user: object, how: str = "paid", why: str = "portal") -> Payment:
    return resolve_payment(
        actor=acting(user),  # type: ignore[arg-type]
        payment_id=payment.pk,
        outcome=how,
        evidence=why,
        today=today,
    )


def test_one_proposes_and_another_confirms_that_it_was_paid(
    world: World, doubtful: Payment
) -> None:
    assert resolve(doubtful, world.treasurer).status == "review"
    assert resolve(doubtful, world.cfo).status == "success"
    assert (world.account().balance, world.account().held) == (Decimal(99_500), Decimal(0))
    found = Resolution.objects.get(payment=doubtful)
    assert (found.proposed_by, found.confirmed_by) == (world.treasurer, world.cfo)


def test_confirmed_as_not_paid_it_is_released(world: World, doubtful: Payment) -> None:
    resolve(doubtful, world.second_treasurer, "not_paid")
    failed = resolve(doubtful, world.cfo, "not_paid")
    assert (failed.status, failed.retry_count) == ("failed", 1)
    assert (world.account().balance, world.account().held) == (Decimal(100_000), Decimal(0))


def test_nobody_is_his_own_second_person(world: World, doubtful: Payment) -> None:
    resolve(doubtful, world.cfo)
    with pytest.raises(SegregationOfDuties):
        resolve(doubtful, world.cfo)


def test_whoever_executed_it_does_not_confirm(world: World, doubtful: Payment) -> None:
    resolve(doubtful, world.cfo)
    with pytest.raises(SegregationOfDuties):
        resolve(doubtful, world.treasurer)


def test_the_requester_takes_no_part(world: World, provider: Provider, gateway: Gateway) -> None:
    world.requester = person(world.company, Role.REQUESTER, Role.CFO)
    payment = world.payment(amount=Decimal(500), method="mpesa", destination=PHONE)
    with pytest.raises(SegregationOfDuties):
        resolve(payment, world.requester)


def test_two_people_must_agree(world: World, doubtful: Payment) -> None:
    resolve(doubtful, world.cfo, "paid")
    with pytest.raises(ResolutionDiffers):
        resolve(doubtful, world.second_treasurer, "not_paid")
    resolve(doubtful, world.cfo, "not_paid")
    assert resolve(doubtful, world.second_treasurer, "not_paid").status == "failed"


def test_a_proposal_ends_with_its_attempt(
    world: World, attempt: PaymentAttempt, doubtful: Payment, gateway: Gateway
) -> None:
    resolve(doubtful, world.second_treasurer, "not_paid")
    set_back(attempt, "next_query_at", timedelta(seconds=1))
    sweep()
    gateway.answer(attempt, "Failed")
    actor = acting(world.treasurer)
    retry_payment(actor=actor, payment_id=doubtful.pk)
    execute_payment(actor=actor, payment_id=doubtful.pk, today=today)
    second = PaymentAttempt.objects.get(payment=doubtful, number=2)
    gateway.replies.append(outcome("unknown", "ReadTimeout"))
    send(second)
    set_back(second, "unknown_since", timedelta(days=2))
    sweep()
    sweep()
    # What was found about the first attempt says nothing about the second: this is one person's word.
    assert resolve(doubtful, world.cfo, "not_paid").status == "review"
    assert resolve(doubtful, world.second_treasurer, "not_paid").status == "failed"


def test_refusals_come_in_order(world: World, doubtful: Payment) -> None:
    with pytest.raises(RoleRequired):
        resolve(doubtful, world.approver, "nonsense")
    with pytest.raises(InvalidInput) as refusal:
        resolve(doubtful, world.cfo, "perhaps")
    assert list(refusal.value.errors) == ["outcome"]
    with pytest.raises(InvalidInput) as refusal:
        resolve(doubtful, world.cfo, "paid", " ")
    assert list(refusal.value.errors) == ["evidence"]
    with pytest.raises(IllegalTransition):
        resolve(world.payment(amount=Decimal(10)), world.cfo)
