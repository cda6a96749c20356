"""The second factor of a person: an app that makes codes, and recovery codes for when it is lost.

allauth keeps the secrets and makes the codes; what must hold against many tries at once is ours and in
PostgreSQL: a try is spent and committed before anything is compared, ten a day, and no code is taken twice.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import constant_time_compare

from ledger import audit
from ledger.actor import Actor
from ledger.clock import DatabaseClock, database_now
from ledger.commands import command, require_transaction
from ledger.models import SecondFactorUse, StepUp, User
from ledger.models.second_factor import MOST_TRIES_A_DAY
from ledger.refusals import Conflict, InvalidInput, NotFound, Refusal, RoleRequired

PERIOD_S = 30
# A phone's clock may be one step off.
TOLERANCE = 1
STEP_UP_FOR = timedelta(minutes=10)


class InvalidSecondFactor(InvalidInput):
    """Wrong, used before, or too many tries: the answer is the same."""

    code = "second_factor_invalid"
    title = "Invalid second factor"


class NotEnrolled(Conflict):
    """The person has no second factor."""

    code = "not_enrolled"
    title = "No second factor"


class AlreadyEnrolled(Conflict):
    """The person has a second factor; it is removed before another one is set up."""

    code = "already_enrolled"
    title = "Second factor exists"


@dataclass(frozen=True, slots=True, repr=False)
class Enrolled:
    """The recovery codes of a person who has just enrolled, shown this once."""

    recovery_codes: tuple[str, ...]


def is_enrolled(user_id: UUID | None) -> bool:
    """Whether the person has a second factor."""
    found: bool = Authenticator.objects.filter(user=user_id, type=Authenticator.Type.TOTP).exists()
    return found


def recovery_codes_left(user_id: UUID) -> int:
    """Return how many recovery codes the person has not used."""
    found = _authenticator(user_id, Authenticator.Type.RECOVERY_CODES)
    return len(RecoveryCodes(found).get_unused_codes()) if found else 0


def has_stepped_up(actor: Actor) -> bool:
    """Whether the actor showed his second factor within the last minutes, in this session or by this token.

    What he showed with an app that was taken away since does not count.
    """
    if actor.user is None or not actor.carrier:
        return False
    apps = Authenticator.objects.filter(user=actor.user, type=Authenticator.Type.TOTP)
    rows = StepUp.objects.filter(user=actor.user, carrier=actor.carrier)
    rows = rows.filter(expires_at__gt=DatabaseClock(), enrolment__in=apps.values("pk"))
    found: bool = rows.exists()
    return found


def enrol(*, actor: Actor, secret: str, code: str) -> Enrolled:
    """Make the app that holds ``secret`` the person's second factor, and return his recovery codes.

    ``code`` shows that the app has it. Raises ``AlreadyEnrolled``, ``InvalidSecondFactor`` on ``code``.
    """
    spent = spend_try(_person(actor).pk)
    return _enrol(actor=actor, secret=secret, code=code, spent=spent)


class SecondFactorRequired(Refusal):
    """The person has a second factor, and signs in with a code of it besides his password."""

    status = 401
    code = "second_factor_required"
    title = "Second factor required"


def require_at_sign_in(*, actor: Actor, code: str) -> None:
    """Take a code of the app, or a recovery code, of a person who has just given his password.

    Nothing is asked of whoever has no second factor. Raises ``SecondFactorRequired`` without a code, and
    ``InvalidSecondFactor`` on ``code``; the try is spent and committed first.
    """
    user = _person(actor)
    if not is_enrolled(user.pk):
        return
    if not code:
        raise SecondFactorRequired("Send a code of your app, or a recovery code, as code.")
    _sign_in(actor=actor, code=code, spent=spend_try(user.pk))


@command("second_factor.sign_in")
def _sign_in(*, actor: Actor, code: str, spent: bool) -> None:
    user = _person(actor)
    means = _take(user.pk, code) if spent else None
    _require(means is not None)
    _give_back_try(user.pk)
    _record(actor, "second_factor.sign_in", user.pk, means=str(means))


@command("second_factor.enrol")
def _enrol(*, actor: Actor, secret: str, code: str, spent: bool) -> Enrolled:
    user = _person(actor)
    if is_enrolled(user.pk):
        raise AlreadyEnrolled("You have a second factor. Remove it before you set up another.")
    _require(spent and _take_totp(user.pk, secret, code))
    try:
        with transaction.atomic():
            TOTP.activate(user, secret)
            codes = RecoveryCodes.activate(user).get_unused_codes()
    except IntegrityError as error:
        raise AlreadyEnrolled("You have a second factor.") from error
    _give_back_try(user.pk)
    _record(actor, "second_factor.enrol", user.pk)
    return Enrolled(tuple(codes))


def step_up(*, actor: Actor, code: str) -> StepUp:
    """Take a code of the app, or a recovery code; what needs the second factor may then be done for a while.

    For ten minutes, in this session or by this token only. Raises ``NotEnrolled``, ``InvalidSecondFactor``.
    """
    user = _person(actor)
    if not is_enrolled(user.pk):
        raise NotEnrolled("You have no second factor. Set one up first.")
    return _step_up(actor=actor, code=code, spent=spend_try(user.pk))


@command("second_factor.step_up")
def _step_up(*, actor: Actor, code: str, spent: bool) -> StepUp:
    user = _person(actor)
    means = _take(user.pk, code) if spent else None
    _require(means is not None and bool(actor.carrier))
    _give_back_try(user.pk)
    app = _authenticator(user.pk, Authenticator.Type.TOTP)
    found = StepUp(
        user=user,
        carrier=actor.carrier,
        means=means or "",
        verified_at=(now := database_now()),
        expires_at=now + STEP_UP_FOR,
        enrolment=app.pk if app else None,
    )
    found.save(force_insert=True)
    _record(actor, "second_factor.step_up", user.pk, means=str(means))
    return found


def remove(*, actor: Actor, code: str) -> None:
    """Take away the person's own second factor; a last code shows that it is he who does.

    Raises ``NotEnrolled``, ``InvalidSecondFactor``.
    """
    user = _person(actor)
    if not is_enrolled(user.pk):
        raise NotEnrolled("You have no second factor.")
    _remove(actor=actor, code=code, spent=spend_try(user.pk))


@command("second_factor.remove")
def _remove(*, actor: Actor, code: str, spent: bool) -> None:
    user = _person(actor)
    _require(spent and _take(user.pk, code) is not None)
    _give_back_try(user.pk)
    Authenticator.objects.filter(user=user).delete()
    _record(actor, "second_factor.remove", user.pk)


@command("second_factor.reset")
def reset(*, actor: Actor, user_id: UUID) -> None:
    """Take away a person's second factor because he lost it, and let him try again; by an administrator.

    Nobody resets his own. Raises ``NotFound``, ``RoleRequired``, ``NotEnrolled``.
    """
    if actor.user is not None and (not actor.user.is_superuser or actor.user_id == user_id):
        raise RoleRequired("Another person, who administers Bursar, resets a second factor.")
    if not User.objects.filter(pk=user_id).exists():
        raise NotFound("There is no such person.")
    gone, _ = Authenticator.objects.filter(user=user_id).delete()
    if not gone:
        raise NotEnrolled("This person has no second factor.")
    SecondFactorUse.objects.filter(user=user_id).update(tries=0)
    _record(actor, "second_factor.reset", user_id)


def spend_try(user_id: UUID) -> bool:
    """Spend one of the person's tries of today, committed; return whether there was one."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_secondfactoruse AS known (user_id, last_counter, tries_on, tries)
            VALUES (%s, 0, (ledger_clock() AT TIME ZONE 'UTC')::date, 1)
            ON CONFLICT (user_id) DO UPDATE
            SET tries_on = EXCLUDED.tries_on,
                tries = CASE WHEN known.tries_on = EXCLUDED.tries_on THEN known.tries + 1 ELSE 1 END
            WHERE known.tries_on <> EXCLUDED.tries_on OR known.tries < %s
            RETURNING tries
            """,
            [user_id, MOST_TRIES_A_DAY],
        )
        return cursor.fetchone() is not None


def _take(user_id: UUID, code: str) -> StepUp.Means | None:
    """Use up a code of the app or a recovery code; return which it was, None for neither."""
    require_transaction()
    totp = _authenticator(user_id, Authenticator.Type.TOTP)
    if totp is not None and _take_totp(user_id, decrypt(totp.data["secret"]), code):
        return StepUp.Means.TOTP
    recovery = _authenticator(user_id, Authenticator.Type.RECOVERY_CODES)
    if recovery is not None and RecoveryCodes(recovery).validate_code(code):
        return StepUp.Means.RECOVERY_CODE
    return None


def _take_totp(user_id: UUID, secret: str, code: str) -> bool:
    """Use up a code of the app: only one of a later step than the last, and only once."""
    now = int(database_now().timestamp()) // PERIOD_S
    given = code.replace(" ", "")
    fitting = [
        counter
        for counter in range(now - TOLERANCE, now + TOLERANCE + 1)
        if constant_time_compare(given, format_hotp_value(hotp_value(secret, counter)))
    ]
    if not fitting:
        return False
    later = SecondFactorUse.objects.filter(user=user_id, last_counter__lt=fitting[-1])
    return later.update(last_counter=fitting[-1]) == 1


def _authenticator(user_id: UUID, kind: str) -> Authenticator | None:
    found: Authenticator | None = Authenticator.objects.filter(user=user_id, type=kind).first()
    return found


def _give_back_try(user_id: UUID) -> None:
    """A right code is no failed try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_secondfactoruse SET tries = tries - 1 WHERE user_id = %s AND tries > 0",
            [user_id],
        )


def _require(right: bool) -> None:  # noqa: FBT001 -- it is what is asked
    if not right:
        raise InvalidSecondFactor.on("code", "This code is not valid.")


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise RoleRequired("A second factor is a person's.")
    return actor.user


def _record(actor: Actor, action: str, user_id: UUID, **after: str) -> None:
    audit.record(actor=actor, action=action, subject=f"ledger.user:{user_id}", after=after or None)
