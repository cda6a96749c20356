"""One-time codes: guessed by many at once, bound to what they confirm, and silent about why not."""

from functools import partial

import httpx
import psycopg
import pytest

from ledger.clock import today
from ledger.encryption import encrypt
from ledger.refusals import Refusal
from tests.clock import Clock
from tests.crowd import at_once, tally
from tests.scene import Scene
from tests.web import Web
from treasury.models import OneTimeCode, Payment, PaymentExecution
from treasury.models.code import MOST_TRIES
from treasury.services.codes import verify_otp
from treasury.services.execution import execute_payment

CROWD = 200


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """Every payment needs a code."""
    scene.require_codes()
    return scene


def guess(scene: Scene, payment: Payment, otp: str, by: str = "treasurer") -> partial[Payment]:
    return partial(verify_otp, actor=scene.actor(by), payment_id=payment.pk, otp=otp)


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def test_of_200_parallel_guesses_exactly_five_are_looked_at(scene: Scene) -> None:
    payment = scene.payment(1000)
    right = scene.send_code(payment)
    guesses = [guess(scene, payment, another(right))] * CROWD
    assert tally(at_once(guesses)) == {"400 otp_invalid": CROWD}
    assert OneTimeCode.objects.get().tries == MOST_TRIES == 5
    with pytest.raises(Refusal, match="not valid"):
        guess(scene, payment, right)()


def test_the_right_code_given_200_times_at_once_verifies_once(scene: Scene) -> None:
    payment = scene.payment(1000)
    right = scene.send_code(payment)
    said = tally(at_once([guess(scene, payment, right)] * CROWD))
    assert said == {"done": 1, "400 otp_invalid": CROWD - 1}


def test_one_verification_executes_once_however_many_try(scene: Scene) -> None:
    payment = scene.payment(1000)
    scene.verify_code(payment)
    actor = scene.actor("treasurer")
    execute = partial(execute_payment, actor=actor, payment_id=payment.pk, today=today)
    said = tally(at_once([execute] * CROWD))
    assert said == {"done": 1, "409 illegal_transition": CROWD - 1}


# What a code is bound to, and a change of it that only PostgreSQL's superuser could make.
MUTATIONS = {
    "version": "UPDATE treasury_payment SET version = version + 1",
    "amount": "UPDATE treasury_payment SET amount = amount + 1",
    "currency": "UPDATE treasury_payment SET currency = 'UGX'",
    "destination": "UPDATE treasury_payment SET destination = {elsewhere}",
    "method": "UPDATE treasury_payment SET method = 'bank'",
    "executor": "UPDATE treasury_payment SET executor_id = {second}",
    "payment": "UPDATE treasury_onetimecode SET payment_id = {other}",
}


def mutate(connection: psycopg.Connection, scene: Scene, field: str, other: Payment) -> None:
    """Change one bound field everywhere it stands, past every trigger and foreign key."""
    values = {
        "elsewhere": f"'{encrypt('Back door')}'",
        "second": f"'{scene.people['second_treasurer'].pk}'",
        "other": f"'{other.pk}'",
    }
    connection.execute("SET session_replication_role = replica")
    connection.execute(MUTATIONS[field].format(**values).encode())


@pytest.mark.parametrize("field", MUTATIONS)
@pytest.mark.parametrize("by", ["treasurer", "second_treasurer"])
def test_a_change_of_anything_it_is_bound_to_kills_a_code(
    scene: Scene, superuser_connection: psycopg.Connection, field: str, by: str
) -> None:
    payment, other = scene.payment(1000), scene.payment(1000)
    right = scene.send_code(payment)
    mutate(superuser_connection, scene, field, other)
    for target in (payment, other):
        with pytest.raises(Refusal):
            guess(scene, target, right, by)()
    assert not Payment.objects.filter(otp_verified=True).exists()


@pytest.mark.parametrize("field", MUTATIONS)
@pytest.mark.parametrize("by", ["treasurer", "second_treasurer"])
def test_a_change_of_anything_it_is_bound_to_kills_a_verification(
    scene: Scene, superuser_connection: psycopg.Connection, field: str, by: str
) -> None:
    payment, other = scene.payment(1000), scene.payment(1000)
    scene.verify_code(payment)
    mutate(superuser_connection, scene, field, other)
    superuser_connection.execute(
        "UPDATE treasury_payment SET otp_verified = true, otp_verified_timestamp = now()"
    )
    for target in (payment, other):
        with pytest.raises(Refusal):
            execute_payment(actor=scene.actor(by), payment_id=target.pk, today=today)
    assert not PaymentExecution.objects.exists()


def test_an_edit_and_its_opposite_do_not_revive_a_code(scene: Scene) -> None:
    from treasury.services.payments import edit_payment

    payment = scene.payment(1000)
    right = scene.send_code(payment)
    for amount in (999, 1000):
        edit_payment(actor=scene.actor("second_treasurer"), payment_id=payment.pk, amount=amount)
    with pytest.raises(Refusal):
        guess(scene, payment, right)()


def answers_to_bad_codes(
    scene: Scene, clock: Clock, ask: partial[httpx.Response]
) -> dict[str, tuple[int, bytes]]:
    """What the API says to a wrong, an expired, a used, a locked and a superseded code."""
    answers: dict[str, httpx.Response] = {}
    for kind in ("wrong", "expired", "used", "locked", "void"):
        clock.advance(hours=1)
        payment = scene.payment(1000)
        right = scene.send_code(payment)
        given = another(right) if kind in {"wrong", "locked"} else right
        if kind == "expired":
            clock.advance(minutes=5)
        if kind == "used":
            guess(scene, payment, right)()
        if kind == "void":
            clock.advance(minutes=2)
            scene.send_code(payment)
        for _ in range(MOST_TRIES if kind == "locked" else 0):
            at_once([guess(scene, payment, given)])
        given = right if kind == "locked" else given
        answers[kind] = ask(f"/api/payments/{payment.pk}/verify_otp/", {"otp": given})
    return {kind: (answer.status_code, answer.content) for kind, answer in answers.items()}


def test_wrong_expired_used_and_locked_codes_are_answered_byte_for_byte_alike(
    scene: Scene, clock: Clock, web: Web
) -> None:
    token = web.token(scene.people["treasurer"].username)
    answers = answers_to_bad_codes(scene, clock, partial(web.post, token=token))
    status, body = answers["wrong"]
    assert status == 400
    assert b'"otp_invalid"' in body
    assert set(answers.values()) == {(status, body)}
