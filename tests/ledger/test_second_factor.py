"""Second factors: a code is taken once, few tries are given, and what was shown counts here and now only."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from ledger.actor import Actor
from ledger.clock import database_now
from ledger.models import AuditEvent, SecondFactorUse, StepUp, User
from ledger.models.second_factor import MOST_TRIES_A_DAY
from ledger.refusals import RoleRequired
from ledger.services.second_factor import (
    PERIOD_S,
    AlreadyEnrolled,
    InvalidSecondFactor,
    NotEnrolled,
    enrol,
    has_stepped_up,
    is_enrolled,
    recovery_codes_left,
    remove,
    reset,
    step_up,
)
from tests.ledger import raw
from tests.ledger.factories import UserFactory

WRONG = "not six"


class Phone:
    """The app that holds a secret."""

    def __init__(self) -> None:
        self.secret = generate_totp_secret()

    def code(self, *, steps: int = 0) -> str:
        now = int(database_now().timestamp()) // PERIOD_S
        shown: str = format_hotp_value(hotp_value(self.secret, now + steps))
        return shown


def acting(user: User, carrier: str = "c" * 64) -> Actor:
    return Actor.of(user, carrier=carrier)


def enrolled(user: User | None = None) -> tuple[User, Phone, tuple[str, ...]]:
    """Somebody with a second factor, whose present code is not used up."""
    user, phone = user or UserFactory.create(), Phone()
    made = enrol(actor=acting(user), secret=phone.secret, code=phone.code(steps=-1))
    return user, phone, made.recovery_codes


@pytest.mark.django_db
def test_a_code_of_the_app_counts_for_ten_minutes() -> None:
    user, phone, _ = enrolled()
    shown = step_up(actor=acting(user), code=phone.code())
    assert shown.expires_at - shown.verified_at == timedelta(minutes=10)
    assert has_stepped_up(acting(user))


@pytest.mark.django_db
def test_it_counts_in_no_other_session_for_nobody_else_and_not_without_one() -> None:
    user, phone, _ = enrolled()
    step_up(actor=acting(user), code=phone.code())
    assert not has_stepped_up(acting(user, "d" * 64))
    assert not has_stepped_up(acting(user, ""))
    assert not has_stepped_up(acting(UserFactory.create()))
    assert not has_stepped_up(Actor.system("job"))


@pytest.mark.django_db
def test_it_ends_by_the_database_s_clock() -> None:
    user, *_ = enrolled()
    now = database_now()
    StepUp.objects.create(
        user=user,
        carrier="c" * 64,
        means="totp",
        verified_at=now - timedelta(minutes=11),
        expires_at=now - timedelta(minutes=1),
    )
    assert not has_stepped_up(acting(user))


@pytest.mark.django_db
def test_no_code_is_taken_twice() -> None:
    user, phone, _ = enrolled()
    code = phone.code()
    step_up(actor=acting(user), code=code)
    with pytest.raises(InvalidSecondFactor):
        step_up(actor=acting(user), code=code)
    with pytest.raises(InvalidSecondFactor):  # nor one of an earlier step
        step_up(actor=acting(user), code=phone.code(steps=-1))


@pytest.mark.django_db
@pytest.mark.parametrize("steps", [-3, -2, 3, 100])
def test_a_code_of_another_time_is_not_taken(steps: int) -> None:
    user, phone, _ = enrolled()
    with pytest.raises(InvalidSecondFactor):
        step_up(actor=acting(user), code=phone.code(steps=steps))


@pytest.mark.django_db
def test_a_recovery_code_is_good_once() -> None:
    user, _, codes = enrolled()
    assert len(set(codes)) == 10
    assert step_up(actor=acting(user), code=codes[3]).means == "recovery_code"
    with pytest.raises(InvalidSecondFactor):
        step_up(actor=acting(user), code=codes[3])
    assert recovery_codes_left(user.pk) == 9


@pytest.mark.django_db
def test_ten_wrong_codes_end_the_day_even_for_the_right_one() -> None:
    user, phone, _ = enrolled()
    for _ in range(MOST_TRIES_A_DAY):
        with pytest.raises(InvalidSecondFactor):
            step_up(actor=acting(user), code=WRONG)
    with pytest.raises(InvalidSecondFactor) as refused:
        step_up(actor=acting(user), code=phone.code())
    assert refused.value.detail == "This code is not valid."
    yesterday = (database_now() - timedelta(days=1)).date()
    SecondFactorUse.objects.update(tries_on=yesterday)
    assert step_up(actor=acting(user), code=phone.code()).means == "totp"


@pytest.mark.django_db
def test_a_right_code_is_no_failed_try() -> None:
    user, _, codes = enrolled()
    for code in codes:
        step_up(actor=acting(user), code=code)
    assert SecondFactorUse.objects.get(user=user).tries == 0


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_look_at_ten_and_a_parallel_code_is_taken_once() -> None:
    user, phone, _ = enrolled()
    code, outcomes = phone.code(), []

    def guess(text: str) -> None:
        try:
            step_up(actor=acting(user), code=text)
            outcomes.append("taken")
        except InvalidSecondFactor:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(code,)) for _ in range(6)]
    threads += [threading.Thread(target=guess, args=(WRONG,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("taken") <= 1
    assert SecondFactorUse.objects.get(user=user).tries <= MOST_TRIES_A_DAY
    assert StepUp.objects.count() == outcomes.count("taken")


@pytest.mark.django_db
def test_enrolling_takes_a_code_of_the_app_and_happens_once() -> None:
    user, phone = UserFactory.create(), Phone()
    with pytest.raises(InvalidSecondFactor):
        enrol(actor=acting(user), secret=phone.secret, code=Phone().code())
    assert not is_enrolled(user.pk)
    enrolled(user)
    with pytest.raises(AlreadyEnrolled):
        enrol(actor=acting(user), secret=phone.secret, code=phone.code())
    with pytest.raises(NotEnrolled):
        step_up(actor=acting(UserFactory.create()), code=phone.code())


@pytest.mark.django_db
def test_removing_takes_a_code_and_resetting_another_administrator() -> None:
    user, phone, _ = enrolled()
    with pytest.raises(InvalidSecondFactor):
        remove(actor=acting(user), code=WRONG)
    remove(actor=acting(user), code=phone.code())
    assert not is_enrolled(user.pk)
    boss, *_ = enrolled(UserFactory.create(is_superuser=True))
    other = UserFactory.create(is_superuser=True)
    for actor in (acting(boss), acting(user)):
        with pytest.raises(RoleRequired):
            reset(actor=actor, user_id=boss.pk)
    reset(actor=acting(other), user_id=boss.pk)
    assert not is_enrolled(boss.pk)
    with pytest.raises(NotEnrolled):
        reset(actor=acting(other), user_id=boss.pk)


@pytest.mark.django_db
def test_who_lost_everything_is_let_in_by_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    user, *_ = enrolled()
    call_command("reset_second_factor", user.username)
    assert not is_enrolled(user.pk)
    assert AuditEvent.objects.latest("at").actor_name == "system: reset_second_factor"
    for name in (user.username, "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name)


@pytest.mark.django_db
def test_secrets_are_encrypted_at_rest_and_codes_in_no_trail() -> None:
    user, phone, codes = enrolled()
    code = phone.code()
    step_up(actor=acting(user), code=code)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert phone.secret not in stored
    trail = str(list(AuditEvent.objects.values()))
    for secret in (phone.secret, *codes):
        assert secret not in trail
        assert secret not in stored
    assert {event.action for event in AuditEvent.objects.all()} == {
        "second_factor.enrol",
        "second_factor.step_up",
    }


INSERT = (
    "INSERT INTO ledger_stepup (id, user_id, carrier, means, verified_at, expires_at)"
    " SELECT gen_random_uuid(), user_id, "
)
FROM = " FROM ledger_stepup"
ATTACKS: list[tuple[str, Any]] = [
    ("UPDATE ledger_secondfactoruse SET last_counter = 0", None),
    ("UPDATE ledger_secondfactoruse SET last_counter = last_counter - 1", None),
    ("UPDATE ledger_secondfactoruse SET tries = 11", None),
    ("DELETE FROM ledger_secondfactoruse", None),
    ("TRUNCATE ledger_secondfactoruse", None),
    ("UPDATE ledger_stepup SET expires_at = expires_at + interval '1 minute'", None),
    ("UPDATE ledger_stepup SET carrier = %s", ["e" * 64]),
    ("DELETE FROM ledger_stepup", None),
    (
        INSERT + "carrier, means, ledger_clock(), ledger_clock() + interval '16 minutes'" + FROM,
        None,
    ),
    (INSERT + "'', means, verified_at, expires_at" + FROM, None),
]


@pytest.mark.parametrize(("statement", "parameters"), ATTACKS)
def test_the_database_takes_nothing_back(attacker: str, statement: str, parameters: Any) -> None:
    user, phone, _ = enrolled()
    step_up(actor=acting(user), code=phone.code())
    before = raw.rows_of(SecondFactorUse, StepUp)
    with raw.refused():
        raw.run(statement, parameters)
    assert raw.rows_of(SecondFactorUse, StepUp) == before


@pytest.mark.django_db
def test_what_was_shown_ends_when_the_app_is_taken_away() -> None:
    user, phone, recovery = enrolled()
    step_up(actor=acting(user), code=phone.code())
    assert has_stepped_up(acting(user))
    remove(actor=acting(user), code=recovery[0])
    assert not has_stepped_up(acting(user))
    another = Phone()
    enrol(actor=acting(user), secret=another.secret, code=another.code(steps=1))
    assert not has_stepped_up(acting(user))  # nor with another one


@pytest.mark.django_db
def test_and_when_an_administrator_resets_it() -> None:
    user, phone, _ = enrolled()
    step_up(actor=acting(user), code=phone.code())
    reset(actor=acting(UserFactory.create(is_superuser=True)), user_id=user.pk)
    assert not has_stepped_up(acting(user))


@pytest.mark.django_db
def test_nobody_steps_up_with_the_app_of_another() -> None:
    user, *_ = enrolled()
    app = Authenticator.objects.get(user=user, type="totp")
    with pytest.raises(IntegrityError, match="not that of the person"), transaction.atomic():
        StepUp.objects.create(
            user=UserFactory.create(),
            carrier="c" * 64,
            means="totp",
            expires_at=database_now() + timedelta(minutes=1),
            enrolment=app.pk,
        )
